{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}
{% block extra_headers %}
#include<algorithm>
#include "brianlib/loop_math.h"
{% endblock %}

{% block maincode %}
    {% set _events = get_array_name(eventspace_variable) %}
    //// MAIN CODE ////////////
    {% if _uses_refractory %}
    {{kernels.threshold(facts, _events, 'N', (not_refractory, lastspike), t, keep_draws())|autoindent}}
    {% else %}
    {{kernels.threshold(facts, _events, 'N', none, none, keep_draws())|autoindent}}
    {% endif %}
{% endblock %}

{% block after_code %}
    // no events remain after the last step of a run
    {{get_array_name(eventspace_variable)}}[N] = 0;
{% endblock %}
