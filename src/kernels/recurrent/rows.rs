//! A batch of sequences in blocks of rows.

use candle_core::Result;

use super::super::buffers::{CHUNK, FilledBuffers, filled_in_rounds};
use super::super::gemm::Cut;
use super::super::storage::Float;

/// The rows that one thread takes through all steps.
const BLOCK: usize = 16;

/// Some rows of a batch in a buffer (T, N, W): for each step a block (rows, W).
pub(super) type Steps<'a, T> = Vec<&'a mut [T]>;

/// A block of rows of a batch of `n`.
#[derive(Clone, Copy)]
pub(super) struct RowBlock {
    n: usize,
    first: usize,
    /// The number of rows.
    pub(super) count: usize,
}

impl RowBlock {
    /// The blocks of a batch of `n` rows: by their number alone, so that the bits do not depend on the threads.
    pub(super) fn blocks(n: usize) -> Vec<Self> {
        (0..n).step_by(BLOCK).map(|first| Self { n, first, count: BLOCK.min(n - first) }).collect()
    }

    /// As [`Self::blocks`], but a single block for a copy of too few elements to share.
    pub(super) fn for_copy(n: usize, elements: usize) -> Vec<Self> {
        if elements <= CHUNK { vec![Self { n, first: 0, count: n }] } else { Self::blocks(n) }
    }

    /// The rows of the largest block of a batch of `n`.
    pub(super) fn largest(n: usize) -> usize {
        BLOCK.min(n)
    }

    /// The side along which a step's product is cut: none if other blocks keep the other threads busy.
    pub(super) fn cut(self) -> Cut {
        if self.count == self.n { Cut::Cols } else { Cut::Nothing }
    }

    /// The elements of these rows at step `t` of a buffer (T, N, width).
    pub(super) fn of<T>(self, buffer: &[T], t: usize, width: usize) -> &[T] {
        &buffer[(t * self.n + self.first) * width..][..self.count * width]
    }
}

/// New buffers (T, N, W), one for each of the widths W. `fill` is called for each of the blocks, with its rows of every buffer,
/// zeroed.
pub(super) fn filled_by_rows<T: Float, R: Send, const BUFFERS: usize>(
    steps: usize,
    widths: [usize; BUFFERS],
    blocks: Vec<RowBlock>,
    fill: impl Fn(RowBlock, [Steps<'_, T>; BUFFERS]) -> Result<R> + Sync,
) -> Result<FilledBuffers<T, R, BUFFERS>> {
    filled_in_rounds(steps, &lengths(&blocks, widths), blocks, fill)
}

/// As [`filled_by_rows`], for all blocks of a batch of `n` rows; `fill` is also given the block's rows of `beside`, another buffer
/// of `steps` steps of `n` rows.
pub(super) fn filled_beside<T: Float, R: Send, const BUFFERS: usize>(
    beside: &mut [T],
    [steps, n]: [usize; 2],
    widths: [usize; BUFFERS],
    fill: impl Fn(RowBlock, Steps<'_, T>, [Steps<'_, T>; BUFFERS]) -> Result<R> + Sync,
) -> Result<FilledBuffers<T, R, BUFFERS>> {
    let width = beside.len() / (steps * n).max(1);
    let blocks = RowBlock::blocks(n);
    let lengths = lengths(&blocks, widths);
    let pieces = blocks.into_iter().zip(by_rows(beside, n, width)).collect();
    filled_in_rounds(steps, &lengths, pieces, |(rows, beside), filled| fill(rows, beside, filled))
}

/// The elements of each block at a step, in buffers of these widths.
fn lengths<const BUFFERS: usize>(blocks: &[RowBlock], widths: [usize; BUFFERS]) -> Vec<[usize; BUFFERS]> {
    blocks.iter().map(|rows| widths.map(|width| rows.count * width)).collect()
}

/// A buffer (T, N, width) for writing, by blocks of rows.
fn by_rows<T>(buffer: &mut [T], n: usize, width: usize) -> Vec<Steps<'_, T>> {
    let mut blocks: Vec<Steps<'_, T>> = RowBlock::blocks(n).iter().map(|_| Vec::new()).collect();
    for step in buffer.chunks_exact_mut((n * width).max(1)) {
        for (block, rows) in blocks.iter_mut().zip(step.chunks_mut(BLOCK * width)) {
            block.push(rows);
        }
    }
    blocks
}

/// Step `t` for writing, and another step.
pub(super) fn two<'s, T>(steps: &'s mut Steps<'_, T>, t: usize, other: usize) -> (&'s mut [T], &'s [T]) {
    if other < t {
        let (left, right) = steps.split_at_mut(t);
        (&mut *right[0], &*left[other])
    } else {
        let (left, right) = steps.split_at_mut(other);
        (&mut *left[t], &*right[0])
    }
}
