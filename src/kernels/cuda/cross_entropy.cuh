// Softmax and cross-entropy of logits (count, classes), a warp a row. See cross_entropy.rs.

// The largest of a row's numbers, which every lane of its warp has.
__device__ __forceinline__ REAL row_max(const REAL *x, u64 classes, unsigned lane) {
    REAL largest = -REAL(INFINITY);
    for (u64 c = lane; c < classes; c += 32) largest = larger(x[c], largest);
    return warp_max(largest);
}

// losses: each row's. grad: of their sum over *divisor. Without weights each class has 1.
KERNEL_OF(cross_entropy, REAL *grad, double *losses, const REAL *logits, const i64 *targets, const double *weights,
          u64 count, u64 classes, double weight_sum, double smoothing, i64 ignored, double divisor) {
    u64 row = blockIdx.x * (u64)(blockDim.x / 32) + threadIdx.x / 32;
    unsigned lane = threadIdx.x % 32;
    if (row >= count) return;
    const REAL *x = logits + row * classes;
    REAL *g = grad + row * classes;
    i64 y = targets[row];
    if (y == ignored || y < 0) {
        for (u64 c = lane; c < classes; c += 32) g[c] = REAL(0);
        if (lane == 0) losses[row] = 0.0;
        return;
    }
    REAL largest = row_max(x, classes, lane);
    REAL sum = REAL(0);
    for (u64 c = lane; c < classes; c += 32) {
        g[c] = exponential(x[c] - largest);
        sum += g[c];
    }
    double exp_sum = (double)warp_sum(sum);
    double log_sum = (double)largest + log(exp_sum);
    double spread = smoothing / (double)classes;
    double hit = (1.0 - smoothing) * (weights ? weights[y] : 1.0);
    double smoothed = 0.0;
    if (spread > 0.0) {
        for (u64 c = lane; c < classes; c += 32) smoothed += (weights ? weights[c] : 1.0) * (log_sum - (double)x[c]);
        smoothed = warp_sum(smoothed);
    }
    if (lane == 0) losses[row] = hit * (log_sum - (double)x[y]) + spread * smoothed;
    // d/dx_c = p_c · (hit + spread Σw) - hit [c = y] - spread w_c, over the divisor
    REAL scale = REAL((hit + spread * weight_sum) / (divisor * exp_sum));
    for (u64 c = lane; c < classes; c += 32) {
        REAL slope = g[c] * scale - REAL(spread * (weights ? weights[c] : 1.0) / divisor);
        g[c] = c == (u64)y ? slope - REAL(hit / divisor) : slope;
    }
}

// The loss of rows by the log-probability of their class, -w (1 - p)^γ log p, which is the negative log-likelihood with
// γ = 0. Logits, or log-probabilities where `normalized`.
KERNEL_OF(likelihood, REAL *grad, double *losses, const REAL *logits, const i64 *targets, const double *weights,
          u64 count, u64 classes, double gamma, unsigned normalized, i64 ignored, double divisor) {
    u64 row = blockIdx.x * (u64)(blockDim.x / 32) + threadIdx.x / 32;
    unsigned lane = threadIdx.x % 32;
    if (row >= count) return;
    const REAL *x = logits + row * classes;
    REAL *g = grad + row * classes;
    i64 y = targets[row];
    bool counts = y != ignored && y >= 0;
    double log_sum = 0.0;
    if (!normalized) {
        REAL largest = row_max(x, classes, lane);
        double sum = 0.0;
        for (u64 c = lane; c < classes; c += 32) sum += exp((double)(x[c] - largest));
        log_sum = (double)largest + log(warp_sum(sum));
    }
    double log_p = counts ? (double)x[y] - log_sum : 0.0, w = counts && weights ? weights[y] : 1.0;
    // 1 - p without cancellation where p is near 1
    double rest = -expm1(log_p);
    double damped = gamma == 0.0 ? 1.0 : pow(rest, gamma);
    double bend = gamma == 0.0 || rest == 0.0 ? 0.0 : gamma * pow(rest, gamma - 1.0) * exp(log_p) * log_p;
    double slope = counts ? -w * (damped - bend) : 0.0;
    if (lane == 0) losses[row] = counts ? -w * damped * log_p : 0.0;
    for (u64 c = lane; c < classes; c += 32) {
        double value = normalized ? 0.0 : -slope * exp((double)x[c] - log_sum);
        g[c] = REAL((value + (counts && c == (u64)y ? slope : 0.0)) / divisor);
    }
}
