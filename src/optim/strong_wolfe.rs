//! A line search to a point that satisfies the strong Wolfe conditions, step by step as torch's: Nocedal and Wright,
//! Numerical Optimization, algorithms 3.5 and 3.6.

use super::closure::{Closure, LossAndGrad, add, dot, largest};
use crate::error::Result;

/// The loss must fall by this share of the decrease that the slope predicts.
const SUFFICIENT_DECREASE: f64 = 1e-4;
/// The slope must fall to this share.
const CURVATURE: f64 = 0.9;

/// The start of a line search.
#[derive(Clone, Copy)]
pub(super) struct SearchStart<'a> {
    pub point: &'a [f64],
    pub direction: &'a [f64],
    pub loss: f64,
    pub grad: &'a [f64],
    /// The directional derivative.
    pub slope: f64,
}

/// When a search ends before its conditions are met.
#[derive(Clone, Copy)]
pub(super) struct SearchLimits {
    /// Brackets in which no weight changes by more are not narrowed.
    pub tolerance_change: f64,
    /// The most trials after the first.
    pub max_trials: u64,
}

/// A point on the line.
#[derive(Clone)]
struct Trial {
    t: f64,
    loss: f64,
    grad: Vec<f64>,
    slope: f64,
}

/// The result of a line search.
pub(super) struct SearchEnd {
    pub t: f64,
    /// Loss and gradient there.
    pub here: LossAndGrad,
    pub evaluations: u64,
}

impl SearchStart<'_> {
    fn origin(&self) -> Trial {
        Trial { t: 0.0, loss: self.loss, grad: self.grad.to_vec(), slope: self.slope }
    }

    fn evaluate(&self, t: f64, evaluate: &mut Closure<'_>) -> Result<Trial> {
        let mut point = self.point.to_vec();
        add(&mut point, t, self.direction);
        // A trial too far out is one with too high a loss: the search comes back from it.
        let far = || LossAndGrad { loss: f64::INFINITY, grad: vec![0.0; point.len()] };
        let LossAndGrad { loss, grad } = evaluate(&point)?.unwrap_or_else(far);
        let slope = dot(&grad, self.direction);
        Ok(Trial { t, loss, grad, slope })
    }

    /// Whether the loss did not fall enough.
    fn too_high(&self, trial: &Trial) -> bool {
        trial.loss > self.loss + SUFFICIENT_DECREASE * trial.t * self.slope
    }

    fn flat_enough(&self, trial: &Trial) -> bool {
        trial.slope.abs() <= -CURVATURE * self.slope
    }
}

/// Searches from the step length `t`.
pub(super) fn search(
    start: &SearchStart<'_>,
    t: f64,
    limits: SearchLimits,
    evaluate: &mut Closure<'_>,
) -> Result<SearchEnd> {
    let mut trial = start.evaluate(t, evaluate)?;
    let mut previous = start.origin();
    let mut trials = 0;
    let bracket = loop {
        if trials >= limits.max_trials {
            break [start.origin(), trial];
        }
        if start.too_high(&trial) || (trials > 1 && trial.loss >= previous.loss) {
            break [previous, trial];
        }
        if start.flat_enough(&trial) {
            return Ok(end(trial, trials + 1));
        }
        if trial.slope >= 0.0 {
            break [previous, trial];
        }
        let bounds = (trial.t + 0.01 * (trial.t - previous.t), trial.t * 10.0);
        let next = start.evaluate(interpolate(&previous, &trial, bounds), evaluate)?;
        previous = std::mem::replace(&mut trial, next);
        trials += 1;
    };
    let rest = SearchLimits { max_trials: limits.max_trials - trials, ..limits };
    let end = zoom(start, bracket, rest, evaluate)?;
    Ok(SearchEnd { evaluations: trials + end.evaluations, ..end })
}

fn end(trial: Trial, evaluations: u64) -> SearchEnd {
    SearchEnd { t: trial.t, here: LossAndGrad { loss: trial.loss, grad: trial.grad }, evaluations }
}

/// Narrows a bracket that holds a point satisfying the conditions.
fn zoom(
    start: &SearchStart<'_>,
    bracket: [Trial; 2],
    limits: SearchLimits,
    evaluate: &mut Closure<'_>,
) -> Result<SearchEnd> {
    let width = largest(start.direction);
    // The places matter: torch interpolates from the first to the second, whichever is lower.
    let mut ends = bracket;
    let mut low = usize::from(ends[0].loss > ends[1].loss);
    let (mut trials, mut stuck) = (0, false);
    while trials < limits.max_trials && (ends[1].t - ends[0].t).abs() * width >= limits.tolerance_change {
        let trial = start.evaluate(next_trial(&ends, &mut stuck), evaluate)?;
        trials += 1;
        let high = 1 - low;
        if start.too_high(&trial) || trial.loss >= ends[low].loss {
            ends[high] = trial;
            low = usize::from(ends[0].loss > ends[1].loss);
        } else {
            let done = start.flat_enough(&trial);
            if !done && trial.slope * (ends[high].t - ends[low].t) >= 0.0 {
                ends[high] = ends[low].clone();
            }
            ends[low] = trial;
            if done {
                break;
            }
        }
    }
    let [a, b] = ends;
    Ok(end(if low == 0 { a } else { b }, trials + 1))
}

/// The step length to try next within a bracket. A trial close to an end makes too little progress; the second time,
/// when the search is `stuck`, it moves inwards.
fn next_trial([a, b]: &[Trial; 2], stuck: &mut bool) -> f64 {
    let (least, most) = (a.t.min(b.t), a.t.max(b.t));
    let t = interpolate(a, b, (least, most));
    let margin = 0.1 * (most - least);
    let is_close = (most - t).min(t - least) < margin;
    let moves_inwards = is_close && (*stuck || t >= most || t <= least);
    *stuck = is_close && !moves_inwards;
    if !moves_inwards {
        t
    } else if (t - most).abs() < (t - least).abs() {
        most - margin
    } else {
        least + margin
    }
}

/// The minimum of the cubic through two points and their slopes, within bounds.
fn interpolate(a: &Trial, b: &Trial, (least, most): (f64, f64)) -> f64 {
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let square = d1 * d1 - a.slope * b.slope;
    if square < 0.0 || square.is_nan() {
        return f64::midpoint(least, most);
    }
    let d2 = square.sqrt();
    let minimum = if a.t <= b.t {
        b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2))
    } else {
        a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2.0 * d2))
    };
    minimum.max(least).min(most)
}
