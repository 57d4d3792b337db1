//! L-BFGS for a smooth convex function of a few thousand numbers: Nocedal and Wright, "Numerical Optimization", 7.4, with
//! a backtracking line search.

use std::collections::VecDeque;

use crate::error::Result;

/// The steps that it remembers, and the most that it makes.
const MEMORY: usize = 10;
const STEPS: usize = 200;
/// The most halvings of a step.
const HALVINGS: usize = 40;

/// A value and the gradient there.
pub(super) struct Evaluated {
    pub(super) value: f64,
    pub(super) gradient: Vec<f64>,
}

/// A step and the change of the gradient in it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A place, and the function there.
struct Iterate {
    at: Vec<f64>,
    here: Evaluated,
}

/// Goes from `at` to the minimum, until no element of the gradient is larger than `tolerance`.
pub(super) fn minimize(
    at: Vec<f64>,
    tolerance: f64,
    evaluate: impl Fn(&[f64]) -> Result<Evaluated>,
) -> Result<Vec<f64>> {
    let here = evaluate(&at)?;
    let mut point = Iterate { at, here };
    let mut pairs: VecDeque<Pair> = VecDeque::new();
    for _ in 0..STEPS {
        let largest = point.here.gradient.iter().fold(0.0f64, |largest, slope| largest.max(slope.abs()));
        if largest <= tolerance || !point.here.value.is_finite() {
            break;
        }
        let direction = direction(&point.here.gradient, &pairs);
        // The first step is of length 1 at most.
        let first = if pairs.is_empty() { 1.0 / largest.max(1.0) } else { 1.0 };
        let Some(next) = search(&point, &direction, first, &evaluate)? else { break };
        let minus = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let step = minus(&next.at, &point.at);
        let change = minus(&next.here.gradient, &point.here.gradient);
        if dot(&step, &change) > 0.0 {
            pairs.push_back(Pair { step, change });
            pairs.drain(..pairs.len().saturating_sub(MEMORY));
        }
        point = next;
    }
    Ok(point.at)
}

/// The first of `first`, half of it, … along a direction where the value falls enough; nothing where rounding hides it.
fn search(
    point: &Iterate,
    direction: &[f64],
    first: f64,
    evaluate: &impl Fn(&[f64]) -> Result<Evaluated>,
) -> Result<Option<Iterate>> {
    /// Armijo's share of the slope.
    const SHARE: f64 = 1e-4;
    let slope = dot(direction, &point.here.gradient);
    let mut length = first;
    for _ in 0..HALVINGS {
        let at: Vec<f64> = point.at.iter().zip(direction).map(|(at, way)| at + length * way).collect();
        let here = evaluate(&at)?;
        if here.value <= point.here.value + SHARE * length * slope {
            return Ok(Some(Iterate { at, here }));
        }
        length /= 2.0;
    }
    Ok(None)
}

/// The two-loop recursion.
fn direction(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut factors = Vec::with_capacity(pairs.len());
    for Pair { step, change } in pairs.iter().rev() {
        let factor = dot(step, &direction) / dot(step, change);
        direction.iter_mut().zip(change).for_each(|(own, change)| *own -= factor * change);
        factors.push(factor);
    }
    if let Some(Pair { step, change }) = pairs.back() {
        let scale = dot(step, change) / dot(change, change);
        direction = direction.into_iter().map(|own| own * scale).collect();
    }
    for (Pair { step, change }, factor) in pairs.iter().zip(factors.into_iter().rev()) {
        let back = factor - dot(change, &direction) / dot(step, change);
        direction.iter_mut().zip(step).for_each(|(own, step)| *own += back * step);
    }
    direction
}
