//! Sums over the rows of a row-major matrix (N, C). Many rows are cut into slices, whose sums are added afterwards: a block
//! per 32 columns would leave most of a GPU idle.

use candle_core::{Result, Tensor};

use super::launch::{Arg, Kernel, Threads, launch};
use super::room_for_sums;
use crate::kernels::GradOut;

/// The rows for which a block of 32 by 8 threads pays, and the most slices.
const ROWS: usize = 128;
const SLICES: usize = 256;

/// The slices into which so many rows are best cut.
fn slices(rows: usize) -> usize {
    (rows / ROWS).clamp(1, SLICES)
}

/// The sums over the rows of (N, C), joined to what is in the output.
pub(in crate::kernels::cuda) fn sum_rows(
    rows: &Tensor,
    GradOut { buffer, accumulate }: GradOut<'_>,
) -> Result<()> {
    let width = buffer.elem_count();
    let count = rows.elem_count() / width.max(1);
    if slices(count) > 1 {
        let sums = sum_slices(rows, None, width)?;
        return join(&sums, [GradOut { buffer, accumulate }]);
    }
    launch(
        rows.device(),
        Kernel::of("sum_rows", rows.dtype()),
        Threads::Columns { width, slices: 1 },
        &[
            Arg::Out(buffer),
            Arg::In(rows),
            Arg::Count(count),
            Arg::Count(width),
            Arg::F64(accumulate.beta),
            Arg::F64(accumulate.alpha),
        ],
    )
}

/// `Σ a · b` for each column of (N, C), then `Σ a`: (2 C) in f64.
pub(in crate::kernels::cuda) fn sum_products(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let (count, width) = a.dims2()?;
    let slices = slices(count);
    let sums = room_for_sums(2 * width * slices, a.device())?;
    let (rows, cols) = (Arg::Count(count), Arg::Count(width));
    let args = [Arg::Out(&sums), Arg::In(a), Arg::In(b), rows, cols, Arg::Count(slices)];
    let threads = Threads::Columns { width, slices };
    launch(a.device(), Kernel::of("sum_products", a.dtype()), threads, &args)?;
    added(sums, slices)
}

/// Mean and biased variance of each column of (N, C) in f64, (2 C), and each in the tensor's type.
pub(in crate::kernels::cuda) fn moments(xs: &Tensor, [mean, var]: [&Tensor; 2]) -> Result<Tensor> {
    let (count, width) = xs.dims2()?;
    let moments = room_for_sums(2 * width, xs.device())?;
    let (rows, cols) = (Arg::Count(count), Arg::Count(width));
    let outs = [&moments, mean, var].map(Arg::Out);
    if slices(count) > 1 {
        let sums = sum_slices(xs, None, width)?;
        let squares = sum_slices(xs, Some(&sums), width)?;
        let args = [outs.as_slice(), &[Arg::In(&sums), Arg::In(&squares), rows, cols]].concat();
        launch(xs.device(), Kernel::of("moments_of_sums", xs.dtype()), Threads::Each(width), &args)?;
    } else {
        let args = [outs.as_slice(), &[Arg::In(xs), rows, cols]].concat();
        let threads = Threads::Columns { width, slices: 1 };
        launch(xs.device(), Kernel::of("column_moments", xs.dtype()), threads, &args)?;
    }
    Ok(moments)
}

/// The sums of each column of (N, C) in f64, (C); with these, the sums of squares around the means.
fn sum_slices(xs: &Tensor, sums: Option<&Tensor>, width: usize) -> Result<Tensor> {
    let count = xs.elem_count() / width.max(1);
    let slices = slices(count);
    let own = room_for_sums(width * slices, xs.device())?;
    let (rows, cols) = (Arg::Count(count), Arg::Count(width));
    let args = [Arg::Out(&own), Arg::In(xs), Arg::or_null(sums), rows, cols, Arg::Count(slices)];
    let threads = Threads::Columns { width, slices };
    launch(xs.device(), Kernel::of("sum_slices", xs.dtype()), threads, &args)?;
    added(own, slices)
}

/// The sums of all slices.
fn added(sums: Tensor, slices: usize) -> Result<Tensor> {
    if slices == 1 {
        return Ok(sums);
    }
    let count = sums.elem_count() / slices;
    let out = room_for_sums(count, sums.device())?;
    let args = [Arg::Out(&out), Arg::In(&sums), Arg::Count(count), Arg::Count(slices)];
    launch(sums.device(), Kernel::untyped("add_slices"), Threads::Each(count), &args)?;
    Ok(out)
}

/// Joins sums, one output's behind the other's, to what is in the outputs.
pub(in crate::kernels::cuda) fn join<const N: usize>(sums: &Tensor, outs: [GradOut<'_>; N]) -> Result<()> {
    let mut start = 0;
    for GradOut { buffer, accumulate } in outs {
        let count = buffer.elem_count();
        let own = sums.narrow(0, start, count)?;
        start += count;
        let args = [
            Arg::Out(buffer),
            Arg::In(&own),
            Arg::Count(count),
            Arg::F64(accumulate.beta),
            Arg::F64(accumulate.alpha),
        ];
        launch(buffer.device(), Kernel::of("join", buffer.dtype()), Threads::Each(count), &args)?;
    }
    Ok(())
}

/// The sum of numbers in f64, as a tensor of one.
pub(in crate::kernels) fn total(numbers: &Tensor) -> Result<Tensor> {
    let out = room_for_sums(1, numbers.device())?;
    let args = [Arg::Out(&out), Arg::In(numbers), Arg::Count(numbers.elem_count())];
    launch(numbers.device(), Kernel::untyped("total"), Threads::Blocks(1), &args)?;
    out.reshape(())
}
