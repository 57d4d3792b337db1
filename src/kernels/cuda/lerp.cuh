// Linear interpolation, which moves an average of weights.

// start ← start + share · (end - start), where updates are made. Where `now` is not null it begins with the share: a
// captured graph reads a new one at each replay.
KERNEL_OF(lerp, REAL *start, const REAL *end, u64 count, Constants constants, const double *now, const double *skip_flag) {
    if (skip_flag[1] == 0.0) return;
    REAL share = REAL((now ? now : constants.at)[0]);
    EACH(i, count) start[i] += (end[i] - start[i]) * share;
}
