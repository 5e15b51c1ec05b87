// Functions of the equations in a form that the compiler can apply to many elements at once.
#ifndef FAST_LOOP_MATH_H
#define FAST_LOOP_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <cmath>
#include <limits>

// glibc has vector versions of these functions (libmvec), but declares them only under -ffast-math with
// finite maths, which would break the detection of NaN. Declared here, they serve the loops all the same.
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define FAST_LOOP_VECTOR(name) \
    extern "C" double name(double) throw() __attribute__((simd("notinbranch"))); \
    extern "C" float name##f(float) throw() __attribute__((simd("notinbranch")));
#if __GLIBC_PREREQ(2, 22)
FAST_LOOP_VECTOR(exp)
FAST_LOOP_VECTOR(log)
FAST_LOOP_VECTOR(sin)
FAST_LOOP_VECTOR(cos)
extern "C" double pow(double, double) throw() __attribute__((simd("notinbranch")));
extern "C" float powf(float, float) throw() __attribute__((simd("notinbranch")));
#endif
#if __GLIBC_PREREQ(2, 35)
FAST_LOOP_VECTOR(expm1)
FAST_LOOP_VECTOR(log1p)
FAST_LOOP_VECTOR(log10)
FAST_LOOP_VECTOR(tan)
FAST_LOOP_VECTOR(tanh)
FAST_LOOP_VECTOR(sinh)
FAST_LOOP_VECTOR(cosh)
FAST_LOOP_VECTOR(asin)
FAST_LOOP_VECTOR(acos)
FAST_LOOP_VECTOR(atan)
#endif
#undef FAST_LOOP_VECTOR
#endif

// The number of whole time steps in t, as a floating-point number: exact up to 2^53, and comparisons between
// two of them give what comparing 64-bit integers gives.
static inline double fast_timestep(double t, double dt)
{
    return trunc((t + 1e-3*dt)/dt);
}

// Whether one of eight flags of a byte each is set.
static inline bool fast_any_of_eight(const char* flags)
{
    uint64_t together;
    memcpy(&together, flags, 8);
    return together != 0;
}

#endif
