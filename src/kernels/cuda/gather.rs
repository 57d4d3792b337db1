//! Rows of a data set as a batch.

use candle_core::{DType, Result, Tensor};

use super::launch::{Arg, Kernel, Threads, launch, room};
use crate::kernels::gather::Affine;

/// As `gather::rows`, with the rows' numbers on the device. They are sure to be in the data set.
pub(in crate::kernels) fn rows(
    xs: &Tensor,
    rows: &Tensor,
    row: &[usize],
    affine: Affine,
    dtype: DType,
) -> Result<Tensor> {
    let count = rows.elem_count();
    let width: usize = row.iter().product();
    let stride = xs.elem_count() / xs.dims()[0].max(1);
    let out = room([&[count], row].concat().into(), dtype, xs.device())?;
    let name = if xs.dtype() == DType::U8 { "gather_bytes" } else { "gather" };
    let args = [
        Arg::Out(&out),
        Arg::In(xs),
        Arg::In(rows),
        Arg::Count(count),
        Arg::Count(width),
        Arg::Count(stride),
        Arg::F64(affine.scale),
        Arg::F64(affine.shift),
    ];
    launch(xs.device(), Kernel::of(name, dtype), Threads::Each(count * width), &args)?;
    Ok(out)
}
