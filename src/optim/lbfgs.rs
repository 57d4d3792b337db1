//! L-BFGS: Nocedal 1980, Liu and Nocedal 1989,
//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html>.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::closure::{Closure, ClosureRule, History, add, dot, largest};
use super::{Common, Optimize, UpdateKind, check_non_negative, strong_wolfe};
use crate::error::Result;
use crate::registry::KeyError;

/// Steps along the gradient times an approximate inverse Hessian, from the last differences of gradients. One update
/// makes up to `max_iter` iterations on the same batch, so use it with full batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Lbfgs {
    /// The learning rate; with a line search, its initial step length.
    #[schemars(range(min = 0))]
    pub lr: f64,
    /// Maximum number of iterations per update.
    #[schemars(range(min = 1))]
    pub max_iter: u64,
    /// Maximum number of loss evaluations per update; default: `max_iter · 5 / 4`.
    #[schemars(range(min = 1))]
    pub max_eval: Option<u64>,
    /// Stop when no element of the gradient is larger.
    #[schemars(range(min = 0))]
    pub tolerance_grad: f64,
    /// Stop when the loss or the weights change by less.
    #[schemars(range(min = 0))]
    pub tolerance_change: f64,
    /// Number of past updates kept for the approximate inverse Hessian.
    #[schemars(range(min = 1))]
    pub history_size: usize,
    /// The line search; default: none, every step has length `lr`.
    pub line_search_fn: Option<LineSearch>,
    /// Maximise instead of minimise.
    pub maximize: bool,
}

/// Line searches, as in torch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineSearch {
    /// Searches for a point that satisfies the strong Wolfe conditions.
    StrongWolfe,
}

impl Default for Lbfgs {
    fn default() -> Self {
        Self {
            lr: 1.0,
            max_iter: 20,
            max_eval: None,
            tolerance_grad: 1e-7,
            tolerance_change: 1e-9,
            history_size: 100,
            line_search_fn: None,
            maximize: false,
        }
    }
}

impl Optimize for Lbfgs {
    fn common(&self) -> Common {
        Common { lr: self.lr, weight_decay: 0.0, decoupled: false, maximize: self.maximize }
    }

    fn check(&self) -> Result<(), KeyError> {
        if self.max_iter == 0 || self.max_eval == Some(0) {
            let key = if self.max_iter == 0 { "max_iter" } else { "max_eval" };
            return Err(KeyError::new(key, "is 0; it must be 1 or more"));
        }
        if self.history_size == 0 {
            return Err(KeyError::new("history_size", "is 0; it must be 1 or more"));
        }
        check_non_negative(&[
            ("tolerance_grad", self.tolerance_grad),
            ("tolerance_change", self.tolerance_change),
        ])
    }

    fn update_kind(&self) -> UpdateKind<'_> {
        UpdateKind::Closure(self)
    }
}

impl Lbfgs {
    /// The direction of the next step, by the two-loop recursion.
    fn direction(&self, history: &mut History, grad: &[f64]) -> Vec<f64> {
        if history.n_iter == 1 {
            history.h_diag = 1.0;
            return grad.iter().map(|g| -g).collect();
        }
        let y: Vec<f64> = grad.iter().zip(&history.prev_flat_grad).map(|(new, old)| new - old).collect();
        let s: Vec<f64> = history.d.iter().map(|d| d * history.t).collect();
        let curvature = dot(&y, &s);
        if curvature > 1e-10 {
            if history.old_dirs.len() == self.history_size {
                history.old_dirs.pop_front();
                history.old_stps.pop_front();
                history.ro.pop_front();
            }
            history.h_diag = curvature / dot(&y, &y);
            history.old_dirs.push_back(y);
            history.old_stps.push_back(s);
            history.ro.push_back(1.0 / curvature);
        }
        let past = || history.old_dirs.iter().zip(&history.old_stps).zip(&history.ro);
        let mut q: Vec<f64> = grad.iter().map(|g| -g).collect();
        let mut shares = Vec::with_capacity(history.ro.len());
        for ((dir, step), ro) in past().rev() {
            let share = dot(step, &q) * ro;
            add(&mut q, -share, dir);
            shares.push(share);
        }
        for x in &mut q {
            *x *= history.h_diag;
        }
        for (((dir, step), ro), share) in past().zip(shares.into_iter().rev()) {
            let back = dot(dir, &q) * ro;
            add(&mut q, share - back, step);
        }
        q
    }
}

impl ClosureRule for Lbfgs {
    fn update(
        &self,
        point: &mut Vec<f64>,
        history: &mut History,
        lr: f64,
        evaluate: &mut Closure<'_>,
    ) -> Result<()> {
        let max_eval = self.max_eval.unwrap_or(self.max_iter * 5 / 4);
        let (mut loss, mut grad) = evaluate(point)?;
        let mut evaluations = 1;
        history.func_evals += 1;
        if largest(&grad) <= self.tolerance_grad {
            return Ok(());
        }
        for iteration in 1..=self.max_iter {
            history.n_iter += 1;
            history.d = self.direction(history, &grad);
            history.prev_flat_grad.clone_from(&grad);
            history.prev_loss = loss;
            let first = history.n_iter == 1;
            history.t =
                if first { (1.0 / grad.iter().map(|g| g.abs()).sum::<f64>()).min(1.0) * lr } else { lr };
            let slope = dot(&grad, &history.d);
            if slope > -self.tolerance_change {
                break;
            }
            let mut made = 0;
            if self.line_search_fn.is_some() {
                let left = max_eval.saturating_sub(evaluations);
                let start = strong_wolfe::Start { point, direction: &history.d, loss, grad: &grad, slope };
                let end = strong_wolfe::search(&start, history.t, (self.tolerance_change, left), evaluate)?;
                (loss, grad, history.t, made) = (end.loss, end.grad, end.t, end.evaluations);
                add(point, history.t, &history.d);
            } else {
                add(point, history.t, &history.d);
                if iteration != self.max_iter {
                    (loss, grad) = evaluate(point)?;
                    made = 1;
                }
            }
            evaluations += made;
            history.func_evals += made;
            let still = largest(&history.d) * history.t.abs() <= self.tolerance_change
                || (loss - history.prev_loss).abs() < self.tolerance_change;
            if evaluations >= max_eval || largest(&grad) <= self.tolerance_grad || still {
                break;
            }
        }
        Ok(())
    }
}

impl History {
    /// The state by torch's names.
    pub(super) fn tensors(&self) -> Result<BTreeMap<&'static str, Tensor>> {
        let stack = |rows: &std::collections::VecDeque<Vec<f64>>| {
            let flat: Vec<f64> = rows.iter().flatten().copied().collect();
            Tensor::from_vec(flat, (rows.len(), rows.front().map_or(0, Vec::len)), &Device::Cpu)
        };
        let mut tensors = BTreeMap::new();
        if self.n_iter > 0 {
            let ro: Vec<f64> = self.ro.iter().copied().collect();
            tensors.insert("d", Tensor::new(self.d.as_slice(), &Device::Cpu)?);
            tensors.insert("t", Tensor::new(self.t, &Device::Cpu)?);
            tensors.insert("H_diag", Tensor::new(self.h_diag, &Device::Cpu)?);
            tensors.insert("prev_flat_grad", Tensor::new(self.prev_flat_grad.as_slice(), &Device::Cpu)?);
            tensors.insert("prev_loss", Tensor::new(self.prev_loss, &Device::Cpu)?);
            tensors.insert("old_dirs", stack(&self.old_dirs)?);
            tensors.insert("old_stps", stack(&self.old_stps)?);
            tensors.insert("ro", Tensor::new(ro.as_slice(), &Device::Cpu)?);
        }
        tensors.insert("func_evals", Tensor::new(self.func_evals.cast_signed(), &Device::Cpu)?);
        tensors.insert("n_iter", Tensor::new(self.n_iter.cast_signed(), &Device::Cpu)?);
        Ok(tensors)
    }

    /// Reads the state; the error names a missing tensor.
    pub(super) fn from_tensors(
        tensor: impl Fn(&'static str) -> Option<Tensor>,
    ) -> Result<Self, HistoryError> {
        let get = |name: &'static str| tensor(name).ok_or(HistoryError::Missing(name));
        let count = |name| -> Result<u64, HistoryError> {
            Ok(get(name)?.to_dtype(candle_core::DType::I64)?.to_scalar::<i64>()?.cast_unsigned())
        };
        let (func_evals, n_iter) = (count("func_evals")?, count("n_iter")?);
        if n_iter == 0 {
            return Ok(Self { func_evals, ..Self::default() });
        }
        let wide =
            |name| -> Result<Tensor, HistoryError> { Ok(get(name)?.to_dtype(candle_core::DType::F64)?) };
        Ok(Self {
            d: wide("d")?.to_vec1()?,
            t: wide("t")?.to_scalar()?,
            old_dirs: wide("old_dirs")?.to_vec2()?.into(),
            old_stps: wide("old_stps")?.to_vec2()?.into(),
            ro: wide("ro")?.to_vec1()?.into(),
            h_diag: wide("H_diag")?.to_scalar()?,
            prev_flat_grad: wide("prev_flat_grad")?.to_vec1()?,
            prev_loss: wide("prev_loss")?.to_scalar()?,
            func_evals,
            n_iter,
        })
    }
}

/// Why a history cannot be read.
#[derive(Debug)]
pub(super) enum HistoryError {
    /// There is no tensor of this name.
    Missing(&'static str),
    /// One is of another shape or type.
    Tensor(candle_core::Error),
}

impl From<candle_core::Error> for HistoryError {
    fn from(error: candle_core::Error) -> Self {
        Self::Tensor(error)
    }
}
