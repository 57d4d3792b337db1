//! The blocks of a kernel that does all steps of a recurrent layer.

use candle_core::{Result, Tensor};

/// The largest weight of a state that pays, which every block reads anew at each step: in f32 512 KiB, some of which stay in
/// the nearest cache.
const WEIGHT: usize = 1 << 17;
/// The most products of a step: more keep a GPU busy by cuBLAS.
const PRODUCTS: usize = 1 << 19;
/// The threads of a block.
const THREADS: usize = 256;

/// Blocks that take some rows of the batch each.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowBlocks {
    /// The rows of one.
    pub(super) rows: usize,
    /// The number of blocks.
    pub(super) count: usize,
}

impl RowBlocks {
    /// The blocks for a batch of `n` rows, by the state's weight (G H, H); `None` where a launch for each step is faster.
    pub(super) fn of(n: usize, w_hh: &Tensor) -> Result<Option<Self>> {
        let (width, hidden) = w_hh.dims2()?;
        let rows = (THREADS / width.max(1)).clamp(1, 4);
        let is_small = width * hidden <= WEIGHT && n * width <= PRODUCTS;
        Ok(is_small.then_some(Self { rows, count: n.div_ceil(rows) }))
    }
}
