// Optimizers' formulas for one element, each the twin of a `PerElement` in src/optim. `c` has the formula's numbers in
// the order in which its `PerElement::fused` gives them; s are the slots.

struct NAMED(Slots) {
    REAL *at[3];
};

#ifndef CONSTANTS
#define CONSTANTS 16
// What happens to gradient and weight first (clamp, scale, coupled, keep), and the formula's numbers.
struct Constants {
    double at[CONSTANTS];
};
#endif

// Updates p and its slots in place. Where there is a skip_flag, skip_flag[0] multiplies the gradient, and with skip_flag[1] = 0 nothing
// is done. Where `now` is not null it has the constants: a captured graph reads new ones at each replay.
#define RULE(name, ...)                                                                                              \
    __device__ __forceinline__ void NAMED(name##_formula)(REAL & p, REAL g, REAL * s, const double *c, unsigned slots) { \
        __VA_ARGS__                                                                                                  \
    }                                                                                                                \
    KERNEL_OF(update_##name, REAL *param, const REAL *grad, NAMED(Slots) slots, u64 count, unsigned slot_count,      \
              Constants constants, const double *now, const double *skip_flag) {                                          \
        if (skip_flag && skip_flag[1] == 0.0) return;                                                                          \
        const double *c = now ? now : constants.at;                                                                  \
        REAL factor = skip_flag ? REAL(skip_flag[0]) : REAL(1);                                                                \
        EACH(i, count) {                                                                                             \
            REAL p = param[i], g = grad[i];                                                                          \
            REAL bound = REAL(c[0]);                                                                                 \
            if (c[0] < INFINITY) g = -larger(-larger(g, -bound), -bound);                                            \
            g = g * factor * REAL(c[1]) + p * REAL(c[2]);                                                            \
            p = p * REAL(c[3]);                                                                                      \
            REAL s[3] = {};                                                                                          \
            for (unsigned k = 0; k < slot_count; k++) s[k] = slots.at[k][i];                                         \
            NAMED(name##_formula)(p, g, s, c + 4, slot_count);                                                       \
            param[i] = p;                                                                                            \
            for (unsigned k = 0; k < slot_count; k++) slots.at[k][i] = flushed(s[k]);                                \
        }                                                                                                            \
    }

// Running means of the gradient and its square: 1 - β₁, β₂, 1 - β₂.
#define MOMENTS                         \
    s[0] = s[0] + (g - s[0]) * REAL(c[0]); \
    s[1] = s[1] * REAL(c[1]) + g * g * REAL(c[2]);

RULE(take, p = g;)
RULE(descend, p = p - g * REAL(c[0]);)
// lr, momentum, 1 - dampening, nesterov, first step
RULE(sgd, REAL direction = g; if (slots > 0 && c[1] != 0.0) {
    s[0] = c[4] != 0.0 ? g : s[0] * REAL(c[1]) + g * REAL(c[2]);
    direction = c[3] != 0.0 ? g + s[0] * REAL(c[1]) : s[0];
} p = p - direction * REAL(c[0]);)
// 1/√(1 - β₂ᵗ), eps, step size
RULE(adam, MOMENTS REAL v = s[1]; if (slots > 2) v = s[2] = larger(s[2], v);
     p = p - s[0] / (root(v) * REAL(c[3]) + REAL(c[4])) * REAL(c[5]);)
// α, 1 - α, eps, momentum, centered, lr
RULE(rmsprop, s[0] = s[0] * REAL(c[0]) + g * g * REAL(c[1]); REAL v = s[0]; if (c[4] != 0.0) {
    s[1] = s[1] + (g - s[1]) * REAL(c[1]);
    v = v - s[1] * s[1];
} REAL direction = g / (root(v) + REAL(c[2]));
     if (c[3] > 0.0) direction = s[slots - 1] = s[slots - 1] * REAL(c[3]) + direction;
     p = p - direction * REAL(c[5]);)
// lr, eps
RULE(adagrad, s[0] = s[0] + g * g; p = p - g / (root(s[0]) + REAL(c[1])) * REAL(c[0]);)
// ρ, 1 - ρ, eps, lr
RULE(adadelta, s[0] = s[0] * REAL(c[0]) + g * g * REAL(c[1]);
     REAL delta = root(s[1] + REAL(c[2])) / root(s[0] + REAL(c[2])) * g;
     s[1] = s[1] * REAL(c[0]) + delta * delta * REAL(c[1]); p = p - delta * REAL(c[3]);)
// 1 - β₁, β₂, eps, step size
RULE(adamax, s[0] = s[0] + (g - s[0]) * REAL(c[0]);
     s[1] = larger(s[1] * REAL(c[1]), magnitude(g) + REAL(c[2])); p = p - s[0] / s[1] * REAL(c[3]);)
// 1/(1 - β₂ᵗ), eps, the gradient's share, the momentum's
RULE(nadam, MOMENTS p = p - (g * REAL(c[5]) + s[0] * REAL(c[6])) / (root(s[1] * REAL(c[3])) + REAL(c[4]));)
// eps, step size, the rectification or 0 for none
RULE(radam, MOMENTS REAL step = s[0] * REAL(c[4]);
     if (c[5] != 0.0) step = step * REAL(c[5]) / (root(s[1]) + REAL(c[3])); p = p - step;)
// 1 - λη, η, μ
RULE(asgd, p = p * REAL(c[0]) - g * REAL(c[1]); s[0] = c[2] != 1.0 ? s[0] + (p - s[0]) * REAL(c[2]) : p;)
// η⁻, η⁺, the smallest and the largest step
RULE(rprop, REAL turn = g * s[0]; REAL size = s[1] * (turn > 0 ? REAL(c[1]) : -turn > 0 ? REAL(c[0]) : REAL(1));
     size = -larger(-larger(size, REAL(c[2])), -REAL(c[3])); if (-turn > 0) g = 0;
     p = p - (g > 0 ? size : -g > 0 ? -size : REAL(0)); s[0] = g; s[1] = size;)
// β₁, 1 - β₁, β₂, 1 - β₂, lr
RULE(lion, REAL mixed = s[0] * REAL(c[0]) + g * REAL(c[1]); s[0] = s[0] * REAL(c[2]) + g * REAL(c[3]);
     p = p - (mixed > 0 ? REAL(c[4]) : -mixed > 0 ? -REAL(c[4]) : REAL(0));)
// 1/(1 - β₁ᵗ), 1/(1 - β₂ᵗ), eps, λ: the direction in the weight's place
RULE(lamb, MOMENTS p = s[0] * REAL(c[3]) / (root(s[1] * REAL(c[4])) + REAL(c[5])) + p * REAL(c[6]);)

#undef RULE
#undef MOMENTS

// out ← before, where updates are not made.
KERNEL_OF(restore_skipped, REAL *out, const REAL *before, u64 count, const double *skip_flag) {
    EACH(i, count) if (skip_flag[1] == 0.0) out[i] = before[i];
}
