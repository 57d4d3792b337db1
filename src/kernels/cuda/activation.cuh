// Activation functions, in the order of `Activation` in activation.rs; -1 is none.

__device__ __forceinline__ REAL phi(REAL x) {
    return error_function(x * REAL(0.70710678118654752440)) * REAL(0.5) + REAL(0.5);
}

__device__ __forceinline__ REAL tanh_of_softplus(REAL x) {
    REAL power = exponential(x > REAL(0) ? -x : x), twice = power * REAL(2);
    REAL right = twice + REAL(1), left = power * power + twice;
    return x > REAL(0) ? right / (right + power * twice) : left / (left + REAL(2));
}

__device__ __forceinline__ REAL activated(int act, REAL x) {
    const REAL alpha = REAL(1.6732632423543772 * 1.0507009873554805), scale = REAL(1.0507009873554805);
    switch (act) {
        // Not the other way round: NaN stays NaN.
        case 0: return -x > REAL(0) ? REAL(0) : x;
        case 1: return hyperbolic_tangent(x);
        case 2: return sigmoid(x);
        case 3: return x * phi(x);
        case 4: return x > REAL(0) ? x : x * REAL(0.01);
        case 5: return x > REAL(0) ? x : exponential(x) - REAL(1);
        case 6: return x > REAL(0) ? x * scale : (exponential(x) - REAL(1)) * alpha;
        case 7: return x * sigmoid(x);
        case 8: return x * tanh_of_softplus(x);
        default: return x;
    }
}

// The slope where the argument is x and the value y; only gelu, silu and mish look at x.
__device__ __forceinline__ REAL slope(int act, REAL x, REAL y) {
    const REAL one = REAL(1);
    const REAL alpha = REAL(1.6732632423543772 * 1.0507009873554805), scale = REAL(1.0507009873554805);
    switch (act) {
        case 0: return y > REAL(0) ? one : REAL(0);
        case 1: return one - y * y;
        case 2: return y * (one - y);
        case 3: return phi(x) + x * exponential(x * x * REAL(-0.5)) * REAL(0.3989422804014327);
        case 4: return y > REAL(0) ? one : REAL(0.01);
        case 5: return y > REAL(0) ? one : y + one;
        case 6: return y > REAL(0) ? scale : y + alpha;
        case 7: {
            REAL s = sigmoid(x);
            return s * (one + x * (one - s));
        }
        case 8: {
            REAL t = tanh_of_softplus(x);
            return t + x * sigmoid(x) * (one - t * t);
        }
        default: return one;
    }
}

// ys ← act(ys + bias) row by row. Where there is a place for it, the argument is kept.
KERNEL_OF(bias_and_activate, REAL *ys, REAL *arguments, const REAL *bias, u64 count, u64 width, int act) {
    EACH(i, count) {
        REAL z = ys[i] + bias[i % width];
        if (arguments) arguments[i] = z;
        ys[i] = activated(act, z);
    }
}

KERNEL_OF(activate, REAL *ys, const REAL *xs, u64 count, int act) {
    EACH(i, count) ys[i] = activated(act, xs[i]);
}

// out ← grad · slope
KERNEL_OF(multiply_slope, REAL *out, const REAL *xs, const REAL *ys, const REAL *grad, u64 count, int act) {
    EACH(i, count) out[i] = grad[i] * slope(act, xs[i], ys[i]);
}
