//! The cut of a product's output for the threads.

use std::ops::Range;

/// The side of a product's output that is cut for the threads. If a weight's rows are cut the same way in its product,
/// its gradient and its update, each thread finds its part of the weight in its own cache.
#[derive(Clone, Copy)]
pub(in crate::kernels) enum Cut {
    Rows,
    Cols,
    /// Neither: the work around the product is cut already.
    Nothing,
}

/// The sizes of a product: of its output (m, n), and its depth k.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
}

/// The numbers of a side that the product's innermost loop takes at once.
pub(super) const STRIP: usize = 64;

/// The number of parts that are worth it.
pub(super) fn parts(Sizes { m, n, k }: Sizes, cut: Cut) -> usize {
    /// Below this many multiplications a product is over before another thread has begun.
    const WORTH_A_THREAD: usize = 1 << 18;
    // A number that is read or written takes as long as some multiplications.
    let work = if matches!(cut, Cut::Nothing) { 0 } else { m * n * k + 8 * (m * k + k * n + m * n) };
    match work / WORTH_A_THREAD {
        0 | 1 => 1,
        2..16 => 2,
        16..256 => 4,
        _ => 8,
    }
}

/// The output in disjoint blocks of rows and columns: by the product's size alone, so that the bits do not depend on the
/// threads. Each block packs the operand that it shares with the others once more, so there are few of them.
pub(super) fn blocks(sizes: Sizes, cut: Cut) -> Vec<(Range<usize>, Range<usize>)> {
    let (Sizes { m, n, .. }, parts) = (sizes, parts(sizes, cut));
    let by_rows = match cut {
        Cut::Rows => m >= 2 * STRIP || m >= n,
        Cut::Cols | Cut::Nothing => n < 16 * parts && m > n,
    };
    let ranges = |side: usize| {
        // No fewer to a block than a strip, but for the second thread.
        let parts = parts.min((side / STRIP).max(2));
        steps(0..side, side.div_ceil(parts).next_multiple_of(8))
    };
    if by_rows {
        ranges(m).map(|rows| (rows, 0..n)).collect()
    } else {
        ranges(n).map(|cols| (0..m, cols)).collect()
    }
}

/// The depth in parts whose products are added up. The rows of a transpose on the left lie far apart, often by a power of two,
/// and few of them fit into the cache at once: those of a part do.
pub(super) fn depths(depth: usize, of_transpose: bool) -> impl Iterator<Item = Range<usize>> {
    let parts = if of_transpose { depth.div_ceil(128) } else { 1 };
    // One part of nothing where the depth is 0: it writes the zeros.
    steps(0..depth.max(1), depth.div_ceil(parts.max(1))).map(move |part| part.start..part.end.min(depth))
}

/// The rows of a block that are multiplied at once. For more than 48, eight times the columns of its innermost loop, `gemm`
/// copies the right factor first, which is not worth it where few rows are multiplied or the factor is a panel: with slabs
/// products of 64 rows took 0.93 to 0.97 of the time on one core of a Zen 4.
pub(super) fn slabs(
    rows: Range<usize>,
    depth: usize,
    right: Option<Strips>,
) -> impl Iterator<Item = Range<usize>> {
    const UNCOPIED: usize = 48;
    let is_few = depth <= 512 && rows.len() <= 2 * STRIP;
    // Columns that do not fill the vectors are copied at any rate.
    let goes_uncopied =
        |Strips { cols, stride }| (is_few || stride <= STRIP) && usize::is_multiple_of(cols, 16);
    let length = if right.is_some_and(goes_uncopied) { UNCOPIED } else { rows.len() };
    steps(rows, length)
}

/// The strips of a row-major right factor that the innermost loop goes through.
#[derive(Clone, Copy)]
pub(super) struct Strips {
    /// The columns of the block.
    pub(super) cols: usize,
    /// The elements from one row to the next.
    pub(super) stride: usize,
}

/// A range in steps of a length.
pub(super) fn steps(Range { start, end }: Range<usize>, length: usize) -> impl Iterator<Item = Range<usize>> {
    let length = length.max(1);
    (start..end).step_by(length).map(move |start| start..(start + length).min(end))
}
