// What pathways do outside of the inner loops: the same for all circuits, compiled once.
#include "brianlib/loop_pathway.h"

SynapticPathway::SynapticPathway(std::vector<int>& _sources, int spikes_start, int spikes_stop)
    : Nsource(0), Ntarget(0), sources(_sources), queue(1, this),
      start(spikes_start), stop(spikes_stop), dt(0.0), now(0), slots(1), common_delay(0) {}

SynapticPathway::~SynapticPathway() {}

template <typename scalar> std::vector<int> SynapticPathway::steps_of(const scalar* delays, int n_delays) const
{
    std::vector<int> steps(n_delays);
    for (int k = 0; k < n_delays; k++)
        steps[k] = (int)(delays[k]/dt + 0.5);
    return steps;
}

void SynapticPathway::prepare(int n_source, int n_target, const double* delays, int n_delays,
                              const int* synapse_sources, int n_synapses, double new_dt)
{
    begin_run(n_source, n_target, new_dt);
    arrange(steps_of(delays, n_delays), synapse_sources, n_synapses);
}

void SynapticPathway::prepare(int n_source, int n_target, const float* delays, int n_delays,
                              const int* synapse_sources, int n_synapses, double new_dt)
{
    begin_run(n_source, n_target, new_dt);
    arrange(steps_of(delays, n_delays), synapse_sources, n_synapses);
}

void SynapticPathway::begin_run(int n_source, int n_target, double new_dt)
{
    Nsource = n_source;
    Ntarget = n_target;
    keep_spikes_on_their_way();
    if (dt != 0.0 && dt != new_dt)
        change_dt(dt/new_dt);
    dt = new_dt;
}

void SynapticPathway::arrange(const std::vector<int>& steps, const int* synapse_sources, int n_synapses)
{
    const int longest = steps.empty() ? 0 : *std::max_element(steps.begin(), steps.end());
    const bool one_delay = steps.empty() || longest == *std::min_element(steps.begin(), steps.end());
    if (longest >= (int)slots.size())
    {
        std::rotate(slots.begin(), slots.begin() + now, slots.end());
        now = 0;
        slots.resize(longest + 1);
    }
    common_delay = one_delay ? longest : -1;
    group_delay.clear();
    first_group.clear();
    count_by_source(synapse_sources, n_synapses);
    std::vector<int32_t>().swap(order);
    std::vector<int32_t>().swap(others);
    if (one_delay && std::is_sorted(synapse_sources, synapse_sources + n_synapses))
        return;
    sort_by_source(synapse_sources, n_synapses);
    if (!one_delay)
        sort_by_delay(steps);
    bool sorted = true;
    for (size_t k = 0; k < order.size() && sorted; k++)
        sorted = order[k] == (int32_t)k;
    if (sorted)  // synapse k stands at place k
        std::vector<int32_t>().swap(order);
}

size_t SynapticPathway::after(int delay) const
{
    const size_t slot = now + delay;
    return slot < slots.size() ? slot : slot - slots.size();
}

void SynapticPathway::advance()
{
    slots[now].groups.clear();
    slots[now].synapses.clear();
    now = now + 1 < slots.size() ? now + 1 : 0;
}

void SynapticPathway::push(const int32_t* events, int n_events)
{
    if (n_events == 0)
        return;
    const int32_t* event = std::lower_bound(events, events + n_events, start);
    const int32_t* end = std::lower_bound(event, events + n_events, stop);
    if (common_delay >= 0)
    {
        std::vector<int32_t>& due = slots[after(common_delay)].groups;
        for (; event < end; event++)
            if (group_begin[*event - start] < group_begin[*event - start + 1])
                due.push_back(*event - start);
    }
    else
        for (; event < end; event++)
            for (int32_t g = first_group[*event - start]; g < first_group[*event - start + 1]; g++)
                slots[after(group_delay[g])].groups.push_back(g);
}


const std::vector<DueSynapses>& SynapticPathway::due()
{
    const Slot& slot = slots[now];
    due_now.clear();
    if (!slot.synapses.empty())
        due_now.push_back(DueSynapses{slot.synapses.data(), 0, (int32_t)slot.synapses.size(), true});
    const int32_t* index = order.empty() ? NULL : order.data();
    for (size_t k = 0; k < slot.groups.size(); k++)
        due_now.push_back(DueSynapses{index, group_begin[slot.groups[k]], group_begin[slot.groups[k] + 1], false});
    return due_now;
}


const int32_t* SynapticPathway::other_ends(const int32_t* ends)
{
    if (others.size() != order.size())
    {
        others.resize(order.size());
        for (size_t k = 0; k < order.size(); k++)
            others[k] = ends[order[k]];
    }
    return others.empty() ? NULL : others.data();
}

std::vector<int32_t> SynapticPathway::list(const Slot& slot) const
{
    std::vector<int32_t> synapses(slot.synapses);
    for (size_t k = 0; k < slot.groups.size(); k++)
        for (int32_t i = group_begin[slot.groups[k]]; i < group_begin[slot.groups[k] + 1]; i++)
            synapses.push_back(order.empty() ? i : order[i]);
    return synapses;
}

void SynapticPathway::keep_spikes_on_their_way()
{
    for (size_t k = 0; k < slots.size(); k++)
        if (!slots[k].groups.empty())
        {
            slots[k].synapses = list(slots[k]);
            slots[k].groups.clear();
        }
}

void SynapticPathway::change_dt(double factor)
{
    std::vector<Slot> before(slots.size());
    before.swap(slots);
    slots.resize((size_t)(before.size()*factor) + 1);
    for (size_t k = 0; k < before.size(); k++)
    {
        const std::vector<int32_t>& from = before[(k + now) % before.size()].synapses;
        std::vector<int32_t>& to = slots[(size_t)(k*factor + 0.5)].synapses;
        to.insert(to.end(), from.begin(), from.end());
    }
    now = 0;
}

void SynapticPathway::count_by_source(const int* synapse_sources, int n_synapses)
{
    group_begin.assign(stop - start + 1, 0);
    for (int k = 0; k < n_synapses; k++)
        group_begin[synapse_sources[k] - start + 1]++;
    for (size_t g = 1; g < group_begin.size(); g++)
        group_begin[g] += group_begin[g - 1];
}

void SynapticPathway::sort_by_source(const int* synapse_sources, int n_synapses)
{
    std::vector<int32_t> next(group_begin.begin(), group_begin.end() - 1);
    order.resize(n_synapses);
    for (int k = 0; k < n_synapses; k++)
        order[next[synapse_sources[k] - start]++] = k;
}

void SynapticPathway::sort_by_delay(const std::vector<int>& steps)
{
    std::vector<int32_t> begin_of_source;
    begin_of_source.swap(group_begin);
    for (size_t source = 0; source + 1 < begin_of_source.size(); source++)
    {
        const int32_t begin = begin_of_source[source], end = begin_of_source[source + 1];
        std::stable_sort(order.begin() + begin, order.begin() + end,
                         [&](int32_t a, int32_t b) { return steps[a] < steps[b]; });
        first_group.push_back((int32_t)group_begin.size());
        for (int32_t k = begin; k < end; k++)
            if (k == begin || steps[order[k]] != steps[order[k - 1]])
            {
                group_begin.push_back(k);
                group_delay.push_back(steps[order[k]]);
            }
    }
    first_group.push_back((int32_t)group_begin.size());
    group_begin.push_back((int32_t)order.size());
}

std::vector<int32_t>* SynapticPathway::peek()
{
    listed = list(slots[now]);
    return &listed;
}

std::ostream& operator<<(std::ostream& out, const SynapticPathway& pathway)
{
    out << pathway.now << "\n" << pathway.slots.size() << "\n";
    for (size_t k = 0; k < pathway.slots.size(); k++)
    {
        const std::vector<int32_t> synapses = pathway.list(pathway.slots[k]);
        out << synapses.size() << "\n";
        for (size_t i = 0; i < synapses.size(); i++)
            out << synapses[i] << (i + 1 < synapses.size() ? " " : " \n");
    }
    return out;
}

int DueBlocks::next()
{
    first = -1;
    list = synapses;
    int n = 0;
    while (current < due.size() && n < SIZE)
    {
        const DueSynapses& from = due[current];
        const int left = from.end - place;
        if (!from.repeats && left >= SIZE/4)  // as they stand
        {
            if (n > 0)
                break;
            n = std::min(left, (int)SIZE);
            if (from.index)
                list = from.index + place;
            else
                first = place;
            last = left - 1;
            place += n;
            if (place >= from.end && ++current < due.size())
                place = due[current].begin;
            return n;
        }
        const int take = std::min(from.repeats ? 1 : left, SIZE - n);
        for (int k = 0; k < take; k++)
            synapses[n + k] = from.index ? from.index[place + k] : place + k;
        n += take;
        place += take;
        const bool alone = from.repeats;
        if (place >= from.end && ++current < due.size())
            place = due[current].begin;
        if (alone)
            break;
    }
    last = n - 1;
    return n;
}
