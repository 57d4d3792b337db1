//! One pass over weight, gradient and moments: runs an optimizer's per-element formula in place.

mod transform;

use std::ops::RangeInclusive;

use candle_core::{Result, Tensor, Var};

use super::real::{PerElement, Real, Updated};
use super::recorded::Recording;
use super::storage::{Float, edit, view};
use super::symbolic::FormulaTensors;
use super::vectorized::vectorized;
use super::{by_dtype, cuda, is_fused, team};
pub use transform::{Condition, GradTransform};

/// `p ← p - lr g`
#[derive(Debug, Clone, Copy)]
pub struct Descend(pub f64);

impl PerElement for Descend {
    const NAME: &str = "descend";
    const SLOTS: RangeInclusive<usize> = 0..=0;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, p: R, g: R, slots: [R; S]) -> Updated<R, S> {
        Updated { param: p - g.scale(self.0), slots }
    }
}

/// Writes the gradient in place of the weight.
struct Take;

impl PerElement for Take {
    const NAME: &str = "take";
    const SLOTS: RangeInclusive<usize> = 0..=0;

    #[inline(always)]
    fn apply<R: Real, const S: usize>(&self, _: R, g: R, slots: [R; S]) -> Updated<R, S> {
        Updated { param: g, slots }
    }
}

/// The transformed gradient, for rules that look at more than one element of it.
pub fn gradient(transform: &GradTransform<'_>, param: &Var, grad: &Tensor) -> Result<Tensor> {
    let taken = Var::from_tensor(&param.as_detached_tensor().copy()?)?;
    update(&Take, transform, &taken, grad, &[])?;
    Ok(taken.as_detached_tensor())
}

/// A formula as a GPU's kernel has it, for parameters with `slots` slots; `None` if no kernel takes that number.
pub fn record<P: PerElement>(rule: &P, slots: usize) -> Option<Recording> {
    match slots {
        0 if const { takes::<P>(0) } => Some(Recording::of::<_, 0>(rule)),
        1 if const { takes::<P>(1) } => Some(Recording::of::<_, 1>(rule)),
        2 if const { takes::<P>(2) } => Some(Recording::of::<_, 2>(rule)),
        3 if const { takes::<P>(3) } => Some(Recording::of::<_, 3>(rule)),
        _ => None,
    }
}

/// Whether a formula has a loop for this number of slots. As a constant it leaves the others out of the program.
const fn takes<P: PerElement>(slots: usize) -> bool {
    let taken = P::SLOTS;
    *taken.start() <= slots && slots <= *taken.end()
}

/// The formulas shared by rules that are not per-element.
pub fn shared_recordings() -> [Recording; 2] {
    [Recording::of::<_, 0>(&Descend(0.0)), Recording::of::<_, 0>(&Take)]
}

/// Updates `param` and its `slots` in place, from `grad`.
pub fn update<P: PerElement>(
    rule: &P,
    transform: &GradTransform<'_>,
    param: &Var,
    grad: &Tensor,
    slots: &[Var],
) -> Result<()> {
    match slots {
        [] if const { takes::<P>(0) } => run::<0>(rule, transform, param, grad, []),
        [a] if const { takes::<P>(1) } => run(rule, transform, param, grad, [a]),
        [a, b] if const { takes::<P>(2) } => run(rule, transform, param, grad, [a, b]),
        [a, b, c] if const { takes::<P>(3) } => run(rule, transform, param, grad, [a, b, c]),
        other => candle_core::bail!("{} has no kernel for {} slots", P::NAME, other.len()),
    }
}

fn run<const S: usize>(
    rule: &impl PerElement,
    transform: &GradTransform<'_>,
    param: &Var,
    grad: &Tensor,
    slots: [&Var; S],
) -> Result<()> {
    if cuda::runs_on(param) || transform.condition.is_some() {
        return cuda::update::update(&Recording::of::<_, S>(rule), transform, param, grad, &slots);
    }
    if !is_fused(param) {
        return reference(rule, transform, param, grad, slots);
    }
    by_dtype!(param, T => {
        let g = view::<T>(grad)?;
        edit::<T, _>(param, |p| with_slots(&slots, [const { None }; S], &mut |slots: Open<'_, T, S>| {
            sweep(rule, transform, p, &g, slots.map(Option::unwrap_or_default));
        }))?
    })
}

/// Slots that are open for writing; `None` for those not opened yet.
type Open<'a, T, const S: usize> = [Option<&'a mut [T]>; S];

/// Opens the slots one inside the other: candle gives one mutable tensor at a time.
fn with_slots<'a, T: Float, const S: usize>(
    slots: &[&Var],
    mut open: Open<'a, T, S>,
    f: &mut dyn FnMut(Open<'_, T, S>),
) -> Result<()> {
    let Some((first, rest)) = slots.split_first() else {
        f(open);
        return Ok(());
    };
    edit::<T, _>(first, |slot| {
        let mut open: Open<'_, T, S> = open.each_mut().map(|slot| slot.as_deref_mut());
        open[S - slots.len()] = Some(slot);
        with_slots(rest, open, f)
    })?
}

/// Elements that one thread takes at a time.
pub(super) const CHUNK: usize = 1 << 14;

/// The fused loop, in chunks of fixed size for the threads.
///
/// State below the smallest normal number is flushed to 0: the moments of a dead unit halve their way down
/// to subnormal numbers, on which arithmetic is a hundred times slower.
fn sweep<T: Float, const S: usize>(
    rule: &impl PerElement,
    transform: &GradTransform<'_>,
    p: &mut [T],
    g: &[T],
    slots: [&mut [T]; S],
) {
    let mut slots = slots.map(|slot| slot.chunks_mut(CHUNK));
    let mut chunks = Vec::with_capacity(p.len().div_ceil(CHUNK));
    for (p, g) in p.chunks_mut(CHUNK).zip(g.chunks(CHUNK)) {
        let slots: [&mut [T]; S] = slots.each_mut().map(|slot| slot.next().unwrap_or_default());
        chunks.push((p, g, slots));
    }
    let bound = transform.clamp;
    team::for_each(chunks, |(p, g, slots)| {
        // Inside the loop the clamp is computed for every element, even where its bound is infinite.
        let clamped = bound.is_finite().then(|| {
            let mut g = g.to_vec();
            clamp(&mut g, bound);
            g
        });
        elements(rule, transform, p, clamped.as_deref().unwrap_or(g), slots);
    });
}

/// Flushes subnormal weights to zero. Decayed weights without gradient become subnormal, where arithmetic is 100 times
/// slower on a CPU.
pub fn flush(param: &Var) -> Result<()> {
    if !is_fused(param) {
        return Ok(());
    }
    by_dtype!(param, T => {
        edit::<T, _>(param, |p| team::for_each(p.chunks_mut(CHUNK).collect(), flush_all))
    })
}

vectorized! {
    fn flush_all[T: Float](p: &mut [T]) {
        for p in p {
            *p = p.flushed();
        }
    }
}

vectorized! {
    fn clamp[T: Float](g: &mut [T], bound: f64) {
        for g in g {
            *g = g.clamp_to(bound);
        }
    }
}

vectorized! {
    /// Updates the elements of a parameter, whose gradient is clamped already.
    fn elements[P: PerElement, T: Float, const S: usize](rule: &P, transform: &GradTransform<'_>, p: &mut [T], g: &[T], slots: [&mut [T]; S]) {
        let n = p.len();
        let (p, g) = (&mut p[..n], &g[..n]);
        let slots = slots.map(|slot| &mut slot[..n]);
        for i in 0..n {
            let (value, gradient) = transform.apply_to_clamped(p[i], g[i]);
            // Not `from_fn`: its closure is a call that is not always inlined, and keeps the loop from being vectorised.
            let mut state = [T::zero(); S];
            for s in 0..S {
                state[s] = slots[s][i];
            }
            let Updated { param: value, slots: state } = rule.apply(value, gradient, state);
            p[i] = value;
            for s in 0..S {
                slots[s][i] = state[s].flushed();
            }
        }
    }
}

/// The reference implementation: the same formula over tensors.
pub fn reference<const S: usize>(
    rule: &impl PerElement,
    transform: &GradTransform<'_>,
    param: &Var,
    grad: &Tensor,
    slots: [&Var; S],
) -> Result<()> {
    let formula = FormulaTensors::default();
    let p = formula.node(param.as_detached_tensor());
    let (p, g) = transform.apply(p, formula.node(grad.clone()));
    let state = slots.map(|slot| formula.node(slot.as_detached_tensor()));
    let Updated { param: p, slots: state } = rule.apply(p, g, state);
    // A rule may give a slot back as it was; a variable cannot be set to itself.
    let fresh = |node| formula.value(node).and_then(|tensor| tensor.copy());
    param.set(&fresh(p)?)?;
    for (slot, node) in slots.into_iter().zip(state) {
        slot.set(&fresh(node)?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;

    /// Uses every operation a rule may use.
    struct EveryRuleOperation;

    impl PerElement for EveryRuleOperation {
        const NAME: &str = "busy";
        const SLOTS: RangeInclusive<usize> = 0..=3;

        fn apply<R: Real, const S: usize>(&self, p: R, g: R, mut slots: [R; S]) -> Updated<R, S> {
            let mut step = g.if_positive(g, g.scale(2.0));
            for slot in &mut slots {
                *slot = slot.scale(0.9) + step * step;
                step = step / slot.root().shift(1e-3).larger(step.magnitude());
            }
            Updated { param: p - step.scale(0.1), slots }
        }
    }

    #[test]
    fn the_fused_loop_matches_the_reference() {
        let draws = Draws::new(1);
        let random = |n: usize| draws.normal(n, 1.0);
        let ns = [1, 100, 200_001];
        for (n, clamp) in ns.into_iter().flat_map(|n| [(n, 1.5), (n, f64::INFINITY)]) {
            let transform =
                GradTransform { scale: -0.5, clamp, coupled: 0.01, keep: 0.99, ..GradTransform::NONE };
            for count in 0..4 {
                let (p, grad) = (random(n), random(n));
                let slots: Vec<Tensor> = (0..count).map(|_| random(n).abs().unwrap()).collect();
                let vars = || -> (Var, Vec<Var>) {
                    let var = |t: &Tensor| Var::from_tensor(t).unwrap();
                    (var(&p), slots.iter().map(var).collect())
                };
                let (fused, fused_slots) = vars();
                update(&EveryRuleOperation, &transform, &fused, &grad, &fused_slots).unwrap();
                let (expected, expected_slots) = vars();
                match expected_slots.as_slice() {
                    [] => reference::<0>(&EveryRuleOperation, &transform, &expected, &grad, []),
                    [a] => reference(&EveryRuleOperation, &transform, &expected, &grad, [a]),
                    [a, b] => reference(&EveryRuleOperation, &transform, &expected, &grad, [a, b]),
                    [a, b, c] => reference(&EveryRuleOperation, &transform, &expected, &grad, [a, b, c]),
                    _ => unreachable!(),
                }
                .unwrap();
                for (a, b) in fused_slots.iter().zip(&expected_slots).chain([(&fused, &expected)]) {
                    let off = (a.as_tensor() - b.as_tensor()).unwrap().abs().unwrap().max_all().unwrap();
                    assert!(off.to_scalar::<f64>().unwrap() < 1e-12);
                }
            }
        }
    }
}
