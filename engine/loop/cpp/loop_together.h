// Variables of the same synapses next to each other in memory, for spikes that reach synapses in scattered places.
#ifndef FAST_LOOP_TOGETHER_H
#define FAST_LOOP_TOGETHER_H

#include <cstddef>
#include <initializer_list>
#include <vector>

namespace fast_loop {

// Outside of runs, and in runs too short or with too little memory to be worth it, each variable stays in its own
// array. In between, value k of synapse s stands at at(k)[s*stride()].
template <class T> class Together
{
    std::vector<std::vector<T>*> arrays;
    std::vector<T> values;
public:
    explicit Together(std::initializer_list<std::vector<T>*> variables) : arrays(variables) {}

    size_t stride() const { return values.empty() ? 1 : arrays.size(); }
    T* at(size_t k) { return values.empty() ? arrays[k]->data() : values.data() + k; }

    void begin(double steps)
    {
        const size_t n = arrays[0]->size(), m = arrays.size(), cache = (size_t)1 << 18;
        if (steps < 3000 || n*m*sizeof(T) < cache)
            return;
        values.resize(n*m);
        for (size_t k = 0; k < m; k++)
        {
            const T* from = arrays[k]->data();
            T* to = values.data() + k;
            for (size_t s = 0; s < n; s++)
                to[s*m] = from[s];
            std::vector<T>().swap(*arrays[k]);
        }
    }

    void end()
    {
        const size_t m = arrays.size(), n = values.size()/m;
        for (size_t k = 0; k < m && n > 0; k++)
        {
            arrays[k]->resize(n);
            const T* from = values.data() + k;
            T* to = arrays[k]->data();
            for (size_t s = 0; s < n; s++)
                to[s] = from[s*m];
        }
        std::vector<T>().swap(values);
    }
};

}

#endif
