// Sums over the rows of a row-major matrix, by blocks of 32 columns. Those that take `slices` give the sums of each slice,
// which add_slices adds.

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
KERNEL_OF(sum_products, double *sums, const REAL *a, const REAL *b, u64 count, u64 width, u64 slices) {
    Slice own = own_slice(count, width, slices);
    double product = 0.0, sum = 0.0;
    if (own.column < width) {
        for (u64 row = own.first; row < own.end; row += COLUMN_THREADS) {
            double x = (double)a[row * width + own.column];
            product += x * (double)b[row * width + own.column];
            sum += x;
        }
    }
    product = column_sum(product);
    sum = column_sum(sum);
    if (threadIdx.y == 0 && own.column < width) {
        sums[own.number * 2 * width + own.column] = product;
        sums[own.number * 2 * width + width + own.column] = sum;
    }
}

// sums ← Σ xs for each column; where `total` is not null, which has these sums, Σ (xs - mean)²
KERNEL_OF(sum_slices, double *sums, const REAL *xs, const double *total, u64 count, u64 width, u64 slices) {
    Slice own = own_slice(count, width, slices);
    double sum = 0.0;
    if (own.column < width) {
        double mean = total ? total[own.column] / (double)count : 0.0;
        for (u64 row = own.first; row < own.end; row += COLUMN_THREADS) {
            double x = (double)xs[row * width + own.column] - mean;
            sum += total ? x * x : x;
        }
    }
    sum = column_sum(sum);
    if (threadIdx.y == 0 && own.column < width) sums[own.number * width + own.column] = sum;
}

// out ← keep · out + scale · sums
KERNEL_OF(join, REAL *out, const double *sums, u64 count, double keep, double scale) {
    EACH(i, count) out[i] = joined(out[i], sums[i], keep, scale);
}
