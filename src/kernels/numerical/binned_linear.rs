//! Fused piecewise-linear encoding and linear layer of each feature: [`Bins::forward`] and [`grouped_linear`] in one. A number is
//! within one bin; prefix sums over the bins stand for the components of the others, which are 1 below it and 0 above.

use candle_core::{Result, Tensor};

use super::grouped_linear;
use super::piecewise_linear::Bins;
use crate::kernels::buffers::filled;
use crate::kernels::embedding::add_row;
use crate::kernels::storage::{Float, edit, tensor, view};
use crate::kernels::vectorized::vectorized;
use crate::kernels::{GradOut, autograd, by_dtype, is_fused, team};

/// The rows that one thread takes at a time.
const ROWS: usize = 64;

/// The value of the layer, and what its gradients need.
#[derive(Debug)]
pub struct BinnedLinear {
    /// (N, F · D)
    pub ys: Tensor,
    /// (N, F)
    xs: Tensor,
    bins: Bins,
    /// (N, F, B), where they are computed one by one.
    components: Option<Tensor>,
}

/// The components of xs (N, F) times the matrix of their feature of w (F, B, D), with its bias of b (F, D) where there is one:
/// (N, F · D).
pub fn forward(bins: &Bins, xs: &Tensor, w: &Tensor, b: Option<&Tensor>) -> Result<BinnedLinear> {
    let output = |ys, components| BinnedLinear { ys, xs: xs.clone(), bins: bins.clone(), components };
    if !is_fused(xs) {
        let components = bins.forward(xs)?;
        return Ok(output(grouped_linear::forward(&components, w, b)?, Some(components)));
    }
    let ((n, features), width) = (xs.dims2()?, w.dim(2)?);
    let ys = by_dtype!(xs, T => {
        let (x, w, table) = (view::<T>(xs)?, view::<T>(w)?, BinTable::<T>::of(bins)?);
        let b = match b {
            Some(b) => view::<T>(b)?.to_vec(),
            None => vec![T::of(0.0); features * width],
        };
        let below = table.prefix_sums(&w, &b);
        let chunks = x.chunks(ROWS * features).map(|x| (x.len() * width, x));
        let [ys] = filled(chunks, |x, [ys]| multiply(x, &table, BinWeights { w: &w, below: &below }, ys));
        tensor(ys, (n, features * width))
    })?;
    Ok(output(ys, None))
}

impl BinnedLinear {
    /// The gradients of w and b of [`forward`] from that of its value, (N, F · D).
    pub fn backward_of_weights(
        &self,
        w: &Tensor,
        grad: &Tensor,
        into_w: GradOut<'_>,
        into_b: Option<GradOut<'_>>,
    ) -> Result<()> {
        if let Some(components) = &self.components {
            return grouped_linear::backward_of_weights(components, w, grad, into_w, into_b);
        }
        if let Some(into_b) = into_b {
            let sums = grad.sum(0)?.reshape(into_b.buffer.shape())?;
            autograd::store(into_b, &sums)?;
        }
        by_dtype!(grad, T => self.fused_backward::<T>(grad, into_w))
    }

    fn fused_backward<T: Float>(&self, grad: &Tensor, into_w: GradOut<'_>) -> Result<()> {
        let (_, components, width) = into_w.buffer.dims3()?;
        let (x, g, table) = (view::<T>(&self.xs)?, view::<T>(grad)?, BinTable::<T>::of(&self.bins)?);
        let accumulate = into_w.accumulate;
        edit(into_w.buffer, |dw: &mut [T]| {
            let chunks = dw.chunks_mut(components * width).enumerate();
            // A feature at a time, over all rows in their order.
            team::for_each(chunks.collect(), |(feature, dw)| {
                let zeros = || vec![T::of(0.0); dw.len()];
                let mut sums = BinGradients { within: zeros(), counted: zeros() };
                add_products(&x, &g, &table, feature, &mut sums);
                let sums = table.suffix_sums(feature, sums);
                for (dw, sum) in dw.iter_mut().zip(sums) {
                    *dw = T::of(accumulate.apply(dw.wide(), sum.wide()));
                }
            });
        })
    }
}

/// The weights of a layer.
#[derive(Clone, Copy)]
struct BinWeights<'a, T> {
    /// (F, B, D)
    w: &'a [T],
    /// (F, B, D): the bias and the weights of the bins below.
    below: &'a [T],
}

/// The sums over the rows of one feature, (B, D) both.
struct BinGradients<T> {
    /// The gradients of the rows partly within a bin, times their component.
    within: Vec<T>,
    /// The gradients of the rows whose first such bin it is.
    counted: Vec<T>,
}

/// The straight line of each bin, and the number of bins of each feature.
struct BinTable<T> {
    /// (F, B) both; a slope of 0 is no bin.
    slopes: Vec<T>,
    offsets: Vec<T>,
    components: usize,
    /// The bins of each feature; those but the last are its first components.
    counts: Vec<usize>,
}

impl<T: Float> BinTable<T> {
    fn of(bins: &Bins) -> Result<Self> {
        let components = bins.slopes.dim(1)?;
        let (slopes, offsets) = (view::<T>(&bins.slopes)?.to_vec(), view::<T>(&bins.offsets)?.to_vec());
        let is_bin = |slope: &&T| slope.wide() != 0.0;
        let counts =
            slopes.chunks_exact(components).map(|of_one| of_one.iter().filter(is_bin).count().max(1));
        let counts = counts.collect();
        Ok(Self { slopes, offsets, components, counts })
    }

    /// The components of a feature that are bins, in the order of their edges.
    fn bins(&self, feature: usize) -> impl DoubleEndedIterator<Item = usize> + use<T> {
        let (inner, last) = (self.counts[feature] - 1, self.components - 1);
        (0..inner).chain([last])
    }

    /// The bias b (F, D) and the rows of w (F, B, D) of the bins below each bin.
    fn prefix_sums(&self, w: &[T], b: &[T]) -> Vec<T> {
        let width = b.len() / self.counts.len();
        let of_one = self.components * width;
        let mut below = vec![T::of(0.0); w.len()];
        let chunks = w.chunks_exact(of_one).zip(below.chunks_exact_mut(of_one)).enumerate();
        team::for_each(chunks.collect(), |(feature, (w, below))| {
            let mut sum = b[feature * width..][..width].to_vec();
            for bin in self.bins(feature) {
                below[bin * width..][..width].copy_from_slice(&sum);
                add_row(&mut sum, &w[bin * width..][..width]);
            }
        });
        below
    }

    /// The gradient of a feature's weights, (B, D): the rows above a bin have 1 as its component.
    fn suffix_sums(&self, feature: usize, sums: BinGradients<T>) -> Vec<T> {
        let BinGradients { within: mut gradient, counted } = sums;
        let width = gradient.len() / self.components;
        let mut above = vec![T::of(0.0); width];
        for bin in self.bins(feature).rev() {
            add_row(&mut gradient[bin * width..][..width], &above);
            add_row(&mut above, &counted[bin * width..][..width]);
        }
        gradient
    }
}

/// The bins of a number whose components are neither 1, as those below, nor 0, as those above: one, or several where bins are
/// so narrow that rounding sets their lines apart.
#[derive(Clone, Copy)]
struct Partial {
    /// The places among the bins of the feature.
    first: usize,
    last: usize,
}

impl<T: Float> BinTable<T> {
    #[inline(always)]
    fn partial(&self, x: T, feature: usize) -> Partial {
        let (start, inner) = (feature * self.components, self.counts[feature] - 1);
        let (slopes, offsets) = (&self.slopes[start..][..inner], &self.offsets[start..][..inner]);
        // Of 32 bits, as many fit into a vector as of f32.
        let (mut first, mut last) = (u32::MAX, 0);
        for (at, (slope, offset)) in (0u32..).zip(slopes.iter().zip(offsets)) {
            let raw = x * *slope + *offset;
            // Neither comparison holds of NaN, which is in all bins.
            first = first.min(if raw >= T::of(1.0) { u32::MAX } else { at });
            last = last.max(if raw <= T::of(0.0) { 0 } else { at });
        }
        let end = x * self.slopes[start + self.components - 1] + self.offsets[start + self.components - 1];
        let last = if end <= T::of(0.0) { last as usize } else { inner };
        Partial { first: inner.min(first as usize), last }
    }

    /// The component of a feature at one of its bins.
    #[inline(always)]
    fn component(&self, x: T, feature: usize, bin: usize) -> T {
        let inner = self.counts[feature] - 1;
        let at = feature * self.components + self.place(feature, bin);
        let raw = x * self.slopes[at] + self.offsets[at];
        let raised = if bin > 0 && raw < T::of(0.0) { T::of(0.0) } else { raw };
        if bin < inner && raised > T::of(1.0) { T::of(1.0) } else { raised }
    }

    /// The component that is a bin of a feature.
    #[inline(always)]
    fn place(&self, feature: usize, bin: usize) -> usize {
        if bin + 1 == self.counts[feature] { self.components - 1 } else { bin }
    }
}

vectorized! {
    fn multiply[T: Float](x: &[T], table: &BinTable<T>, weights: BinWeights<'_, T>, ys: &mut [T]) {
        let (BinWeights { w, below }, features) = (weights, table.counts.len());
        let width = w.len() / table.slopes.len();
        for (x, ys) in x.chunks_exact(features).zip(ys.chunks_exact_mut(features * width)) {
            for (feature, (x, ys)) in x.iter().zip(ys.chunks_exact_mut(width)).enumerate() {
                let Partial { first, last } = table.partial(*x, feature);
                let start = feature * table.components;
                ys.copy_from_slice(&below[(start + table.place(feature, first)) * width..][..width]);
                for bin in first..=last {
                    let component = table.component(*x, feature, bin);
                    let w = &w[(start + table.place(feature, bin)) * width..][..width];
                    for at in 0..width {
                        ys[at] += component * w[at];
                    }
                }
            }
        }
    }
}

vectorized! {
    fn add_products[T: Float](x: &[T], g: &[T], table: &BinTable<T>, feature: usize, sums: &mut BinGradients<T>) {
        let features = table.counts.len();
        let width = sums.within.len() / table.components;
        for (x, g) in x.chunks_exact(features).zip(g.chunks_exact(features * width)) {
            let g = &g[feature * width..][..width];
            let Partial { first, last } = table.partial(x[feature], feature);
            let counted = &mut sums.counted[table.place(feature, first) * width..][..width];
            for at in 0..width {
                counted[at] += g[at];
            }
            for bin in first..=last {
                let component = table.component(x[feature], feature, bin);
                let within = &mut sums.within[table.place(feature, bin) * width..][..width];
                for at in 0..width {
                    within[at] += component * g[at];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
