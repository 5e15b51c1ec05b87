// Which synapses act now: spikes on their way from a source of events to the synapses of a pathway.
#ifndef FAST_LOOP_PATHWAY_H
#define FAST_LOOP_PATHWAY_H

#include <assert.h>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <map>
#include <vector>

using namespace std;  // Brian2's generated sources rely on it

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

    SynapticPathway(std::vector<int>& sources, int spikes_start, int spikes_stop);
    ~SynapticPathway();

    // At the start of a run: synapses, delays and the time step may have changed since the last one.
    void prepare(int n_source, int n_target, const double* delays, int n_delays,
                 const int* synapse_sources, int n_synapses, double new_dt);
    void prepare(int n_source, int n_target, const float* delays, int n_delays,
                 const int* synapse_sources, int n_synapses, double new_dt);

    void advance();

    // Events of this step, by ascending number of their source.
    void push(const int32_t* events, int n_events);

    // The synapses that act in this step.
    const std::vector<DueSynapses>& due();

    // The cells at the other ends of the synapses, in the order of `DueSynapses::index`; NULL if that is the order
    // of their numbers. `ends` are those cells in the order of their numbers.
    const int32_t* other_ends(const int32_t* ends);

    // The same as a list, for code that wants one.
    std::vector<int32_t>* peek();

    // As Brian2 writes a queue: its position, its length, and the synapses due at each place.
    friend std::ostream& operator<<(std::ostream& out, const SynapticPathway& pathway);

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
    std::vector<int32_t> others;  // the cells at their other ends, once they were asked for
    std::vector<int32_t> group_begin;  // where each group begins in `order`
    std::vector<int32_t> group_delay;  // in steps
    std::vector<int32_t> first_group;  // of each source, where delays differ; otherwise each source is a group
    std::vector<DueSynapses> due_now;
    std::vector<int32_t> listed;

    template <typename scalar> std::vector<int> steps_of(const scalar* delays, int n_delays) const;
    void begin_run(int n_source, int n_target, double new_dt);
    void arrange(const std::vector<int>& steps, const int* synapse_sources, int n_synapses);
    size_t after(int delay) const;
    std::vector<int32_t> list(const Slot& slot) const;
    void keep_spikes_on_their_way();
    void change_dt(double factor);
    void count_by_source(const int* synapse_sources, int n_synapses);
    void sort_by_source(const int* synapse_sources, int n_synapses);
    void sort_by_delay(const std::vector<int>& steps);
};

// The synapses that act in this step, in their order, in blocks in which each occurs once.
class DueBlocks
{
public:
    enum { SIZE = 256 };

    explicit DueBlocks(SynapticPathway& pathway)
        : due(pathway.due()), current(0), place(due.empty() ? 0 : due[0].begin), first(-1), list(synapses), last(0) {}

    // The number of synapses in the next block (0: there are no more).
    int next();

    // Whether the block consists of successive synapses.
    bool in_a_row() const { return first >= 0; }

    // The number of the synapse at place k of the block.
    size_t operator[](int k) const
    {
        if (first >= 0)
            return first + k;
#if defined(__GNUC__)
        asm volatile("");  // keeps the compiler from gathering in vectors, which takes longer than single reads
#endif
        return list[k];
    }

    // A synapse some places further on, for fetching its memory before it is needed.
    size_t ahead(int k) const { return first >= 0 ? first + k : list[std::min(k + (int)AHEAD, last)]; }

private:
    enum { AHEAD = 24 };
    const std::vector<DueSynapses>& due;
    size_t current;
    int32_t place;  // in due[current]
    int32_t first;  // of a block of successive synapses, or -1
    const int32_t* list;  // of the other blocks: part of an index, or `synapses`
    int last;  // place in that list after which nothing is known
    int32_t synapses[SIZE];
};

#endif
