// Which synapses act now: spikes on their way from a source of events to the synapses of a pathway.
#ifndef FAST_LOOP_PATHWAY_H
#define FAST_LOOP_PATHWAY_H

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <vector>
#include "brianlib/spikequeue.h"

// Synapses that act together: index[begin] to index[end - 1], or, where there is no index, begin to end - 1.
struct DueSynapses
{
    const int32_t* index;
    int32_t begin, end;
    bool repeats;  // whether a synapse may occur more than once
};

// Synapses of one source that share a delay form a group. A spike puts its groups, not its synapses, into
// the slot of the time when they are due. Within a slot, synapses act in the order of their spikes, and
// within a group in the order of their numbers.
class SynapticPathway
{
public:
    int Nsource, Ntarget;
    std::vector<int>& sources;
    std::vector<SynapticPathway*> queue;

    SynapticPathway(std::vector<int>& _sources, int _spikes_start, int _spikes_stop)
        : Nsource(0), Ntarget(0), sources(_sources), queue(1, this),
          start(_spikes_start), stop(_spikes_stop), dt(0.0), now(0), slots(1), common_delay(0) {}

    // At the start of a run: synapses, delays and the time step may have changed since the last one.
    template <typename scalar> void prepare(int n_source, int n_target, const scalar* delays, int n_delays,
                                            const int* synapse_sources, int n_synapses, double new_dt)
    {
        Nsource = n_source;
        Ntarget = n_target;
        keep_spikes_on_their_way();
        if (dt != 0.0 && dt != new_dt)
            change_dt(dt/new_dt);
        dt = new_dt;
        std::vector<int> steps(n_delays);
        for (int k = 0; k < n_delays; k++)
            steps[k] = (int)(delays[k]/dt + 0.5);
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

    void advance()
    {
        slots[now].groups.clear();
        slots[now].synapses.clear();
        now = now + 1 < slots.size() ? now + 1 : 0;
    }

    // Events of this step, by ascending number of their source.
    void push(const int32_t* events, int n_events)
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

    // The synapses that act in this step.
    const std::vector<DueSynapses>& due()
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

    // The same as a list, for code that wants one.
    std::vector<int32_t>* peek()
    {
        listed = list(slots[now]);
        return &listed;
    }

    // As Brian2 writes a queue: its position, its length, and the synapses due at each place.
    friend std::ostream& operator<<(std::ostream& out, const SynapticPathway& pathway)
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

private:
    struct Slot
    {
        std::vector<int32_t> synapses;  // of spikes sent in earlier runs, when the groups were others
        std::vector<int32_t> groups;
    };

    const int32_t start, stop;  // the sources whose events count
    double dt;
    size_t now;  // the slot of this step; the next ones follow, around the end
    std::vector<Slot> slots;
    int common_delay;  // in steps, -1: the delays differ
    std::vector<int32_t> order;  // synapses by group; empty if that is the order of their numbers
    std::vector<int32_t> group_begin;  // where each group begins in `order`
    std::vector<int32_t> group_delay;  // in steps
    std::vector<int32_t> first_group;  // of each source, where delays differ; otherwise each source is a group
    std::vector<DueSynapses> due_now;
    std::vector<int32_t> listed;

    size_t after(int delay) const
    {
        const size_t slot = now + delay;
        return slot < slots.size() ? slot : slot - slots.size();
    }

    std::vector<int32_t> list(const Slot& slot) const
    {
        std::vector<int32_t> synapses(slot.synapses);
        for (size_t k = 0; k < slot.groups.size(); k++)
            for (int32_t i = group_begin[slot.groups[k]]; i < group_begin[slot.groups[k] + 1]; i++)
                synapses.push_back(order.empty() ? i : order[i]);
        return synapses;
    }

    void keep_spikes_on_their_way()
    {
        for (size_t k = 0; k < slots.size(); k++)
            if (!slots[k].groups.empty())
            {
                slots[k].synapses = list(slots[k]);
                slots[k].groups.clear();
            }
    }

    void change_dt(double factor)
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

    void count_by_source(const int* synapse_sources, int n_synapses)
    {
        group_begin.assign(stop - start + 1, 0);
        for (int k = 0; k < n_synapses; k++)
            group_begin[synapse_sources[k] - start + 1]++;
        for (size_t g = 1; g < group_begin.size(); g++)
            group_begin[g] += group_begin[g - 1];
    }

    void sort_by_source(const int* synapse_sources, int n_synapses)
    {
        std::vector<int32_t> next(group_begin.begin(), group_begin.end() - 1);
        order.resize(n_synapses);
        for (int k = 0; k < n_synapses; k++)
            order[next[synapse_sources[k] - start]++] = k;
    }

    void sort_by_delay(const std::vector<int>& steps)
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
};

// The synapses that act in this step, in their order, in blocks in which each occurs once.
class DueBlocks
{
public:
    enum { SIZE = 256 };

    // `listed`: treat successive synapses like scattered ones.
    explicit DueBlocks(SynapticPathway& pathway, bool listed = false)
        : due(pathway.due()), current(0), place(due.empty() ? 0 : due[0].begin),
          shortest(listed ? SIZE + 1 : SIZE/4), first(-1) {}

    // The number of synapses in the next block (0: there are no more).
    int next()
    {
        first = -1;
        int n = 0;
        while (current < due.size() && n < SIZE)
        {
            const DueSynapses& from = due[current];
            const int left = from.end - place;
            if (!from.index && std::min(left, (int)SIZE) >= shortest)
            {
                if (n == 0)
                {
                    first = place;
                    n = std::min(left, (int)SIZE);
                    place += n;
                }
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
        return n;
    }

    // The number of the synapse at place k of the block.
    size_t operator[](int k) const
    {
        if (first >= 0)
            return first + k;
#if defined(__GNUC__)
        asm volatile("");  // keeps the compiler from gathering in vectors, which takes longer than single reads
#endif
        return synapses[k];
    }

private:
    const std::vector<DueSynapses>& due;
    size_t current;
    int32_t place;  // in due[current]
    const int shortest;  // number of successive synapses that make a block of their own
    int32_t first;  // of a block of successive synapses, or -1
    int32_t synapses[SIZE];
};

#endif
