//! Softmax and cross-entropy.

use candle_core::{Result, Tensor};

use super::launch::{Arg, Kernel, Threads, launch};
use super::{room, room_for_sums, total};
use crate::kernels::cross_entropy::{OfLikelihood, Scores, Weighting};
use crate::kernels::{Scalar, ValueAndGrad};

/// As `cross_entropy::value_and_grad`.
pub(in crate::kernels) fn value_and_grad(
    logits: &Tensor,
    targets: &Tensor,
    how: &Weighting<'_>,
    divisor: f64,
) -> Result<ValueAndGrad> {
    let weight_sum = (0..logits.dims2()?.1).map(|class| how.weight(class)).sum();
    let more =
        [Arg::F64(weight_sum), Arg::F64(how.label_smoothing), Arg::I64(how.ignore_index), Arg::F64(divisor)];
    by_rows("cross_entropy", logits, targets, how.class_weight, &more)
}

/// As `cross_entropy::value_and_grad_of_likelihood`.
pub(in crate::kernels) fn value_and_grad_of_likelihood(
    loss: &impl OfLikelihood,
    Scores { values, are_normalized }: Scores<'_>,
    targets: &Tensor,
    ignored: i64,
    divisor: f64,
) -> Result<ValueAndGrad> {
    let more =
        [Arg::F64(loss.gamma()), Arg::U32(u32::from(are_normalized)), Arg::I64(ignored), Arg::F64(divisor)];
    by_rows("likelihood", values, targets, loss.weights(), &more)
}

/// The sum of the rows' losses and its gradient, by a kernel that takes `more` after the common arguments.
fn by_rows(
    name: &str,
    logits: &Tensor,
    targets: &Tensor,
    weights: Option<&[f64]>,
    more: &[Arg<'_>],
) -> Result<ValueAndGrad> {
    let (count, classes) = logits.dims2()?;
    let weights = weights.map(|weights| Tensor::new(weights, logits.device())).transpose()?;
    let grad = room(logits.shape(), logits)?;
    let losses = room_for_sums(count, logits.device())?;
    let args = [
        Arg::Out(&grad),
        Arg::Out(&losses),
        Arg::In(logits),
        Arg::In(targets),
        Arg::or_null(weights.as_ref()),
        Arg::Count(count),
        Arg::Count(classes),
    ];
    let args = [&args, more].concat();
    launch(logits.device(), Kernel::of(name, logits.dtype()), Threads::Rows(count), &args)?;
    Ok(ValueAndGrad { value: Scalar::Device(total(&losses)?), grad })
}
