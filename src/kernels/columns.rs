//! Sums over the rows of a row-major matrix, a sum a column, in f64: where the rows cancel, little but their sum is left.

use super::buffers::filled_with_results;
use super::storage::Float;
use super::team;
use super::vectorized::vectorized;

/// The number of elements, in whole rows, that one thread takes at a time.
pub(super) fn chunk(width: usize) -> usize {
    const ELEMENTS: usize = 1 << 13;
    (ELEMENTS / width.max(1)).max(8) * width.max(1)
}

/// The sum of each of the `width` columns.
pub(super) fn sums<T: Float>(rows: &[T], width: usize) -> Vec<f64> {
    sums_of(rows.chunks(chunk(width)).collect(), width, |chunk, sums| add_rows(sums, chunk))
}

/// `width` sums to which `add` adds what each chunk gives, chunk by chunk in their order.
pub(super) fn sums_of<P: Send>(chunks: Vec<P>, width: usize, add: impl Fn(P, &mut [f64]) + Sync) -> Vec<f64> {
    let parts = team::map(chunks, |chunk| {
        let mut sums = vec![0.0; width];
        add(chunk, &mut sums);
        sums
    });
    total(parts, width)
}

/// New buffers whose chunks are filled as by [`filled`](super::buffers::filled), and `width` sums to which `fill` adds as in
/// [`sums_of`].
pub(super) fn filled_with_sums<T: Float, P: Send, const N: usize>(
    pieces: impl IntoIterator<Item = (usize, P)>,
    width: usize,
    fill: impl Fn(P, [&mut [T]; N], &mut [f64]) + Sync,
) -> ([Vec<T>; N], Vec<f64>) {
    let (buffers, parts) = filled_with_results(pieces, |piece, chunks| {
        let mut sums = vec![0.0; width];
        fill(piece, chunks, &mut sums);
        sums
    });
    (buffers, total(parts, width))
}

/// The parts' sums, added up in their order.
fn total(parts: Vec<Vec<f64>>, width: usize) -> Vec<f64> {
    let add = |mut total: Vec<f64>, part: Vec<f64>| {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        total
    };
    parts.into_iter().reduce(add).unwrap_or_else(|| vec![0.0; width])
}

/// The rows that a loop over columns takes at a time: a sum is loaded and stored once for all of them.
pub(super) const ROWS: usize = 8;

/// Each row of a block of [`ROWS`] rows.
#[inline(always)]
pub(super) fn rows_of<T>(block: &[T], width: usize) -> [&[T]; ROWS] {
    std::array::from_fn(|row| &block[row * width..][..width])
}

vectorized! {
    /// Adds each row to the sums.
    pub(super) fn add_rows[T: Float](sums: &mut [f64], rows: &[T]) {
        let width = sums.len();
        let mut blocks = rows.chunks_exact(ROWS * width);
        for block in &mut blocks {
            let rows = rows_of(block, width);
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum += rows.iter().map(|row| row[at].wide()).sum::<f64>();
            }
        }
        for row in blocks.remainder().chunks_exact(width) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x.wide();
            }
        }
    }
}
