// Variables of the same synapses next to each other in memory, for spikes that reach synapses in scattered places.
#ifndef FAST_LOOP_TOGETHER_H
#define FAST_LOOP_TOGETHER_H

#include <cstddef>
#include <initializer_list>
#include <vector>

namespace fast_loop {

// Outside of runs, and in runs too short or with too little memory to be worth it, each variable stays in its own
// array. In between, value k of synapse s stands at at(k)[s*stride()], which is records()[s].value[k].
template <class T, int M> class Together
{
public:
    // Three take the place of four, and five to seven that of eight: none lies across two cache lines.
    enum { WIDTH = M == 3 ? 4 : M > 4 && M < 8 ? 8 : M };
    struct Record
    {
        T value[WIDTH];
    };
private:
    std::vector<std::vector<T>*> arrays;
    std::vector<T> values;
    T* first;  // on a boundary of cache lines
public:
    explicit Together(std::initializer_list<std::vector<T>*> variables) : arrays(variables), first(NULL) {}

    size_t stride() const { return values.empty() ? 1 : WIDTH; }
    Record* records() { return values.empty() ? NULL : reinterpret_cast<Record*>(first); }
    T* at(size_t k) { return values.empty() ? arrays[k]->data() : first + k; }

    void begin(double steps)
    {
        const size_t n = arrays[0]->size(), m = arrays.size(), cache = (size_t)1 << 18;
        if (steps < 3000 || n*m*sizeof(T) < cache)
            return;
        values.resize(n*WIDTH + 64/sizeof(T));
        first = values.data() + (64 - (size_t)values.data() % 64) % 64/sizeof(T);
        for (size_t k = 0; k < m; k++)
        {
            const T* from = arrays[k]->data();
            for (size_t s = 0; s < n; s++)
                first[s*WIDTH + k] = from[s];
            std::vector<T>().swap(*arrays[k]);
        }
    }

    void end()
    {
        if (values.empty())
            return;
        const size_t m = arrays.size(), n = (values.size() - 64/sizeof(T))/WIDTH;
        for (size_t k = 0; k < m; k++)
        {
            arrays[k]->resize(n);
            T* to = arrays[k]->data();
            for (size_t s = 0; s < n; s++)
                to[s] = first[s*WIDTH + k];
        }
        std::vector<T>().swap(values);
    }
};

}

#endif
