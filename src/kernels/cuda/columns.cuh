// Sums over the rows of a row-major matrix, by blocks of 32 columns.

// out ← keep · out + scale · Σ rows
KERNEL_OF(sum_rows, REAL *out, const REAL *rows, u64 count, u64 width, double keep, double scale) {
    u64 column = blockIdx.x * 32ull + threadIdx.x;
    double sum = 0.0;
    if (column < width) {
        for (u64 row = threadIdx.y; row < count; row += COLUMN_THREADS) sum += (double)rows[row * width + column];
    }
    sum = column_sum(sum);
    if (threadIdx.y == 0 && column < width) out[column] = joined(out[column], sum, keep, scale);
}

// sums ← Σ a · b for each column, and behind them Σ a
KERNEL_OF(sum_products, double *sums, const REAL *a, const REAL *b, u64 count, u64 width) {
    u64 column = blockIdx.x * 32ull + threadIdx.x;
    double product = 0.0, sum = 0.0;
    if (column < width) {
        for (u64 row = threadIdx.y; row < count; row += COLUMN_THREADS) {
            double x = (double)a[row * width + column];
            product += x * (double)b[row * width + column];
            sum += x;
        }
    }
    product = column_sum(product);
    sum = column_sum(sum);
    if (threadIdx.y == 0 && column < width) {
        sums[column] = product;
        sums[width + column] = sum;
    }
}

// out ← keep · out + scale · sums
KERNEL_OF(join, REAL *out, const double *sums, u64 count, double keep, double scale) {
    EACH(i, count) out[i] = joined(out[i], sums[i], keep, scale);
}
