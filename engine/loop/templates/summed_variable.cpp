{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% block extra_headers %}
#include<algorithm>
#include "brianlib/loop_math.h"
{% endblock %}

{% block maincode %}
    //// MAIN CODE ////////////
    {{kernels.summed(facts, N, get_array_name(_target_var), get_array_name(_index_var),
                     constant_or_scalar(_target_size_name, variables[_target_size_name]), _target_start)|autoindent}}
{% endblock %}
