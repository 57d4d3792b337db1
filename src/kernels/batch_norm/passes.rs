//! Passes over the rows of a batch, vectorised.

use crate::kernels::columns::{ROWS, rows_of};
use crate::kernels::storage::Float;
use crate::kernels::vectorized::vectorized;

vectorized! {
    pub(super) fn add_squares[T: Float](sums: &mut [f64], x: &[T], mean: &[f64]) {
        let width = sums.len();
        let mean = &mean[..width];
        let mut blocks = x.chunks_exact(ROWS * width);
        for block in &mut blocks {
            let rows = rows_of(block, width);
            for (at, (sum, m)) in sums.iter_mut().zip(mean).enumerate() {
                *sum += rows.iter().map(|row| (row[at].wide() - m) * (row[at].wide() - m)).sum::<f64>();
            }
        }
        for row in blocks.remainder().chunks_exact(width) {
            for ((sum, m), x) in sums.iter_mut().zip(mean).zip(row) {
                let centered = x.wide() - m;
                *sum += centered * centered;
            }
        }
    }
}

vectorized! {
    /// Normalises rows by centre and inverse standard deviation of each channel, then scales and shifts.
    pub(super) fn normalize[T: Float](x: &[T], by: [&[T]; 4], outputs: [&mut [T]; 2]) {
        let channels = by[0].len();
        let [center, inverse, w, b] = by.map(|values| &values[..channels]);
        let [normalized, ys] = outputs;
        let outputs = normalized.chunks_exact_mut(channels).zip(ys.chunks_exact_mut(channels));
        for (row, (normal, out)) in x.chunks_exact(channels).zip(outputs) {
            for c in 0..channels {
                normal[c] = (row[c] - center[c]) * inverse[c];
                out[c] = normal[c] * w[c] + b[c];
            }
        }
    }
}

vectorized! {
    pub(super) fn add_products[T: Float](sums: &mut [f64], g: &[T], normalized: &[T]) {
        let width = sums.len();
        let mut blocks = g.chunks_exact(ROWS * width).zip(normalized.chunks_exact(ROWS * width));
        for (g, normal) in &mut blocks {
            let (g, normal) = (rows_of(g, width), rows_of(normal, width));
            for (at, sum) in sums.iter_mut().enumerate() {
                *sum += g.iter().zip(&normal).map(|(g, normal)| g[at].wide() * normal[at].wide()).sum::<f64>();
            }
        }
        let rest = g.len() / (ROWS * width) * (ROWS * width);
        for (g, normal) in g[rest..].chunks_exact(width).zip(normalized[rest..].chunks_exact(width)) {
            for ((sum, g), normal) in sums.iter_mut().zip(g).zip(normal) {
                *sum += g.wide() * normal.wide();
            }
        }
    }
}

vectorized! {
    /// `scale · (g - mean_g - normalized · mean_product)` for each channel.
    pub(super) fn input_gradient[T: Float](dx: &mut [T], g: &[T], normalized: &[T], by: [&[f64]; 3]) {
        let channels = by[0].len();
        let [scale, mean_g, mean_product] = by.map(|values| &values[..channels]);
        let inputs = g.chunks_exact(channels).zip(normalized.chunks_exact(channels));
        for (dx, (g, normal)) in dx.chunks_exact_mut(channels).zip(inputs) {
            for c in 0..channels {
                dx[c] = T::of(scale[c] * (g[c].wide() - mean_g[c] - normal[c].wide() * mean_product[c]));
            }
        }
    }
}
