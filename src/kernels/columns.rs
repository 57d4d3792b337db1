//! Sums over the rows of a row-major matrix, a sum a column, in f64: where the rows cancel, little but their sum is left.

use super::buffers::{CHUNK, FilledBuffers, filled_with_results};
use super::storage::Float;
use super::team;
use super::vectorized::vectorized;

/// The number of elements, in whole rows, that one thread takes at a time.
pub(super) fn chunk(width: usize) -> usize {
    (CHUNK / width.max(1)).max(8) * width.max(1)
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

/// New buffers, and sums over what filled their chunks.
pub(super) struct FilledWithSums<T, const N: usize> {
    pub(super) buffers: [Vec<T>; N],
    pub(super) sums: Vec<f64>,
}

/// As [`filled`](super::buffers::filled), with `width` sums that `fill` adds to, as in [`sums_of`].
pub(super) fn filled_with_sums<T: Float, P: Send, const N: usize>(
    chunks: impl IntoIterator<Item = (usize, P)>,
    width: usize,
    fill: impl Fn(P, [&mut [T]; N], &mut [f64]) + Sync,
) -> FilledWithSums<T, N> {
    let FilledBuffers { buffers, results } = filled_with_results(chunks, |input, parts| {
        let mut sums = vec![0.0; width];
        fill(input, parts, &mut sums);
        sums
    });
    FilledWithSums { buffers, sums: total(results, width) }
}

/// The parts' sums, added up in their order.
pub(super) fn total(parts: Vec<Vec<f64>>, width: usize) -> Vec<f64> {
    let add = |mut total: Vec<f64>, part: Vec<f64>| {
        total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
        total
    };
    parts.into_iter().reduce(add).unwrap_or_else(|| vec![0.0; width])
}

/// The rows that a loop over columns takes at a time: a sum is loaded and stored once for all of them.
const ROWS: usize = 8;

/// Adds each row to the sums.
pub(super) fn add_rows<T: Float>(sums: &mut [f64], rows: &[T]) {
    let width = sums.len();
    add_columns(sums, rows, width);
}

vectorized! {
    /// Adds to the sums the first columns of rows that begin `stride` elements apart. The slice may end after these columns of the
    /// last row.
    pub(super) fn add_columns[T: Float](sums: &mut [f64], rows: &[T], stride: usize) {
        let width = sums.len();
        let mut blocks = rows.chunks_exact(ROWS * stride);
        for block in &mut blocks {
            let rows: [&[T]; ROWS] = std::array::from_fn(|row| &block[row * stride..][..width]);
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum += rows.iter().map(|row| row[at].wide()).sum::<f64>();
            }
        }
        for row in blocks.remainder().chunks(stride) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x.wide();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_all_chunks() {
        let rows = [[1.0f64, 2.0], [3.0, 4.0], [5.0, 6.0]].map(Vec::from);
        let chunks = rows.iter().map(|row| (row.len(), row));
        let filled = filled_with_sums(chunks, 2, |row, [negated]: [&mut [f64]; 1], sums| {
            negated.iter_mut().zip(row).for_each(|(negated, x)| *negated = -x);
            add_rows(sums, row);
        });
        assert_eq!(filled.buffers, [[-1.0, -2.0, -3.0, -4.0, -5.0, -6.0]]);
        assert_eq!(filled.sums, [9.0, 12.0]);
    }

    #[test]
    fn columns_of_wider_rows_are_added() {
        const WIDTH: usize = 5;
        for rows in [0u16, 1, 7, 8, 9, 20] {
            let numbers: Vec<f32> = (0..rows * 5).map(f32::from).collect();
            let mut sums = [1.0, 2.0];
            // The third and the fourth column.
            add_columns(&mut sums, numbers.get(2..).unwrap_or_default(), WIDTH);
            let expected = |first: f64, column: u16| {
                first + (0..rows).map(|row| f64::from(5 * row + column)).sum::<f64>()
            };
            let off = [sums[0] - expected(1.0, 2), sums[1] - expected(2.0, 3)];
            assert!(off.iter().all(|off| off.abs() < 1e-9), "{rows}: {off:?}");
        }
    }
}
