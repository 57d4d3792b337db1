//! Loss functions.
//!
//! A loss returns a sum over rows, and the gradient of that sum divided by a number that the caller knows before the
//! first row. So a batch that is split gives the same gradient as the whole batch. Element-wise losses implement
//! `elementwise::Elementwise`.

pub mod bce_with_logits;
mod class_weight;
pub mod cross_entropy;
mod elementwise;
pub mod focal;
pub mod gaussian_nll;
pub mod hinge_embedding;
pub mod huber;
pub mod kl_div;
pub mod l1;
mod members;
pub mod mse;
pub mod nll;
mod output;
pub mod poisson_nll;
mod pos_weight;
pub mod smooth_l1;
mod variance;

use candle_core::{DType, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Task};
use crate::error::{Error, Result};
use crate::kernels::ValueAndGrad;
use crate::registry;
use crate::registry::KeyError;

pub use class_weight::{ClassWeight, TrainingClasses, Weights};
pub use output::{AverageOutputs, NetworkOutput};
pub use pos_weight::PosWeight;
pub use variance::Variance;

/// A loss function.
pub trait Loss {
    /// The kind of targets.
    fn task(&self) -> Task;

    /// Validates the options.
    fn check(&self) -> Result<(), KeyError>;

    /// Checks the options against the number of classes or target values.
    fn check_outputs(&self, _outputs: usize) -> Result<(), KeyError> {
        Ok(())
    }

    /// The problem with targets that this loss cannot use, if there is one.
    fn check_targets(&self, _ys: &Tensor) -> Result<Option<String>> {
        Ok(None)
    }

    /// The least value that a target can have, where there is one.
    fn target_minimum(&self) -> Option<f64> {
        None
    }

    /// The number of network outputs for this many classes or target values.
    fn width(&self, outputs: usize) -> usize {
        outputs
    }

    /// Whether targets may be standardized, `(y - mean) / std`: true where the loss depends on differences alone.
    fn standardizes(&self) -> bool {
        false
    }

    /// Whether the gradient is that of the mean or of the sum.
    fn reduction(&self) -> Reduction;

    /// The divisor that turns the sum over these targets into the mean.
    fn total(&self, ys: &Tensor) -> Result<f64> {
        self.weighted_total(ys, None)
    }

    /// The same of rows that count as often as their weights say, (N) of F64.
    fn weighted_total(&self, ys: &Tensor, rows: Option<&Tensor>) -> Result<f64>;

    /// Whether one of the rows that [`Self::total`] counts has a weight, where the mean is over the rows and not over their
    /// weights.
    fn has_weight(&self, _ys: &Tensor) -> Result<bool> {
        Ok(true)
    }

    /// The sum of the losses of the network's values (N, K) against targets ys, and the gradient of that sum over
    /// `divisor`.
    fn value_and_grad(&self, outputs: &Tensor, ys: &Tensor, divisor: f64) -> Result<ValueAndGrad> {
        self.weighted_value_and_grad(outputs, ys, None, divisor)
    }

    /// The same of rows that count as often as their weights say, (N) of F64.
    fn weighted_value_and_grad(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        rows: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad>;

    /// The meaning of the network's outputs.
    fn output(&self) -> NetworkOutput;

    /// The predictions (N, K) in the targets' terms, probabilities or values, from the network's values.
    fn predict(&self, outputs: &Tensor) -> Result<Tensor> {
        self.output().predict(outputs)
    }

    /// This loss with the weights of the classes in order, where it has some.
    fn fitted(&self, _classes: &TrainingClasses<'_>) -> Result<Option<Losses>, KeyError> {
        Ok(None)
    }
}

registry! {
    /// The known losses, by `loss.name`.
    pub enum Losses: "loss", Loss {
        "cross_entropy" => CrossEntropy(cross_entropy::CrossEntropy),
        "nll" => Nll(nll::Nll),
        "focal" => Focal(focal::Focal),
        "bce_with_logits" => BceWithLogits(bce_with_logits::BceWithLogits),
        "mse" => Mse(mse::Mse),
        "l1" => L1(l1::L1),
        "smooth_l1" => SmoothL1(smooth_l1::SmoothL1),
        "huber" => Huber(huber::Huber),
        "poisson_nll" => PoissonNll(poisson_nll::PoissonNll),
        "gaussian_nll" => GaussianNll(gaussian_nll::GaussianNll),
        "hinge_embedding" => HingeEmbedding(hinge_embedding::HingeEmbedding),
        "kl_div" => KlDiv(kl_div::KlDiv),
    }
}

/// The reduction of a batch's losses for the gradient. The reported loss is always the mean, so that batch sizes can be
/// compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// The mean over rows, or over rows and values.
    #[default]
    Mean,
    /// The sum.
    Sum,
}

impl Losses {
    /// The divisor of the gradient: `total` for the mean, 1 for the sum.
    pub fn divisor(&self, total: f64) -> f64 {
        match self.reduction() {
            Reduction::Mean => total,
            Reduction::Sum => 1.0,
        }
    }

    /// As [`Loss::weighted_value_and_grad`], computed in f32 at least: a sum over rows needs the bits. Of an ensemble, whose outputs
    /// are (N, M, K), it is the mean over the M members.
    pub fn apply(
        &self,
        outputs: &Tensor,
        ys: &Tensor,
        rows: Option<&Tensor>,
        divisor: f64,
    ) -> Result<ValueAndGrad> {
        let (wide, targets) = (widened(outputs)?, widened(ys)?);
        let ValueAndGrad { value, grad } = if wide.rank() == 3 {
            self.apply_to_members(&wide, &targets, rows, divisor)?
        } else {
            self.weighted_value_and_grad(&wide, &targets, rows, divisor)?
        };
        Ok(ValueAndGrad { value, grad: grad.to_dtype(outputs.dtype())? })
    }

    /// Fits the loss to the training rows: checks the targets, puts weights by name in order, and computes balanced ones
    /// where the config asks for them.
    pub fn fit(&self, train: &Dataset, outputs: usize) -> Result<Self> {
        self.check_outputs(outputs).map_err(|e| Error::Key(e.under("loss")))?;
        let mut counts = vec![0.0; outputs];
        for rows in train.chunks() {
            let ys = train.targets(&rows)?;
            if let Some(problem) = self.check_targets(&ys)? {
                return Err(Error::key("loss.name", format!("is `{}`; {problem}", self.name())));
            }
            if let Task::Classes { ignored, .. } = self.task() {
                class_weight::count(&ys, train.row_weights(&rows)?.as_ref(), ignored, &mut counts)?;
            }
        }
        let info = train.target_info();
        let names = match self.task() {
            Task::Labels if outputs == 1 => info.classes.get(1..).unwrap_or_default(),
            Task::Labels | Task::Values => &info.targets,
            Task::Classes { .. } => &info.classes,
        };
        let fitted = self.fitted(&TrainingClasses { names, counts: &counts });
        Ok(fitted.map_err(|e| Error::Key(e.under("loss")))?.unwrap_or_else(|| self.clone()))
    }
}

/// The sum of the weights of rows, (N) of F64; their number where they have none.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn rows_of(ys: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
    match rows {
        Some(rows) => Ok(rows.to_vec1::<f64>()?.iter().sum()),
        None => Ok(ys.dims()[0] as f64),
    }
}

/// The number of the values in rows, each of which counts as often as its row's weight says.
#[allow(clippy::cast_precision_loss, reason = "a count of values")]
fn numbers_of(ys: &Tensor, rows: Option<&Tensor>) -> Result<f64> {
    Ok(rows_of(ys, rows)? * (ys.elem_count() / ys.dims()[0].max(1)) as f64)
}

/// The first target that does not satisfy `fits`.
fn first_not(ys: &Tensor, fits: impl Fn(f64) -> bool) -> Result<Option<f64>> {
    let ys = ys.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    Ok(ys.into_iter().find(|y| !fits(*y)))
}

/// The same numbers in f32, where they have fewer bits.
pub(crate) fn widened(xs: &Tensor) -> Result<Tensor> {
    let narrow = matches!(xs.dtype(), DType::BF16 | DType::F16);
    Ok(if narrow { xs.to_dtype(DType::F32)? } else { xs.clone() })
}
