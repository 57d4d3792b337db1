// Dropout masks. See dropout.rs.

// kept where the stream's word at the element's position is not below `dropped`, else 0. Elements lie as (steps, rows,
// width), positions go row by row from `first` on. The stream is that of layer `stream` at step `step_number`, or where `now` is not
// null at the step that now[0] has.
KERNEL_OF(dropout_mask, REAL *mask, u64 steps, u64 rows, u64 width, u64 seed, unsigned purpose, u64 stream,
          u64 step_number, const double *step_counter, u64 first, u64 dropped, double kept) {
    Key key = stream_key(seed, purpose, ((step_counter ? (u64)step_counter[0] : step_number) << 16) | stream);
    EACH(i, steps * rows * width) {
        u64 column = i % width, row = i / width % rows, step = i / width / rows;
        unsigned word = stream_word(key, first + (row * steps + step) * width + column);
        mask[i] = word < dropped ? REAL(0) : REAL(kept);
    }
}
