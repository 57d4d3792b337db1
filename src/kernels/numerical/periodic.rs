//! Numbers as the cosines and sines of learnt frequencies.

use std::f64::consts::PI;

use candle_core::{Result, Tensor};

use super::turn::turn;
use crate::kernels::buffers::filled;
use crate::kernels::storage::{Float, tensor, view};
use crate::kernels::vectorized::vectorized;
use crate::kernels::{GradOut, autograd, by_dtype, is_fused};

/// The frequencies w (F, K) and, where there are some, the phases b (F, K) of the features.
#[derive(Debug, Clone, Copy)]
pub struct Frequencies<'a> {
    /// The frequencies.
    pub w: &'a Tensor,
    /// The phases. Without them a feature has a cosine and a sine of each frequency, with them the cosine alone.
    pub b: Option<&'a Tensor>,
}

impl Frequencies<'_> {
    /// The components of a feature.
    fn components(self) -> Result<usize> {
        let frequencies = self.w.dim(1)?;
        Ok(if self.b.is_some() { frequencies } else { 2 * frequencies })
    }
}

/// The components of xs (N, F): `cos(2π w x)` and behind them `sin(2π w x)`, (N, F, 2K), or `cos(2π w x + b)`, (N, F, K).
pub fn forward(xs: &Tensor, waves: Frequencies<'_>) -> Result<Tensor> {
    if !is_fused(xs) {
        return reference(xs, waves);
    }
    let ((n, features), components) = (xs.dims2()?, waves.components()?);
    by_dtype!(xs, T => {
        let (x, w, phases) = (view::<T>(xs)?, view::<T>(waves.w)?, turns::<T>(waves.b)?);
        let rows = rows_at_a_time(features * components);
        let chunks = x.chunks(rows * features).map(|x| (x.len() * components, x));
        let [zs] = filled(chunks, |x, [zs]| oscillate(x, &w, &phases, features, zs));
        tensor(zs, (n, features, components))
    })
}

/// The phases in turns.
fn turns<T: Float>(b: Option<&Tensor>) -> Result<Vec<T>> {
    let Some(b) = b else { return Ok(Vec::new()) };
    let b = view::<T>(b)?;
    Ok(b.iter().map(|phase| T::of(phase.wide() / (2.0 * PI))).collect())
}

/// The reference implementation.
pub fn reference(xs: &Tensor, Frequencies { w, b }: Frequencies<'_>) -> Result<Tensor> {
    let angles = (xs.unsqueeze(2)?.broadcast_mul(&w.unsqueeze(0)?)? * (2.0 * PI))?;
    match b {
        Some(b) => angles.broadcast_add(&b.unsqueeze(0)?)?.cos(),
        None => Tensor::cat(&[angles.cos()?, angles.sin()?], 2),
    }
}

fn rows_at_a_time(components: usize) -> usize {
    const COMPONENTS: usize = 1 << 13;
    (COMPONENTS / components.max(1)).max(1)
}

vectorized! {
    fn oscillate[T: Float](x: &[T], w: &[T], phases: &[T], features: usize, zs: &mut [T]) {
        let frequencies = w.len() / features;
        let components = if phases.is_empty() { 2 * frequencies } else { frequencies };
        let rows = x.chunks_exact(features).zip(zs.chunks_exact_mut(features * components));
        for (x, zs) in rows {
            let each = x.iter().zip(w.chunks_exact(frequencies)).zip(zs.chunks_exact_mut(components));
            for (feature, ((x, w), zs)) in each.enumerate() {
                if phases.is_empty() {
                    let (cosines, sines) = zs.split_at_mut(frequencies);
                    for at in 0..frequencies {
                        let [cos, sin] = turn(*x * w[at]);
                        (cosines[at], sines[at]) = (cos, sin);
                    }
                } else {
                    let phases = &phases[feature * frequencies..][..frequencies];
                    for at in 0..frequencies {
                        zs[at] = turn(*x * w[at] + phases[at])[0];
                    }
                }
            }
        }
    }
}

/// The gradients of [`forward`]: those of frequencies and phases go to their outputs, that of xs is given back.
pub fn backward(
    xs: &Tensor,
    waves: Frequencies<'_>,
    grad: &Tensor,
    into_w: GradOut<'_>,
    into_b: Option<GradOut<'_>>,
) -> Result<Tensor> {
    let slopes = slopes(xs, waves, grad)?;
    // `slopes` are the gradients of the angles, (N, F, K).
    let by_turn = (slopes.broadcast_mul(&xs.unsqueeze(2)?)?.sum(0)? * (2.0 * PI))?;
    autograd::store(into_w, &by_turn)?;
    if let Some(into_b) = into_b {
        autograd::store(into_b, &slopes.sum(0)?)?;
    }
    slopes.broadcast_mul(&waves.w.unsqueeze(0)?)?.sum(2)? * (2.0 * PI)
}

/// The gradients of the angles, (N, F, K).
fn slopes(xs: &Tensor, waves: Frequencies<'_>, grad: &Tensor) -> Result<Tensor> {
    let frequencies = waves.w.dim(1)?;
    if !is_fused(xs) {
        let angles = (xs.unsqueeze(2)?.broadcast_mul(&waves.w.unsqueeze(0)?)? * (2.0 * PI))?;
        if let Some(b) = waves.b {
            return grad * angles.broadcast_add(&b.unsqueeze(0)?)?.sin()?.neg()?;
        }
        let of_cosines = grad.narrow(2, 0, frequencies)?.contiguous()?;
        let of_sines = grad.narrow(2, frequencies, frequencies)?.contiguous()?;
        return (of_sines * angles.cos()?)? - (of_cosines * angles.sin()?)?;
    }
    let ((n, features), components) = (xs.dims2()?, waves.components()?);
    by_dtype!(xs, T => {
        let (x, w, phases) = (view::<T>(xs)?, view::<T>(waves.w)?, turns::<T>(waves.b)?);
        let g = view::<T>(grad)?;
        let rows = rows_at_a_time(features * components);
        let inputs = x.chunks(rows * features).zip(g.chunks(rows * features * components));
        let chunks = inputs.map(|(x, g)| (x.len() * frequencies, (x, g)));
        let [slopes] = filled(chunks, |(x, g), [slopes]| differentiate(x, [&w, &phases, g], features, slopes));
        tensor(slopes, (n, features, frequencies))
    })
}

vectorized! {
    fn differentiate[T: Float](x: &[T], of: [&[T]; 3], features: usize, slopes: &mut [T]) {
        let [w, phases, g] = of;
        let frequencies = w.len() / features;
        let components = if phases.is_empty() { 2 * frequencies } else { frequencies };
        for (row, (slopes, g)) in slopes.chunks_exact_mut(frequencies).zip(g.chunks_exact(components)).enumerate() {
            let (x, feature) = (x[row], row % features);
            let w = &w[feature * frequencies..][..frequencies];
            if phases.is_empty() {
                let (cosines, sines) = g.split_at(frequencies);
                for at in 0..frequencies {
                    let [cos, sin] = turn(x * w[at]);
                    slopes[at] = sines[at] * cos - cosines[at] * sin;
                }
            } else {
                let phases = &phases[feature * frequencies..][..frequencies];
                for at in 0..frequencies {
                    slopes[at] = -(g[at] * turn(x * w[at] + phases[at])[1]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Accumulate;
    use crate::kernels::draws::Draws;

    #[test]
    fn value_and_gradients_match_the_reference() {
        let draws = Draws::new(1);
        for (n, features, frequencies) in [(1, 1, 1), (7, 3, 4), (300, 5, 48)] {
            let xs = draws.normal(&[n, features], 3.0);
            let [w, phases] = [(); 2].map(|()| draws.normal(&[features, frequencies], 1.0));
            for b in [None, Some(&phases)] {
                let waves = Frequencies { w: &w, b };
                let zs = forward(&xs, waves).unwrap();
                close(&zs, &reference(&xs, waves).unwrap());
                let grad = draws.normal(zs.dims(), 1.0);
                let whole = |t: &[Tensor]| reference(&t[0], Frequencies { w: &t[1], b: b.map(|_| &t[2]) });
                let expected = autograd::vjp(&[&xs, &w, &phases], &grad, whole).unwrap();
                let (dw, db) = (w.ones_like().unwrap(), phases.zeros_like().unwrap());
                let into_w = GradOut { buffer: &dw, accumulate: Accumulate::ADD };
                let into_b = b.map(|_| GradOut { buffer: &db, accumulate: Accumulate::REPLACE });
                close(&backward(&xs, waves, &grad, into_w, into_b).unwrap(), &expected[0]);
                close(&(dw - 1.0).unwrap(), &expected[1]);
                close(&db, &expected[2]);
            }
        }
    }

    fn close(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-10, "{difference}");
    }
}
