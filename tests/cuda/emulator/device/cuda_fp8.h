// 8-bit numbers: candle's kernels name them, and the emulated GPU is too old to run them.
#pragma once
#include "cuda_fp16.h"

struct __nv_fp8_e4m3 {
    unsigned char __x;
    __nv_fp8_e4m3() = default;
    __nv_fp8_e4m3(float) : __x(0) {}
    operator float() const { return 0; }
};
enum { __NV_E4M3 };
inline __half __nv_cvt_fp8_to_halfraw(unsigned char, int) { return 0.0f; }
