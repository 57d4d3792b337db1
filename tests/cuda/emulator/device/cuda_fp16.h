// 16-bit numbers for candle's kernels on the host: every operation widens, and rounds to nearest even.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

struct __half {
    _Float16 x;
    __half() = default;
    template <class T, class = typename std::enable_if<std::is_arithmetic<T>::value>::type>
    __half(T v) : x((_Float16)(float)v) {}
    operator float() const { return (float)x; }
};

struct __nv_bfloat16 {
    uint16_t x;
    __nv_bfloat16() = default;
    __nv_bfloat16(float v) {
        uint32_t bits;
        std::memcpy(&bits, &v, 4);
        x = v != v ? 0x7FC0 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    }
    template <class T, class = typename std::enable_if<std::is_arithmetic<T>::value>::type>
    __nv_bfloat16(T v) : __nv_bfloat16((float)v) {}
    operator float() const {
        uint32_t bits = (uint32_t)x << 16;
        float v;
        std::memcpy(&v, &bits, 4);
        return v;
    }
};

typedef __nv_bfloat16 nv_bfloat16;

#define SMALL(T)                                                         \
    inline T operator+(T a, T b) { return T((float)a + (float)b); }     \
    inline T operator-(T a, T b) { return T((float)a - (float)b); }     \
    inline T operator*(T a, T b) { return T((float)a * (float)b); }     \
    inline T operator/(T a, T b) { return T((float)a / (float)b); }     \
    inline T operator-(T a) { return T(-(float)a); }                    \
    inline T &operator+=(T &a, T b) { return a = a + b; }               \
    inline T &operator*=(T &a, T b) { return a = a * b; }               \
    struct T##2 { T x, y; };                                            \
    inline T##2 operator+(T##2 a, T##2 b) { return {a.x + b.x, a.y + b.y}; } \
    inline T##2 operator-(T##2 a, T##2 b) { return {a.x - b.x, a.y - b.y}; } \
    inline T##2 operator*(T##2 a, T##2 b) { return {a.x * b.x, a.y * b.y}; } \
    inline T##2 operator/(T##2 a, T##2 b) { return {a.x / b.x, a.y / b.y}; } \
    inline T##2 __hadd2(T##2 a, T##2 b) { return a + b; }               \
    inline T##2 __hsub2(T##2 a, T##2 b) { return a - b; }               \
    inline T##2 __hmul2(T##2 a, T##2 b) { return a * b; }               \
    inline T##2 __h2div(T##2 a, T##2 b) { return a / b; }               \
    inline bool operator<(T a, T b) { return (float)a < (float)b; }     \
    inline bool operator>(T a, T b) { return (float)a > (float)b; }     \
    inline bool operator<=(T a, T b) { return (float)a <= (float)b; }   \
    inline bool operator>=(T a, T b) { return (float)a >= (float)b; }   \
    inline bool operator==(T a, T b) { return (float)a == (float)b; }   \
    inline bool operator!=(T a, T b) { return (float)a != (float)b; }   \
    inline bool __hisnan(T a) { return (float)a != (float)a; }          \
    inline T __hmax_nan(T a, T b) { return __hisnan(a) || a > b ? a : b; } \
    inline T __hmin_nan(T a, T b) { return __hisnan(a) || a < b ? a : b; } \
    inline T __habs(T a) { return T(std::fabs((float)a)); }             \
    inline T hrcp(T a) { return T(1 / (float)a); }                      \
    inline T hcos(T a) { return T(std::cos((float)a)); }                \
    inline T hsin(T a) { return T(std::sin((float)a)); }                \
    inline T hsqrt(T a) { return T(std::sqrt((float)a)); }              \
    inline T hceil(T a) { return T(std::ceil((float)a)); }              \
    inline T hfloor(T a) { return T(std::floor((float)a)); }            \
    inline T hlog(T a) { return T(std::log((float)a)); }                \
    inline T hexp(T a) { return T(std::exp((float)a)); }
SMALL(__half)
SMALL(__nv_bfloat16)

inline float __half2float(__half a) { return a; }
inline __half __float2half(float a) { return a; }
inline float __bfloat162float(__nv_bfloat16 a) { return a; }
inline __nv_bfloat16 __float2bfloat16(float a) { return a; }
inline __nv_bfloat16 __float2bfloat16_rn(float a) { return a; }
