// Layer normalisation of the rows of (count, width), a warp a row. See layer_norm.rs.

KERNEL_OF(layer_normalize, REAL *ys, REAL *normalized, double *inverses, const REAL *xs, const REAL *w, const REAL *b,
          u64 count, u64 width, double eps) {
    u64 row = blockIdx.x * (u64)(blockDim.x / 32) + threadIdx.x / 32;
    unsigned lane = threadIdx.x % 32;
    if (row >= count) return;
    const REAL *x = xs + row * width;
    double sum = 0.0;
    for (u64 c = lane; c < width; c += 32) sum += (double)x[c];
    double mean = warp_sum(sum) / (double)width;
    double squares = 0.0;
    for (u64 c = lane; c < width; c += 32) squares += ((double)x[c] - mean) * ((double)x[c] - mean);
    double inverse = 1.0 / sqrt(warp_sum(squares) / (double)width + eps);
    if (lane == 0) inverses[row] = inverse;
    for (u64 c = lane; c < width; c += 32) {
        REAL normal = (x[c] - REAL(mean)) * REAL(inverse);
        normalized[row * width + c] = normal;
        ys[row * width + c] = normal * w[c] + b[c];
    }
}

// dx = (g w - mean(g w) - normalized · mean(g w · normalized)) / std
KERNEL_OF(layer_norm_back, REAL *dx, const REAL *grad, const REAL *normalized, const double *inverses, const REAL *w,
          u64 count, u64 width) {
    u64 row = blockIdx.x * (u64)(blockDim.x / 32) + threadIdx.x / 32;
    unsigned lane = threadIdx.x % 32;
    if (row >= count) return;
    const REAL *g = grad + row * width, *normal = normalized + row * width;
    double sum = 0.0, along = 0.0;
    for (u64 c = lane; c < width; c += 32) {
        double weighted = (double)g[c] * (double)w[c];
        sum += weighted;
        along += weighted * (double)normal[c];
    }
    sum = warp_sum(sum) / (double)width;
    along = warp_sum(along) / (double)width;
    for (u64 c = lane; c < width; c += 32) {
        double weighted = (double)g[c] * (double)w[c];
        dx[row * width + c] = REAL((weighted - sum - (double)normal[c] * along) * inverses[row]);
    }
}
