//! Transposes, by tiles that are turned in registers where the machine has AVX-512.

use pulp::bytemuck::{cast_slice, cast_slice_mut};

use crate::kernels::storage::Float;

/// The side of a tile: the `f32` numbers of a vector of AVX-512.
pub(super) const TILE: usize = 16;

/// Writes the transpose of `height` rows to `to`, (columns, `height`). The rows' first columns are read; they begin `stride`
/// elements apart.
pub(super) fn transpose<T: Float>(from: &[T], stride: usize, to: &mut [T], height: usize) {
    let turned = if size_of::<T>() == size_of::<f32>() {
        turn_tiles(cast_slice(from), stride, cast_slice_mut(to), height)
    } else {
        0
    };
    for (col, to) in to.chunks_exact_mut(height.max(1)).enumerate() {
        let done = if col < turned { height / TILE * TILE } else { 0 };
        for (row, to) in to.iter_mut().enumerate().skip(done) {
            *to = from[row * stride + col];
        }
    }
}

/// Transposes the whole tiles of [`transpose`] on a machine that has the instructions; gives the number of columns that it has
/// done.
#[cfg(target_arch = "x86_64")]
fn turn_tiles(from: &[f32], stride: usize, to: &mut [f32], height: usize) -> usize {
    let Some(simd) = pulp::x86::V4::try_new() else { return 0 };
    let cols = to.len() / height.max(1) / TILE * TILE;
    simd.vectorize(avx512::TileTranspose { simd, from, stride, to, height, cols });
    cols
}

#[cfg(not(target_arch = "x86_64"))]
fn turn_tiles(_: &[f32], _: usize, _: &mut [f32], _: usize) -> usize {
    0
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{__m512, __m512i};

    use pulp::{NullaryFnOnce, cast, x86::V4};

    use super::TILE;

    /// The tiles of a transpose.
    pub(super) struct TileTranspose<'a> {
        pub(super) simd: V4,
        pub(super) from: &'a [f32],
        pub(super) stride: usize,
        pub(super) to: &'a mut [f32],
        pub(super) height: usize,
        pub(super) cols: usize,
    }

    impl NullaryFnOnce for TileTranspose<'_> {
        type Output = ();

        // Loops, since closures are not inlined and instructions would be calls.
        #[inline(always)]
        fn call(self) {
            let Self { simd, from, stride, to, height, cols } = self;
            for col in (0..cols).step_by(TILE) {
                for row in (0..height / TILE * TILE).step_by(TILE) {
                    let mut tile: [__m512; TILE] = [cast([0f32; TILE]); TILE];
                    for (i, vector) in tile.iter_mut().enumerate() {
                        let mut numbers = [0f32; TILE];
                        numbers.copy_from_slice(&from[(row + i) * stride + col..][..TILE]);
                        *vector = cast(numbers);
                    }
                    for (i, vector) in turned(simd, tile).into_iter().enumerate() {
                        let numbers: [f32; TILE] = cast(vector);
                        to[(col + i) * height + row..][..TILE].copy_from_slice(&numbers);
                    }
                }
            }
        }
    }

    /// The transpose of a tile: four times a perfect shuffle, which puts the second half of the numbers between those of the
    /// first, so that the four bits of a number's row become those of its column.
    #[inline(always)]
    fn turned(simd: V4, mut tile: [__m512; TILE]) -> [__m512; TILE] {
        const LOW: [u32; TILE] = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];
        const HIGH: [u32; TILE] = [8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31];
        let (low, high): (__m512i, __m512i) = (cast(LOW), cast(HIGH));
        for _ in 0..TILE.ilog2() {
            let before = tile;
            for i in 0..TILE / 2 {
                let (a, b) = (before[i], before[i + TILE / 2]);
                tile[2 * i] = simd.avx512f._mm512_permutex2var_ps(a, low, b);
                tile[2 * i + 1] = simd.avx512f._mm512_permutex2var_ps(a, high, b);
            }
        }
        tile
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::real;

    #[test]
    fn every_number_changes_row_and_column() {
        for (height, cols, stride) in
            [(1, 1, 1), (16, 16, 16), (64, 784, 784), (33, 50, 70), (15, 40, 40), (40, 15, 16)]
        {
            let from: Vec<f64> = (0..height * stride).map(real).collect();
            let narrow: Vec<f32> = from.iter().map(|x| f32::of(*x)).collect();
            let (mut to, mut narrow_to) = (vec![0.0; cols * height], vec![0.0; cols * height]);
            transpose(&from, stride, &mut to, height);
            transpose(&narrow, stride, &mut narrow_to, height);
            let expected: Vec<f64> =
                (0..cols * height).map(|at| real(at % height * stride + at / height)).collect();
            assert_eq!(to, expected, "{height} {cols} {stride}");
            assert_eq!(narrow_to.into_iter().map(f64::from).collect::<Vec<_>>(), expected);
        }
    }
}
