{% macro cpp_file() %}
#include "network.h"
{% if not processor_time %}
#define FAST_LOOP_WALL_CLOCK
{% endif %}
#include "brianlib/loop_memory.h"
#include "brianlib/loop_watch.h"
{% if together %}
#include "{{together_header}}"
{% endif %}
#include <cmath>

double Network::_last_run_time = 0.0;
double Network::_last_run_completed_fraction = 0.0;
bool Network::_globally_stopped = false;
bool Network::_globally_running = false;
int Network::_runs = 0;

Network::Network() : t(0.0) {}

void Network::clear()
{
    objects.clear();
}

void Network::add({{clock_class}}* clock, codeobj_func func)
{
    objects.push_back(std::make_pair(clock, func));
}

// The clocks of all objects, each once, and for each object the number of its clock.
void Network::number_clocks()
{
    clocks.clear();
    clock_of.clear();
    for (size_t i = 0; i < objects.size(); i++)
    {
        size_t k = 0;
        while (k < clocks.size() && clocks[k] != objects[i].first)
            k++;
        if (k == clocks.size())
            clocks.push_back(objects[i].first);
        clock_of.push_back(k);
    }
    due.assign(clocks.size(), 1);
}

// The clock that comes next; `due` marks all clocks that share its time.
{{clock_class}}* Network::next_clock()
{
    if (clocks.empty())
        return NULL;
    size_t first = 0;
    for (size_t k = 1; k < clocks.size(); k++)
        if (clocks[k]->t[0] < clocks[first]->t[0])
            first = k;
    const double now = clocks[first]->t[0];
    for (size_t k = 0; k < clocks.size(); k++)
        due[k] = std::fabs(clocks[k]->t[0] - now) <= 1e-14 + 4e-16*now;  // a few roundings of i*dt apart
    return clocks[first];
}

void Network::run(const double duration, void (*report_func)(const double, const double, const double, const double), const double report_period)
{
    const double t_start = t;
    const double t_end = t + duration;
    double next_report = report_period;
    bool out_of_time = false;
    number_clocks();
    for (size_t k = 0; k < clocks.size(); k++)
        clocks[k]->set_interval(t, t_end);

    const fast_loop::Watch watch;
    if (report_func)
        report_func(0.0, 0.0, t_start, duration);

    _runs++;
    {% for variables in together %}
    {{variables.call}}.begin(duration/{{variables.time_step}});
    {% endfor %}
    _globally_running = true;
    _globally_stopped = false;
    {{clock_class}}* clock = next_clock();
    while (clock && clock->running() && !_globally_stopped)
    {
        t = clock->t[0];
        if (report_func && watch.elapsed() > next_report)
        {
            report_func(watch.elapsed(), (t - t_start)/duration, t_start, duration);
            next_report += report_period;
        }
        for (size_t i = 0; i < objects.size(); i++)
            if (due[clock_of[i]] && objects[i].second)  // an object without a function only keeps its clock going
                objects[i].second();
        for (size_t k = 0; k < clocks.size(); k++)
            if (due[k])
                clocks[k]->tick();
        clock = next_clock();
        {% if maximum_run_time is not none %}
        if (watch.elapsed() > {{maximum_run_time}})
        {
            out_of_time = true;
            break;
        }
        {% endif %}
    }
    _globally_running = false;
    {% for variables in together %}
    {{variables.call}}.end();
    {% endfor %}

    t = (out_of_time || _globally_stopped) ? clock->t[0] : t_end;
    _last_run_time = watch.elapsed();
    _last_run_completed_fraction = (duration > 0) ? (t - t_start)/duration : 1.0;
    if (report_func)
        report_func(_last_run_time, _last_run_completed_fraction, t_start, duration);
}
{% endmacro %}

{% macro h_file() %}
#ifndef _BRIAN_NETWORK_H
#define _BRIAN_NETWORK_H

#include <utility>
#include <vector>
#include "brianlib/clocks.h"

typedef void (*codeobj_func)();

// Runs the code objects, in their order, at each step of their clocks.
class Network
{
    std::vector<{{clock_class}}*> clocks;
    std::vector<size_t> clock_of;
    std::vector<char> due;
    void number_clocks();
    {{clock_class}}* next_clock();
public:
    std::vector< std::pair< {{clock_class}}*, codeobj_func > > objects;
    double t;
    static double _last_run_time;
    static double _last_run_completed_fraction;
    static bool _globally_stopped;
    static bool _globally_running;
    static int _runs;  // how many runs were started

    Network();
    void clear();
    void add({{clock_class}}* clock, codeobj_func func);
    void run(const double duration, void (*report_func)(const double, const double, const double, const double), const double report_period);
};

#endif
{% endmacro %}
