{# USES_VARIABLES { N } #}
{# ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}
{% block extra_headers %}
#include<algorithm>
#include "brianlib/loop_math.h"
{% if together %}
#include "{{together.header}}"
{% endif %}
{% endblock %}

{% block maincode %}
    //// MAIN CODE ////////////
    {{kernels.state_update(facts, constant_or_scalar('N', variables['N']), together)|autoindent}}
{% endblock %}
