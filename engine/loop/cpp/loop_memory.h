// Memory for arrays: aligned to cache lines, which vectors of eight numbers fill, and, for large ones, in large
// pages, since spikes reach synapses scattered over more memory than the tables of small pages cover.
// Included by one source only: it replaces the program's operator new.
#include <cstdlib>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

#if !defined(_WIN32)
namespace fast_loop {

static void* memory(std::size_t bytes)
{
    const std::size_t line = 64, page = (std::size_t)1 << 21;
    void* found = NULL;
    if (bytes < 4*line)
        found = std::malloc(bytes ? bytes : 1);
    else if (bytes < page)
    {
        if (posix_memalign(&found, line, bytes) != 0)
            found = NULL;
    }
    else
    {
        const std::size_t pages = (bytes + page - 1)/page*page;
        const std::size_t size = (pages - bytes < bytes/3) ? pages : bytes;
        if (posix_memalign(&found, page, size) != 0)
            found = NULL;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        else
            madvise(found, size, MADV_HUGEPAGE);  // only advice: a refusal changes nothing
#endif
    }
    if (!found)
        throw std::bad_alloc();
    return found;
}

}

void* operator new(std::size_t bytes) { return fast_loop::memory(bytes); }
void* operator new[](std::size_t bytes) { return fast_loop::memory(bytes); }
void operator delete(void* place) throw() { std::free(place); }
void operator delete[](void* place) throw() { std::free(place); }
void operator delete(void* place, std::size_t) throw() { std::free(place); }
void operator delete[](void* place, std::size_t) throw() { std::free(place); }
#endif
