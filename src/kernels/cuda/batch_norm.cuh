// Batch normalisation over the rows of (count, width). See batch_norm.rs.

// Mean and biased variance of each column, in f64 (the means, then the variances) and in the tensor's type.
KERNEL_OF(column_moments, double *moments, REAL *mean_out, REAL *var_out, const REAL *xs, u64 count, u64 width) {
    __shared__ double means[32];
    u64 column = blockIdx.x * 32ull + threadIdx.x;
    double sum = 0.0;
    if (column < width) {
        for (u64 row = threadIdx.y; row < count; row += COLUMN_THREADS) sum += (double)xs[row * width + column];
    }
    sum = column_sum(sum);
    if (threadIdx.y == 0) means[threadIdx.x] = sum / (double)count;
    __syncthreads();
    double mean = means[threadIdx.x], squares = 0.0;
    if (column < width) {
        for (u64 row = threadIdx.y; row < count; row += COLUMN_THREADS) {
            double centered = (double)xs[row * width + column] - mean;
            squares += centered * centered;
        }
    }
    squares = column_sum(squares);
    if (threadIdx.y == 0 && column < width) {
        double var = squares / (double)count;
        moments[column] = mean;
        moments[width + column] = var;
        mean_out[column] = REAL(mean);
        var_out[column] = REAL(var);
    }
}

// The same of many rows, from the columns' sums and their sums of squares around the means.
KERNEL_OF(moments_of_sums, double *moments, REAL *mean_out, REAL *var_out, const double *sums, const double *squares,
          u64 count, u64 width) {
    EACH(c, width) {
        double mean = sums[c] / (double)count, var = squares[c] / (double)count;
        moments[c] = mean;
        moments[width + c] = var;
        mean_out[c] = REAL(mean);
        var_out[c] = REAL(var);
    }
}

KERNEL_OF(batch_normalize, REAL *ys, REAL *normalized, const REAL *xs, const double *moments, const REAL *w,
          const REAL *b, u64 count, u64 width, double eps) {
    EACH(i, count * width) {
        u64 c = i % width;
        REAL inverse = REAL(1.0 / sqrt(moments[width + c] + eps));
        REAL normal = (xs[i] - REAL(moments[c])) * inverse;
        normalized[i] = normal;
        ys[i] = normal * w[c] + b[c];
    }
}

// dx = w / std · (g - mean(g) - normalized · mean(g · normalized)), from the sums of g · normalized and of g.
KERNEL_OF(batch_norm_back, REAL *dx, const REAL *grad, const REAL *normalized, const REAL *w, const REAL *var,
          const double *sums, u64 count, u64 width, double eps) {
    EACH(i, count * width) {
        u64 c = i % width;
        double scale = (double)w[c] / sqrt((double)var[c] + eps);
        double mean_product = sums[c] / (double)count, mean = sums[width + c] / (double)count;
        dx[i] = REAL(scale * ((double)grad[i] - mean - (double)normalized[i] * mean_product));
    }
}
