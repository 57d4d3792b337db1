//! A line search to a point that satisfies the strong Wolfe conditions, step by step as torch's: Nocedal and Wright,
//! Numerical Optimization, algorithms 3.5 and 3.6.

use super::closure::{Closure, add, dot, largest};
use crate::error::Result;

/// The loss must fall by this share of what the slope promises.
const SUFFICIENT_DECREASE: f64 = 1e-4;
/// The slope must fall to this share.
const CURVATURE: f64 = 0.9;

/// Where a search begins.
#[derive(Clone, Copy)]
pub(super) struct Start<'a> {
    pub point: &'a [f64],
    pub direction: &'a [f64],
    pub loss: f64,
    pub grad: &'a [f64],
    /// The directional derivative.
    pub slope: f64,
}

/// A point on the line.
#[derive(Clone)]
struct Trial {
    t: f64,
    loss: f64,
    grad: Vec<f64>,
    slope: f64,
}

/// Where a search ends.
pub(super) struct End {
    pub t: f64,
    pub loss: f64,
    pub grad: Vec<f64>,
    pub evaluations: u64,
}

impl Start<'_> {
    fn evaluate(&self, t: f64, evaluate: &mut Closure<'_>) -> Result<Trial> {
        let mut point = self.point.to_vec();
        add(&mut point, t, self.direction);
        let (loss, grad) = evaluate(&point)?;
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

/// Searches from the step length `t`, with at most `max_trials` trials after the first.
pub(super) fn search(
    start: &Start<'_>,
    t: f64,
    (tolerance_change, max_trials): (f64, u64),
    evaluate: &mut Closure<'_>,
) -> Result<End> {
    let mut trial = start.evaluate(t, evaluate)?;
    let mut previous = Trial { t: 0.0, loss: start.loss, grad: start.grad.to_vec(), slope: start.slope };
    let mut trials = 0;
    let bracket = loop {
        if trials >= max_trials {
            let origin = Trial { t: 0.0, loss: start.loss, grad: start.grad.to_vec(), slope: start.slope };
            break [origin, trial];
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
    zoom(start, bracket, (tolerance_change, max_trials, trials), evaluate)
}

fn end(trial: Trial, evaluations: u64) -> End {
    End { t: trial.t, loss: trial.loss, grad: trial.grad, evaluations }
}

/// Narrows a bracket that holds a point satisfying the conditions.
fn zoom(
    start: &Start<'_>,
    bracket: [Trial; 2],
    (tolerance_change, max_trials, mut trials): (f64, u64, u64),
    evaluate: &mut Closure<'_>,
) -> Result<End> {
    let width = largest(start.direction);
    let [a, b] = bracket;
    // The places matter: torch interpolates from the first to the second, whichever is lower.
    let mut ends = [a, b];
    let mut low = usize::from(ends[0].loss > ends[1].loss);
    let mut stuck = false;
    while trials < max_trials && (ends[1].t - ends[0].t).abs() * width >= tolerance_change {
        let (least, most) = (ends[0].t.min(ends[1].t), ends[0].t.max(ends[1].t));
        let mut t = interpolate(&ends[0], &ends[1], (least, most));
        // A trial close to an end makes too little progress; the second time it moves inwards.
        let margin = 0.1 * (most - least);
        if (most - t).min(t - least) < margin {
            if stuck || t >= most || t <= least {
                t = if (t - most).abs() < (t - least).abs() { most - margin } else { least + margin };
                stuck = false;
            } else {
                stuck = true;
            }
        } else {
            stuck = false;
        }
        let trial = start.evaluate(t, evaluate)?;
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
