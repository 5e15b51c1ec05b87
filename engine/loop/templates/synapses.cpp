{% extends 'common_synapses.cpp' %}
{% block extra_headers %}
#include<algorithm>
#include "brianlib/loop_math.h"
#include "synapses_classes.h"
{% if together %}
#include "{{together.header}}"
{% endif %}
{% endblock %}

{% block maincode %}
    {{kernels.synaptic_effect(facts, pathway.name, pathway.prepost, together)|autoindent}}
{% endblock %}
