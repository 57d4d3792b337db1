// Rows of a data set as a batch. See gather.rs.

// out[i] ← xs[rows[i]] · scale + shift, each `width` numbers from the place rows[i] · stride on.
KERNEL_OF(gather_bytes, REAL *out, const unsigned char *xs, const unsigned *rows, u64 count, u64 width, u64 stride,
          double scale, double shift) {
    EACH(i, count * width) out[i] = REAL(xs[rows[i / width] * stride + i % width]) * REAL(scale) + REAL(shift);
}

KERNEL_OF(gather, REAL *out, const REAL *xs, const unsigned *rows, u64 count, u64 width, u64 stride, double scale,
          double shift) {
    EACH(i, count * width) out[i] = xs[rows[i / width] * stride + i % width] * REAL(scale) + REAL(shift);
}
