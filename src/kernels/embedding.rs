//! The gradient of a table of learnt vectors, <https://docs.pytorch.org/docs/stable/generated/torch.nn.Embedding.html>:
//! most of it is zero, and is written once.

use candle_core::{Result, Tensor};

use super::storage::{Float, edit, view};
use super::{Accumulate, GradOut, autograd, by_dtype, is_fused, team};

/// The number of elements that one thread sets to zero at a time.
const CHUNK: usize = 1 << 16;

/// Some columns of a gradient (N, W).
#[derive(Debug, Clone, Copy)]
pub struct GradColumns<'a> {
    /// All columns.
    pub grad: &'a Tensor,
    /// The first of them.
    pub start: usize,
    /// Their number: the length of a vector.
    pub length: usize,
}

/// Adds each row of the columns (N, length) to the vector that has its number (N), where that is not 0, the padding:
/// torch's `padding_idx=0`.
pub fn gradient(columns: GradColumns<'_>, numbers: &Tensor, out: GradOut<'_>) -> Result<()> {
    let GradColumns { grad, start, length } = columns;
    let needs_reference = !is_fused(grad) || !is_fused(out.buffer) || !grad.is_contiguous();
    if needs_reference || out.accumulate != Accumulate::REPLACE {
        return autograd::store(out, &reference(columns, numbers, out.buffer)?);
    }
    let width = grad.dims()[1];
    by_dtype!(grad, T => {
        let (grad, numbers) = (view::<T>(grad)?, view::<u32>(numbers)?);
        let rows = numbers.iter().zip(grad.chunks_exact(width).map(|row| &row[start..start + length]));
        let known = rows.filter(|(number, _)| **number != 0).map(|(number, row)| (*number as usize, row));
        edit(out.buffer, |table: &mut [T]| replace(table, known, length))
    })
}

/// The reference implementation.
fn reference(
    GradColumns { grad, start, length }: GradColumns<'_>,
    numbers: &Tensor,
    table: &Tensor,
) -> Result<Tensor> {
    let own = grad.narrow(1, start, length)?.contiguous()?;
    let known = numbers.ne(0u32)?.to_dtype(own.dtype())?.unsqueeze(1)?;
    table.zeros_like()?.index_add(numbers, &own.broadcast_mul(&known)?, 0)
}

fn replace<'a, T: Float>(table: &mut [T], rows: impl Iterator<Item = (usize, &'a [T])>, length: usize) {
    team::for_each(table.chunks_mut(CHUNK).collect(), |chunk: &mut [T]| chunk.fill(T::of(0.0)));
    for (number, row) in rows {
        add_row(&mut table[number * length..][..length], row);
    }
}

/// Adds a row to another.
pub(super) fn add_row<T: Float>(to: &mut [T], row: &[T]) {
    for (to, x) in to.iter_mut().zip(row) {
        *to += *x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;
    use candle_core::{DType, Device};

    #[test]
    fn the_gradient_is_that_of_the_reference_to_the_bit() {
        let draws = Draws::new(3);
        let grad = draws.normal((6, 7), 1.0);
        let numbers = Tensor::new(&[4u32, 0, 4, 1, 0, 4], &Device::Cpu).unwrap();
        for dtype in [DType::F32, DType::F64] {
            let grad = grad.to_dtype(dtype).unwrap();
            for accumulate in [Accumulate::REPLACE, Accumulate::ADD] {
                let before = draws.normal((5, 3), 1.0).to_dtype(dtype).unwrap();
                let (ours, theirs) = (before.copy().unwrap(), before.copy().unwrap());
                let columns = GradColumns { grad: &grad, start: 2, length: 3 };
                gradient(columns, &numbers, GradOut { buffer: &ours, accumulate }).unwrap();
                let sum = reference(columns, &numbers, &theirs).unwrap();
                autograd::store(GradOut { buffer: &theirs, accumulate }, &sum).unwrap();
                let values = |table: &Tensor| table.to_dtype(DType::F64).unwrap().to_vec2::<f64>().unwrap();
                assert_eq!(values(&ours), values(&theirs), "{dtype:?} {accumulate:?}");
            }
        }
    }
}
