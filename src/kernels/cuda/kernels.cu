// The kernels for GPUs, each the counterpart of one in the folder above. Every file here is written once for a type REAL, and
// read twice. A C++ compiler takes it as well, with host.h in CUDA's place: that build is tested against the CPU's
// kernels on any machine.

#ifdef __CUDACC__
#define KERNEL(name, ...) extern "C" __global__ void name(__VA_ARGS__)
#else
#include "host.h"
#endif

// KERNEL puts a name together, so what stands for it is replaced first.
#define EXPANDED(name, ...) KERNEL(name, __VA_ARGS__)
#define KERNEL_OF(name, ...) EXPANDED(NAMED(name), __VA_ARGS__)

#include "common.cuh"
#include "sums.cuh"

#define REAL float
#define NAMED(name) name##_f32
#include "all.cuh"
#undef REAL
#undef NAMED

#define REAL double
#define NAMED(name) name##_f64
#include "all.cuh"
