// What several kernels share.
#pragma once

typedef unsigned long long u64;
typedef long long i64;

#define CONSTANTS 16
// The numbers of an update's kernel.
struct Constants {
    double at[CONSTANTS];
};

// Goes over 0 … count - 1 with all threads of the grid.
#define EACH(i, count) \
    for (u64 i = blockIdx.x * (u64)blockDim.x + threadIdx.x; i < (count); i += (u64)gridDim.x * blockDim.x)

__device__ __forceinline__ float magnitude(float x) { return fabsf(x); }
__device__ __forceinline__ double magnitude(double x) { return fabs(x); }
__device__ __forceinline__ float root(float x) { return sqrtf(x); }
__device__ __forceinline__ double root(double x) { return sqrt(x); }
__device__ __forceinline__ float exponential(float x) { return expf(x); }
__device__ __forceinline__ double exponential(double x) { return exp(x); }
__device__ __forceinline__ float logarithm(float x) { return logf(x); }
__device__ __forceinline__ double logarithm(double x) { return log(x); }
__device__ __forceinline__ float log_of_one_plus(float x) { return log1pf(x); }
__device__ __forceinline__ double log_of_one_plus(double x) { return log1p(x); }
__device__ __forceinline__ float hyperbolic_tangent(float x) { return tanhf(x); }
__device__ __forceinline__ double hyperbolic_tangent(double x) { return tanh(x); }
__device__ __forceinline__ float error_function(float x) { return erff(x); }
__device__ __forceinline__ double error_function(double x) { return erf(x); }

// NaN where the first is: as the CPU's kernels have it.
__device__ __forceinline__ float larger(float x, float y) { return x > y ? x : y; }
__device__ __forceinline__ double larger(double x, double y) { return x > y ? x : y; }

template <class T> __device__ __forceinline__ T sigmoid(T x) { return T(1) / (T(1) + exponential(-x)); }

// What is smaller than the smallest normal number becomes 0: arithmetic on the rest is slow on CPUs, and both devices
// are to keep the same state.
__device__ __forceinline__ float flushed(float x) { return fabsf(x) < 1.17549435e-38f ? 0.0f : x; }
__device__ __forceinline__ double flushed(double x) { return fabs(x) < 2.2250738585072014e-308 ? 0.0 : x; }

// How a result joins what is in its place.
template <class T> __device__ __forceinline__ T joined(T there, double result, double keep, double scale) {
    return T((keep == 0.0 ? 0.0 : keep * (double)there) + scale * result);
}

template <class T> __device__ __forceinline__ T warp_sum(T x) {
    for (unsigned mask = 16; mask > 0; mask /= 2) x += __shfl_xor_sync(0xffffffffu, x, mask);
    return x;
}

template <class T> __device__ __forceinline__ T warp_max(T x) {
    for (unsigned mask = 16; mask > 0; mask /= 2) x = larger(__shfl_xor_sync(0xffffffffu, x, mask), x);
    return x;
}

// The sum over a block of 256 threads, which thread 0 has: in a fixed order, so that the bits are the same each time.
__device__ __forceinline__ double block_sum(double x) {
    __shared__ double parts[8];
    x = warp_sum(x);
    if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = x;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (unsigned warp = 1; warp < blockDim.x / 32; warp++) x += parts[warp];
    }
    __syncthreads();
    return x;
}

// Rows of threads in a block of 32 columns.
#define COLUMN_THREADS 8

// The sum over the threads of a column, which the first row of threads has, in a fixed order.
__device__ __forceinline__ double column_sum(double x) {
    __shared__ double parts[COLUMN_THREADS][33];
    parts[threadIdx.y][threadIdx.x] = x;
    __syncthreads();
    if (threadIdx.y == 0) {
        for (unsigned row = 1; row < COLUMN_THREADS; row++) x += parts[row][threadIdx.x];
    }
    __syncthreads();
    return x;
}

// The column and the rows of a thread in a block of 32 columns. Many rows are cut into slices, a block each, whose sums are
// added afterwards: a few blocks would leave most of a GPU idle.
struct Slice {
    u64 column, first, end, number;
};

__device__ __forceinline__ Slice own_slice(u64 count, u64 width, u64 slices) {
    u64 blocks = (width + 31) / 32, number = blockIdx.x / blocks, rows = (count + slices - 1) / slices;
    u64 end = (number + 1) * rows;
    return {blockIdx.x % blocks * 32 + threadIdx.x, number * rows + threadIdx.y, end < count ? end : count, number};
}

// The steps of a recurrent layer in their order, and the rows of the batch for which a block does all of them.
struct Steps {
    u64 count, n, hidden, first, end;
    int reverse;
    // The elements of (n, hidden) that are this block's.
    __device__ u64 from() const { return first * hidden + threadIdx.x; }
    __device__ u64 to() const { return end * hidden; }
    // The number of the i-th step.
    __device__ u64 at(u64 i) const { return reverse ? count - 1 - i : i; }
};

__device__ __forceinline__ Steps own_steps(u64 count, u64 n, u64 hidden, u64 rows, int reverse) {
    u64 first = blockIdx.x * rows, end = first + rows;
    return {count, n, hidden, first, end < n ? end : n, reverse};
}

// Philox4x32-10, as src/rng.rs has it.
struct Words {
    unsigned at[4];
};

__device__ __forceinline__ Words philox(Words counter, unsigned key0, unsigned key1) {
    for (int round = 0; round < 10; round++) {
        unsigned low0 = 0xD2511F53u * counter.at[0], high0 = __umulhi(0xD2511F53u, counter.at[0]);
        unsigned low2 = 0xCD9E8D57u * counter.at[2], high2 = __umulhi(0xCD9E8D57u, counter.at[2]);
        counter = {{high2 ^ counter.at[1] ^ key0, low2, high0 ^ counter.at[3] ^ key1, low0}};
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return counter;
}

// A stream's key, of seed, purpose and index.
struct Key {
    unsigned first, second;
};

__device__ __forceinline__ Key stream_key(u64 seed, unsigned purpose, u64 index) {
    Words words = philox({{(unsigned)index, (unsigned)(index >> 32), purpose, 0}}, (unsigned)seed, (unsigned)(seed >> 32));
    return {words.at[0], words.at[1]};
}

// The word of a stream at a position.
__device__ __forceinline__ unsigned stream_word(Key key, u64 position) {
    u64 block = position / 4;
    return philox({{(unsigned)block, (unsigned)(block >> 32), 0, 0}}, key.first, key.second).at[position % 4];
}
