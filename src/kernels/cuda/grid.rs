//! The threads of a launch.

use candle_core::{Result, bail};

/// The threads that a kernel wants, as its comments say.
#[derive(Clone, Copy)]
pub(super) enum Threads {
    /// One for each of this number of elements.
    Each(usize),
    /// A warp for each of this number of rows.
    Rows(usize),
    /// A block of 32 by 8 for each slice of the rows and each 32 of this number of columns.
    Columns { width: usize, slices: usize },
    /// So many blocks of 256.
    Blocks(usize),
}

/// The grid of a launch.
#[derive(Clone, Copy)]
pub(super) struct Grid {
    pub(super) blocks: u32,
    /// The threads of a block in two dimensions.
    #[cfg_attr(
        not(any(test, feature = "cuda")),
        expect(dead_code, reason = "without CUDA nothing is launched")
    )]
    pub(super) threads: [u32; 2],
}

impl Threads {
    pub(super) fn grid(self) -> Result<Grid> {
        /// With more elements a thread takes several.
        const MOST: usize = 1 << 16;
        let (blocks, threads) = match self {
            Self::Each(count) => (count.div_ceil(256).min(MOST), [256, 1]),
            Self::Rows(count) => (count.div_ceil(4), [128, 1]),
            Self::Columns { width, slices } => (width.div_ceil(32) * slices, [32, 8]),
            Self::Blocks(count) => (count, [256, 1]),
        };
        match u32::try_from(blocks) {
            Ok(blocks) => Ok(Grid { blocks, threads }),
            Err(_) => bail!("{blocks} blocks are more than a GPU can start at once"),
        }
    }
}
