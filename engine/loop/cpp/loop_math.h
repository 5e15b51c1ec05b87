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
#define FAST_LOOP_LIBMVEC
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

// Before a loop: its passes do not depend on each other.
#if defined(__clang__)
#define FAST_LOOP_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define FAST_LOOP_INDEPENDENT _Pragma("GCC ivdep")
#else
#define FAST_LOOP_INDEPENDENT
#endif

// exp and its relatives without branches and calls: x = k ln 2 + r with whole k and small r, where exp(r) - 1 is a
// polynomial (interpolated at Chebyshev nodes, relative error below 1e-16 of exp), and 2^k is added to the exponent
// of the result. Errors stay below 1.5 units in the last place; results below the smallest normal number become 0.
// The steps in which rounding matters are fused multiply-adds, which -ffast-math leaves in their order. Where there is
// libmvec, it is faster for processors with 16 registers.
#if (defined(__FMA__) || defined(__ARM_FEATURE_FMA)) && (defined(__AVX512F__) || !defined(FAST_LOOP_LIBMVEC))

// A number so large that only whole numbers can be added to it: k + WHOLE holds k in its last bits.
#define FAST_WHOLE 6755399441055744.0
#define FAST_WHOLE_FLOAT 12582912.0f

static inline double fast_times_two_to(double value, double k_and_whole)
{
    uint64_t bits, k;
    memcpy(&bits, &value, 8);
    memcpy(&k, &k_and_whole, 8);
    bits += k << 52;
    memcpy(&value, &bits, 8);
    return value;
}

// exp(x - k ln 2) - 1
static inline double fast_reduced_expm1(double x, double k)
{
    const double r = __builtin_fma(-k, 2.3190468138462996e-17, __builtin_fma(-k, 0.6931471805599453, x));
    // in pairs, so that few steps wait for each other
    const double r2 = r*r, r4 = r2*r2;
    const double a = (0.5000000000000001 + 0.16666666666666669*r) + r2*(0.04166666666662413 + 0.008333333333330062*r);
    const double b = (0.0013888888917213717 + 0.00019841269863053618*r)
                     + r2*(2.4801521295954376e-05 + 2.7557268459997064e-06*r);
    const double c = 2.7620088445409746e-07 + 2.510038549551032e-08*r;
    const double p = a + r4*(b + r4*c);
    return __builtin_fma(p, r2, r);
}

static inline double fast_exp(double x)
{
    const double whole = __builtin_fma(x, 1.4426950408889634, FAST_WHOLE);
    const double value = fast_times_two_to(1.0 + fast_reduced_expm1(x, whole - FAST_WHOLE), whole);
    return (x > 709.782712893384) ? std::numeric_limits<double>::infinity() : (x < -708.396418532264) ? 0.0 : value;
}

static inline double fast_expm1(double x)
{
    const double y = (x < -700.0) ? -700.0 : x;
    const double whole = __builtin_fma(y, 1.4426950408889634, FAST_WHOLE);
    const double half = fast_times_two_to(0.5, whole);
    const double value = 2.0*__builtin_fma(fast_reduced_expm1(y, whole - FAST_WHOLE), half, half - 0.5);
    return (x > 709.782712893384) ? std::numeric_limits<double>::infinity() : value;
}

static inline float fast_times_two_to(float value, float k_and_whole)
{
    uint32_t bits, k;
    memcpy(&bits, &value, 4);
    memcpy(&k, &k_and_whole, 4);
    bits += k << 23;
    memcpy(&value, &bits, 4);
    return value;
}

static inline float fast_reduced_expm1(float x, float k)
{
    const float r = __builtin_fmaf(-k, -1.904654299957768e-09f, __builtin_fmaf(-k, 0.6931472f, x));
    const float r2 = r*r;
    const float p = (0.5f + 0.16666667f*r) + r2*((0.041666467f + 0.00833331f*r) + r2*(0.001393365f + 0.00019890991f*r));
    return __builtin_fmaf(p, r2, r);
}

static inline float fast_exp(float x)
{
    const float whole = __builtin_fmaf(x, 1.442695f, FAST_WHOLE_FLOAT);
    const float value = fast_times_two_to(1.0f + fast_reduced_expm1(x, whole - FAST_WHOLE_FLOAT), whole);
    return (x > 88.72283f) ? std::numeric_limits<float>::infinity() : (x < -87.33654f) ? 0.0f : value;
}

static inline float fast_expm1(float x)
{
    const float y = (x < -80.0f) ? -80.0f : x;
    const float whole = __builtin_fmaf(y, 1.442695f, FAST_WHOLE_FLOAT);
    const float half = fast_times_two_to(0.5f, whole);
    const float value = 2.0f*__builtin_fmaf(fast_reduced_expm1(y, whole - FAST_WHOLE_FLOAT), half, half - 0.5f);
    return (x > 88.72283f) ? std::numeric_limits<float>::infinity() : value;
}

#else

static inline double fast_exp(double x) { return exp(x); }
static inline double fast_expm1(double x) { return expm1(x); }
static inline float fast_exp(float x) { return expf(x); }
static inline float fast_expm1(float x) { return expm1f(x); }

#endif

// (exp(x) - 1)/x, 1 at x = 0: the value is chosen after the division, so that no element takes a branch.
static inline double fast_exprel(double x)
{
    const double ratio = fast_expm1(x)/x;
    return (fabs(x) < 1e-16) ? 1.0 : (x > 717) ? std::numeric_limits<double>::infinity() : ratio;
}

static inline float fast_exprel(float x)
{
    const float ratio = fast_expm1(x)/x;
    return (fabsf(x) < 1e-16f) ? 1.0f : (x > 93) ? std::numeric_limits<float>::infinity() : ratio;
}

template <typename real> static inline real fast_tanh(real x)
{
    const real y = (x > 20) ? 20 : (x < -20) ? -20 : x;
    const real m = fast_expm1(2*y);
    return m/(m + 2);
}

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
