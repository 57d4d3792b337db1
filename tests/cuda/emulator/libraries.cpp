// libcublas.so.13 and libcurand.so.10, emulated: what candle calls of them.

#include <cstring>
#include <random>
#include <vector>

#include "device/cuda_fp16.h"
#include "emulator.h"

#define API extern "C" __attribute__((visibility("default"))) int

using namespace emulator;

namespace {

// C ← α op(A) op(B) + β C for a batch of column-major matrices, with sums in S.
template <class T, class S>
int gemm(bool ta, bool tb, int m, int n, int k, S alpha, const T *a, int lda, long long sa, const T *b, int ldb,
         long long sb, S beta, T *c, int ldc, long long sc, int batch) {
    count("products");
    auto reach = [](int rows, int cols, int ld, long long stride, int batch) {
        return size_t(ld) * (cols - 1) + rows + size_t(stride) * (batch - 1);
    };
    if (m > 0 && n > 0 && k > 0) {
        bool fits = is_device(uint64_t(a), reach(ta ? k : m, ta ? m : k, lda, sa, batch) * sizeof(T), "product's A") &&
                    is_device(uint64_t(b), reach(tb ? n : k, tb ? k : n, ldb, sb, batch) * sizeof(T), "product's B") &&
                    is_device(uint64_t(c), reach(m, n, ldc, sc, batch) * sizeof(T), "product's C");
        if (!fits || lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m) return 7;
    }
    return submit([=] {
        std::vector<S> left(size_t(m) * k), column(m);
        for (int at = 0; at < batch; at++) {
            const T *x = a + at * sa, *y = b + at * sb;
            T *z = c + at * sc;
            for (int l = 0; l < k; l++)
                for (int i = 0; i < m; i++) left[size_t(l) * m + i] = S(ta ? x[size_t(i) * lda + l] : x[size_t(l) * lda + i]);
            for (int j = 0; j < n; j++) {
                std::fill(column.begin(), column.end(), S(0));
                for (int l = 0; l < k; l++) {
                    S factor = S(tb ? y[size_t(l) * ldb + j] : y[size_t(j) * ldb + l]);
                    const S *own = &left[size_t(l) * m];
                    for (int i = 0; i < m; i++) column[i] += own[i] * factor;
                }
                for (int i = 0; i < m; i++) {
                    S there = beta == S(0) ? S(0) : beta * S(z[size_t(j) * ldc + i]);
                    z[size_t(j) * ldc + i] = T(alpha * column[i] + there);
                }
            }
        }
        return 0;
    });
}

}  // namespace

API cublasCreate_v2(void **handle) { return *handle = malloc(1), 0; }
API cublasDestroy_v2(void *handle) { return free(handle), 0; }
API cublasSetStream_v2(void *, void *) { return 0; }
API cublasSetWorkspace_v2(void *, void *, size_t) { return 0; }
API cublasSetMathMode(void *, int) { return 0; }
API cublasSetPointerMode_v2(void *, int) { return 0; }

API cublasDgemmStridedBatched(void *, int ta, int tb, int m, int n, int k, const double *alpha, const double *a, int lda,
                              long long sa, const double *b, int ldb, long long sb, const double *beta, double *c,
                              int ldc, long long sc, int batch) {
    return gemm<double, double>(ta, tb, m, n, k, *alpha, a, lda, sa, b, ldb, sb, *beta, c, ldc, sc, batch);
}

// CUDA_R_32F, CUDA_R_16F and CUDA_R_16BF, with sums of 32 bits.
API cublasGemmStridedBatchedEx(void *, int ta, int tb, int m, int n, int k, const void *alpha, const void *a, int kind,
                               int lda, long long sa, const void *b, int, int ldb, long long sb, const void *beta,
                               void *c, int, int ldc, long long sc, int batch, int compute, int) {
    float by = *(const float *)alpha, keep = *(const float *)beta;
    if (compute == 77) count("products in tf32");
    switch (kind) {
        case 0:
            return gemm<float, float>(ta, tb, m, n, k, by, (const float *)a, lda, sa, (const float *)b, ldb, sb, keep,
                                      (float *)c, ldc, sc, batch);
        case 14:
            count("products in bf16");
            return gemm<__nv_bfloat16, float>(ta, tb, m, n, k, by, (const __nv_bfloat16 *)a, lda, sa,
                                              (const __nv_bfloat16 *)b, ldb, sb, keep, (__nv_bfloat16 *)c, ldc, sc, batch);
        default: return 15;
    }
}

API curandCreateGenerator(void **generator, int) { return *generator = new std::mt19937_64(1), 0; }
API curandDestroyGenerator(void *generator) { return delete (std::mt19937_64 *)generator, 0; }
API curandSetStream(void *, void *) { return 0; }
API curandSetPseudoRandomGeneratorSeed(void *generator, unsigned long long seed) {
    return ((std::mt19937_64 *)generator)->seed(seed), 0;
}
API curandSetGeneratorOffset(void *, unsigned long long) { return 0; }
