// Optimizers' updates. The formulas are in rules.cuh: `c` has a formula's constants, s its slots. Its first four constants say
// what happens to gradient and weight before: clamp, scale, coupled, keep.

struct NAMED(Slots) {
    REAL *at[3];
};

// Updates p and its slots in place. Where there is a skip_flag, skip_flag[0] multiplies the gradient, and
// with skip_flag[1] = 0 nothing is done. Where `now` is not null it has the constants: a captured graph reads new ones at each replay.
#define RULE(name, slot_count, ...)                                                                                  \
    __device__ __forceinline__ void NAMED(name##_formula)(REAL & p, REAL g, REAL * s, const double *c) {             \
        __VA_ARGS__                                                                                                  \
    }                                                                                                                \
    KERNEL_OF(name, REAL *param, const REAL *grad, NAMED(Slots) slots, u64 count, Constants constants,               \
              const double *now, const double *skip_flag) {                                                          \
        if (skip_flag && skip_flag[1] == 0.0) return;                                                                \
        const double *c = now ? now : constants.at;                                                                  \
        REAL factor = skip_flag ? REAL(skip_flag[0]) : REAL(1);                                                      \
        EACH(i, count) {                                                                                             \
            REAL p = param[i], g = grad[i];                                                                          \
            REAL bound = REAL(c[0]);                                                                                 \
            if (c[0] < INFINITY) g = -larger(-larger(g, -bound), -bound);                                            \
            g = g * factor * REAL(c[1]) + p * REAL(c[2]);                                                            \
            p = p * REAL(c[3]);                                                                                      \
            REAL s[3] = {};                                                                                          \
            for (unsigned k = 0; k != slot_count; k++) s[k] = slots.at[k][i];                                        \
            NAMED(name##_formula)(p, g, s, c + 4);                                                                   \
            param[i] = p;                                                                                            \
            for (unsigned k = 0; k != slot_count; k++) slots.at[k][i] = flushed(s[k]);                               \
        }                                                                                                            \
    }

#include "rules.cuh"

#undef RULE

// out ← before, where updates are not made.
KERNEL_OF(restore_skipped, REAL *out, const REAL *before, u64 count, const double *skip_flag) {
    EACH(i, count) if (skip_flag[1] == 0.0) out[i] = before[i];
}
