// Sums in f64, and the check of an update by them.

// out ← Σ xs, by one block of 256 threads.
KERNEL(total, double *out, const double *xs, u64 count) {
    double sum = 0.0;
    for (u64 i = threadIdx.x; i < count; i += blockDim.x) sum += xs[i];
    sum = block_sum(sum);
    if (threadIdx.x == 0) *out = sum;
}

// out ← Σ sums, over slices of `count` sums each.
KERNEL(add_slices, double *out, const double *sums, u64 count, u64 slices) {
    EACH(i, count) {
        double sum = 0.0;
        for (u64 slice = 0; slice < slices; slice++) sum += sums[slice * count + i];
        out[i] = sum;
    }
}

// Decides whether an update is made, by one block of 256 threads, and remembers its loss.
//
// skip_flag: what gradients are multiplied by, whether updates are made (1 or 0), and the step at which they ceased to be.
// Once an update is not finite none is made any more, until the host has looked: so the weights stay as they were
// before it, and the host need not wait for every update.
// losses: a place for each step, step % places, and behind them the same for the gradients' norms.
// partial: for each chunk of a gradient the sum of its squares, then the same of its elements times 0.
// now: the number of the step, and what its loss is divided by to be the mean.
KERNEL(finite_guard, double *skip_flag, double *losses, const double *loss, const double *partial, u64 chunks, const double *step_counter,
       u64 places, double max_norm, double largest) {
    double squares = 0.0, zeros = 0.0;
    for (u64 i = threadIdx.x; i < chunks; i += blockDim.x) {
        squares += partial[i];
        zeros += partial[chunks + i];
    }
    squares = block_sum(squares);
    zeros = block_sum(zeros);
    if (threadIdx.x != 0) return;
    double step = step_counter[0], norm = sqrt(squares);
    u64 place = (u64)step % places;
    losses[place] = *loss;
    losses[places + place] = norm;
    bool clips = max_norm >= 0.0;
    bool finite = fabs(*loss / step_counter[1]) <= largest && (clips ? norm <= 1.7976931348623157e308 : zeros == 0.0);
    if (skip_flag[1] != 0.0 && !finite) {
        skip_flag[1] = 0.0;
        skip_flag[2] = step;
    }
    double factor = clips ? max_norm / (norm + 1e-6) : 1.0;
    skip_flag[0] = factor < 1.0 ? factor : 1.0;
}

// out ← before, where updates are not made.
KERNEL(restore_skipped_count, i64 *out, const i64 *before, u64 count, const double *skip_flag) {
    EACH(i, count) if (skip_flag[1] == 0.0) out[i] = before[i];
}
