//! A linear layer of the bins of each of several features: [`Bins::forward`] and [`grouped_linear`] in one, without the
//! components that are 0 or 1. A number is within one bin; the products of those below are a sum that all rows share.

use candle_core::{Result, Tensor};

use super::grouped_linear;
use super::piecewise_linear::Bins;
use crate::kernels::storage::{Float, edit, tensor, view};
use crate::kernels::vectorized::vectorized;
use crate::kernels::{GradOut, autograd, by_dtype, is_fused, team};

/// The rows that one thread takes at a time.
const ROWS: usize = 64;

/// The components of xs (N, F) times the matrix of their feature of w (F, B, D), with its bias of b (F, D) where there is one:
/// (N, F · D).
pub fn forward(bins: &Bins, xs: &Tensor, w: &Tensor, b: Option<&Tensor>) -> Result<Tensor> {
    if !is_fused(xs) {
        return grouped_linear::forward(&bins.forward(xs)?, w, b);
    }
    let ((n, features), width) = (xs.dims2()?, w.dim(2)?);
    by_dtype!(xs, T => {
        let (x, w, lines) = (view::<T>(xs)?, view::<T>(w)?, BinLines::<T>::of(bins)?);
        let mut below = vec![T::of(0.0); w.len()];
        match b {
            Some(b) => lines.add_below(&w, &view::<T>(b)?, &mut below),
            None => lines.add_below(&w, &vec![T::of(0.0); features * width], &mut below),
        }
        let mut ys = vec![T::of(0.0); n * features * width];
        let pieces = x.chunks(ROWS * features).zip(ys.chunks_mut(ROWS * features * width));
        team::for_each(pieces.collect(), |(x, ys)| multiply(x, &lines, [&w, &below], ys));
        tensor(ys, (n, features * width))
    })
}

/// The gradients of w and b of [`forward`] from that of its value, (N, F · D).
pub fn backward_of_weights(
    bins: &Bins,
    xs: &Tensor,
    w: &Tensor,
    grad: &Tensor,
    into_w: GradOut<'_>,
    into_b: Option<GradOut<'_>>,
) -> Result<()> {
    if !is_fused(xs) {
        return grouped_linear::backward_of_weights(&bins.forward(xs)?, w, grad, into_w, into_b);
    }
    if let Some(into_b) = into_b {
        let sums = grad.sum(0)?.reshape(into_b.buffer.shape())?;
        autograd::store(into_b, &sums)?;
    }
    by_dtype!(xs, T => fused_backward::<T>(bins, xs, grad, into_w))
}

fn fused_backward<T: Float>(bins: &Bins, xs: &Tensor, grad: &Tensor, into_w: GradOut<'_>) -> Result<()> {
    let (_, components, width) = into_w.buffer.dims3()?;
    let (x, g, lines) = (view::<T>(xs)?, view::<T>(grad)?, BinLines::<T>::of(bins)?);
    let accumulate = into_w.accumulate;
    edit(into_w.buffer, |dw: &mut [T]| {
        let pieces = dw.chunks_mut(components * width).enumerate();
        // A feature at a time, over all rows in their order.
        team::for_each(pieces.collect(), |(feature, dw)| {
            let (mut own, mut above) = (vec![T::of(0.0); dw.len()], vec![T::of(0.0); dw.len()]);
            add_products(&x, &g, &lines, feature, [&mut own, &mut above]);
            lines.add_above(feature, &above, &mut own);
            for (dw, sum) in dw.iter_mut().zip(own) {
                *dw = T::of(accumulate.apply(dw.wide(), sum.wide()));
            }
        });
    })
}

/// The straight line of each bin, and how many bins a feature has.
struct BinLines<T> {
    /// (F, B) both.
    slopes: Vec<T>,
    offsets: Vec<T>,
    components: usize,
    /// The bins of each feature; those but the last are its first components.
    counts: Vec<usize>,
}

impl<T: Float> BinLines<T> {
    fn of(bins: &Bins) -> Result<Self> {
        let components = bins.slopes.dim(1)?;
        let (slopes, offsets) = (view::<T>(&bins.slopes)?.to_vec(), view::<T>(&bins.offsets)?.to_vec());
        let is_bin = |slope: &&T| slope.wide() != 0.0;
        let counts = slopes.chunks_exact(components).map(|own| own.iter().filter(is_bin).count().max(1));
        let counts = counts.collect();
        Ok(Self { slopes, offsets, components, counts })
    }

    /// The components of a feature that are bins, in the order of their edges.
    fn places(&self, feature: usize) -> impl DoubleEndedIterator<Item = usize> + use<T> {
        let (inner, last) = (self.counts[feature] - 1, self.components - 1);
        (0..inner).chain([last])
    }

    /// The bias b (F, D) and the rows of w (F, B, D) of the bins below each bin.
    fn add_below(&self, w: &[T], b: &[T], below: &mut [T]) {
        let width = b.len() / self.counts.len();
        let own = self.components * width;
        for (feature, (w, below)) in w.chunks_exact(own).zip(below.chunks_exact_mut(own)).enumerate() {
            let mut sum = b[feature * width..][..width].to_vec();
            for place in self.places(feature) {
                below[place * width..][..width].copy_from_slice(&sum);
                add(&mut sum, &w[place * width..][..width]);
            }
        }
    }

    /// Adds to each bin's sum (B, D) of a feature those of the bins above it.
    fn add_above(&self, feature: usize, above: &[T], sums: &mut [T]) {
        let width = sums.len() / self.components;
        let mut total = vec![T::of(0.0); width];
        for place in self.places(feature).rev() {
            add(&mut sums[place * width..][..width], &total);
            add(&mut total, &above[place * width..][..width]);
        }
    }
}

fn add<T: Float>(to: &mut [T], row: &[T]) {
    for (to, x) in to.iter_mut().zip(row) {
        *to += *x;
    }
}

/// The component of the bin that a number is within: those of the bins below are 1, those above 0.
struct OwnBin<T> {
    place: usize,
    value: T,
}

#[inline(always)]
fn bin_of<T: Float>(x: T, lines: &BinLines<T>, feature: usize) -> OwnBin<T> {
    let (start, inner) = (feature * lines.components, lines.counts[feature] - 1);
    let last = start + lines.components - 1;
    let of_last = x * lines.slopes[last] + lines.offsets[last];
    if of_last >= T::of(0.0) || inner == 0 {
        return OwnBin { place: lines.components - 1, value: of_last };
    }
    // Lower edges are in order: as many bins begin at `x` or below as it is above edges.
    let (slopes, offsets) = (&lines.slopes[start..][..inner], &lines.offsets[start..][..inner]);
    let mut begun = 0;
    for at in 0..inner {
        begun += usize::from(x * slopes[at] + offsets[at] >= T::of(0.0));
    }
    let place = begun.saturating_sub(1);
    OwnBin { place, value: x * slopes[place] + offsets[place] }
}

vectorized! {
    fn multiply[T: Float](x: &[T], lines: &BinLines<T>, of: [&[T]; 2], ys: &mut [T]) {
        let ([w, below], features) = (of, lines.counts.len());
        let width = w.len() / lines.slopes.len();
        for (x, ys) in x.chunks_exact(features).zip(ys.chunks_exact_mut(features * width)) {
            for (feature, (x, ys)) in x.iter().zip(ys.chunks_exact_mut(width)).enumerate() {
                let OwnBin { place, value } = bin_of(*x, lines, feature);
                let start = (feature * lines.components + place) * width;
                let (w, below) = (&w[start..][..width], &below[start..][..width]);
                for at in 0..width {
                    ys[at] = below[at] + value * w[at];
                }
            }
        }
    }
}

vectorized! {
    fn add_products[T: Float](x: &[T], g: &[T], lines: &BinLines<T>, feature: usize, sums: [&mut [T]; 2]) {
        let ([own, above], features) = (sums, lines.counts.len());
        let width = own.len() / lines.components;
        for (x, g) in x.chunks_exact(features).zip(g.chunks_exact(features * width)) {
            let g = &g[feature * width..][..width];
            let OwnBin { place, value } = bin_of(x[feature], lines, feature);
            let (own, above) = (&mut own[place * width..][..width], &mut above[place * width..][..width]);
            for at in 0..width {
                own[at] += value * g[at];
                above[at] += g[at];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Accumulate;
    use crate::kernels::draws::Draws;
    use crate::kernels::numerical::piecewise_linear;

    /// Bins of features with many, few and single bins.
    fn bins(components: usize) -> Bins {
        let edges = [vec![-1.0, -0.2, 0.3, 1.0], vec![-1.0, 1.0], vec![0.0, 0.5, 3.0]];
        let [slopes, offsets] = piecewise_linear::fit(&edges, components).unwrap();
        Bins { slopes, offsets }
    }

    #[test]
    fn value_and_gradients_are_those_of_all_components() {
        let draws = Draws::new(1);
        for (n, components, width) in [(1, 3, 1), (300, 3, 4), (65, 7, 16)] {
            let (bins, xs) = (bins(components), draws.normal(&[n, 3], 1.0));
            let (w, b) = (draws.normal(&[3, components, width], 1.0), draws.normal(&[3, width], 1.0));
            let grad = draws.normal(&[n, 3 * width], 1.0);
            let zs = bins.forward(&xs).unwrap();
            for b in [None, Some(&b)] {
                close(&forward(&bins, &xs, &w, b).unwrap(), &grouped_linear::reference(&zs, &w, b).unwrap());
            }
            let of_all = |t: &[Tensor]| grouped_linear::reference(&zs, &t[0], Some(&t[1]));
            let expected = autograd::vjp(&[&w, &b], &grad, of_all).unwrap();
            let (dw, db) = (w.ones_like().unwrap(), b.ones_like().unwrap());
            let into_w = GradOut { buffer: &dw, accumulate: Accumulate::ADD };
            let into_b = GradOut { buffer: &db, accumulate: Accumulate::REPLACE };
            backward_of_weights(&bins, &xs, &w, &grad, into_w, Some(into_b)).unwrap();
            close(&(dw - 1.0).unwrap(), &expected[0]);
            close(&db, &expected[1]);
        }
    }

    #[test]
    fn a_number_at_an_edge_is_within_either_bin() {
        let (bins, draws) = (bins(3), Draws::new(2));
        let edges = [[-1.0, -1.0, 0.0], [-0.2, 1.0, 0.5], [0.3, -1.0, 3.0], [1.0, 1.0, 0.0]];
        let xs = Tensor::new(&edges, &candle_core::Device::Cpu).unwrap();
        let w = draws.normal(&[3, 3, 2], 1.0);
        let zs = bins.forward(&xs).unwrap();
        close(&forward(&bins, &xs, &w, None).unwrap(), &grouped_linear::reference(&zs, &w, None).unwrap());
    }

    #[test]
    fn what_is_no_number_stays_none() {
        let xs = Tensor::new(&[[f64::NAN, 0.0, 0.0]], &candle_core::Device::Cpu).unwrap();
        let w = Draws::new(3).normal(&[3, 3, 2], 1.0);
        let ys = forward(&bins(3), &xs, &w, None).unwrap().to_vec2::<f64>().unwrap();
        assert_eq!(
            ys[0].iter().map(|y| y.is_nan()).collect::<Vec<_>>(),
            [true, true, false, false, false, false]
        );
    }

    fn close(a: &Tensor, b: &Tensor) {
        assert_eq!(a.dims(), b.dims());
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-11, "{difference}");
    }
}
