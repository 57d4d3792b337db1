// Sums over gradients, a block of 256 threads a chunk: for each the sum of its squares, and behind all of those that
// of its elements times 0, which is 0 or, where one is not finite, NaN.

KERNEL_OF(squares, double *partial, const REAL *xs, u64 count, u64 chunks) {
    double squares = 0.0, zeros = 0.0;
    EACH(i, count) {
        double x = (double)xs[i];
        squares += x * x;
        zeros += (double)(xs[i] * REAL(0));
    }
    squares = block_sum(squares);
    zeros = block_sum(zeros);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = squares;
        partial[chunks + blockIdx.x] = zeros;
    }
}
