// What candle's kernels take from CUDA beyond host.h; put in front of each of them.
#include "host.h"

#include <algorithm>
#include <cassert>
#include <cfloat>
#include <climits>

#define __CUDA_ARCH__ 800
#define __CUDACC_VER_MAJOR__ 13
#define __CUDACC_VER_MINOR__ 0
#define __restrict__
#define __host__
#define REGISTERED(name) static const host::Registered<name> registered_##name(#name);
#define __align__(n) alignas(n)
#define CUDART_INF_F INFINITY
#define CUDART_INF INFINITY

#include "cuda_fp16.h"

using std::isinf;
using std::signbit;
using std::isnan;
using std::max;
using std::min;

struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline float normcdff(float a) { return 0.5f * erfcf(-a * 0.70710678f); }
inline double normcdf(double a) { return 0.5 * erfc(-a * 0.70710678118654752440); }
inline float rsqrtf(float a) { return 1 / sqrtf(a); }
inline double rsqrt(double a) { return 1 / sqrt(a); }
inline float __expf(float a) { return expf(a); }
inline float __fdividef(float a, float b) { return a / b; }
template <class T> T __ldg(const T *at) { return *at; }
template <class T> T atomicAdd(T *at, T by) {
    T was = *at;
    *at = was + by;
    return was;
}
template <class To, class From> To bits_of(From from) {
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}
inline unsigned __float_as_uint(float a) { return bits_of<unsigned>(a); }
inline int __float_as_int(float a) { return bits_of<int>(a); }
inline float __int_as_float(int a) { return bits_of<float>(a); }
inline float __uint_as_float(unsigned a) { return bits_of<float>(a); }
inline long long __double_as_longlong(double a) { return bits_of<long long>(a); }
inline double __longlong_as_double(long long a) { return bits_of<double>(a); }
inline unsigned short __half_as_ushort(__half a) { return bits_of<unsigned short>(a); }
inline __half __ushort_as_half(unsigned short a) { return bits_of<__half>(a); }
template <class T> T atomicCAS(T *at, T expected, T value) {
    T was = *at;
    if (was == expected) *at = value;
    return was;
}
template <class T, class V> T atomicMin(T *at, V value) {
    T was = *at;
    *at = std::min(was, T(value));
    return was;
}
template <class T, class V> T atomicMax(T *at, V value) {
    T was = *at;
    *at = std::max(was, T(value));
    return was;
}
