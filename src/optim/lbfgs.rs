//! L-BFGS: Nocedal 1980, Liu and Nocedal 1989,
//! <https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html>.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use candle_core::{Device, Tensor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::closure::{Closure, ClosureEnd, ClosureRule, ClosureState, LossAndGrad, add, dot, largest};
use super::strong_wolfe::{self, SearchEnd, SearchLimits, SearchStart};
use super::{Common, Optimize, UpdateKind, check_non_negative};
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
    fn direction(&self, history: &mut ClosureState, grad: &[f64]) -> Vec<f64> {
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
            history.old_dirs.push_back(Arc::new(y));
            history.old_stps.push_back(Arc::new(s));
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

/// The state of an update in progress.
struct LbfgsUpdate<'a> {
    point: &'a mut Vec<f64>,
    history: &'a mut ClosureState,
    /// Loss and gradient at the point.
    here: LossAndGrad,
    /// Evaluations of the loss that are left.
    evaluations_left: u64,
    /// The directional derivative of the next step.
    slope: f64,
}

impl LbfgsUpdate<'_> {
    /// Moves by `t` along the direction.
    fn advance(&mut self, t: f64) {
        add(self.point, t, &self.history.d);
        self.history.t = t;
    }

    /// Takes the loss and the gradient at the point, which took `evaluations` evaluations to find.
    fn observe(&mut self, here: LossAndGrad, evaluations: u64) {
        self.here = here;
        self.history.func_evals += evaluations;
        self.evaluations_left = self.evaluations_left.saturating_sub(evaluations);
    }
}

impl Lbfgs {
    /// Chooses the direction of the next step, and its length.
    fn turn(&self, walk: &mut LbfgsUpdate<'_>, lr: f64) {
        let LbfgsUpdate { history, here: LossAndGrad { loss, grad }, .. } = walk;
        history.n_iter += 1;
        history.d = self.direction(history, grad);
        history.prev_flat_grad.clone_from(grad);
        history.prev_loss = *loss;
        let first = history.n_iter == 1;
        history.t = if first { (1.0 / grad.iter().map(|g| g.abs()).sum::<f64>()).min(1.0) * lr } else { lr };
        walk.slope = dot(grad, &history.d);
    }

    /// Searches along the direction.
    fn search(&self, walk: &LbfgsUpdate<'_>, evaluate: &mut Closure<'_>) -> Result<SearchEnd> {
        let limits =
            SearchLimits { tolerance_change: self.tolerance_change, max_trials: walk.evaluations_left };
        let LbfgsUpdate { point, history: ClosureState { d: direction, t, .. }, here, slope, .. } = walk;
        let start = SearchStart { point, direction, loss: here.loss, grad: &here.grad, slope: *slope };
        strong_wolfe::search(&start, *t, limits, evaluate)
    }
}

impl ClosureRule for Lbfgs {
    fn update(
        &self,
        point: &mut Vec<f64>,
        history: &mut ClosureState,
        lr: f64,
        evaluate: &mut Closure<'_>,
    ) -> Result<ClosureEnd> {
        let Some(here) = evaluate(point)? else { return Ok(ClosureEnd::NotFinite) };
        history.func_evals += 1;
        let evaluations_left = self.max_eval.unwrap_or(self.max_iter.saturating_mul(5) / 4).saturating_sub(1);
        let mut walk = LbfgsUpdate { point, history, here, evaluations_left, slope: 0.0 };
        for iteration in 1..=self.max_iter {
            if largest(&walk.here.grad) <= self.tolerance_grad {
                break;
            }
            self.turn(&mut walk, lr);
            if walk.slope > -self.tolerance_change {
                break;
            }
            if self.line_search_fn.is_some() {
                let SearchEnd { t, here, evaluations } = self.search(&walk, evaluate)?;
                walk.advance(t);
                walk.observe(here, evaluations);
            } else {
                walk.advance(walk.history.t);
                if iteration < self.max_iter {
                    let Some(here) = evaluate(walk.point)? else { return Ok(ClosureEnd::NotFinite) };
                    walk.observe(here, 1);
                }
            }
            let ClosureState { d, t, prev_loss, .. } = &walk.history;
            let still = largest(d) * t.abs() <= self.tolerance_change
                || (walk.here.loss - prev_loss).abs() < self.tolerance_change;
            if walk.evaluations_left == 0 || still {
                break;
            }
        }
        Ok(ClosureEnd::Made)
    }
}

impl ClosureState {
    /// The state by torch's names.
    pub(super) fn tensors(&self) -> Result<BTreeMap<&'static str, Tensor>> {
        let stack = |rows: &VecDeque<Arc<Vec<f64>>>| {
            let flat: Vec<f64> = rows.iter().flat_map(|row| row.iter().copied()).collect();
            Tensor::from_vec(flat, (rows.len(), rows.front().map_or(0, |row| row.len())), &Device::Cpu)
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
    ) -> Result<Self, ClosureStateError> {
        let get = |name: &'static str| tensor(name).ok_or(ClosureStateError::Missing(name));
        let count = |name| -> Result<u64, ClosureStateError> {
            Ok(get(name)?.to_dtype(candle_core::DType::I64)?.to_scalar::<i64>()?.cast_unsigned())
        };
        let (func_evals, n_iter) = (count("func_evals")?, count("n_iter")?);
        if n_iter == 0 {
            return Ok(Self { func_evals, ..Self::default() });
        }
        let wide =
            |name| -> Result<Tensor, ClosureStateError> { Ok(get(name)?.to_dtype(candle_core::DType::F64)?) };
        let rows = |name| -> Result<VecDeque<Arc<Vec<f64>>>, ClosureStateError> {
            Ok(wide(name)?.to_vec2()?.into_iter().map(Arc::new).collect())
        };
        Ok(Self {
            d: wide("d")?.to_vec1()?,
            t: wide("t")?.to_scalar()?,
            old_dirs: rows("old_dirs")?,
            old_stps: rows("old_stps")?,
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
pub(super) enum ClosureStateError {
    /// There is no tensor of this name.
    Missing(&'static str),
    /// One is of another shape or type.
    Tensor(candle_core::Error),
}

impl From<candle_core::Error> for ClosureStateError {
    fn from(error: candle_core::Error) -> Self {
        Self::Tensor(error)
    }
}
