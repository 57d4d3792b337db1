//! Passes over the rows of a batch, vectorised.

use crate::kernels::activation::{Activation, slopes};
use crate::kernels::storage::Float;
use crate::kernels::vectorized::vectorized;

/// The channels of a strip, whose sums stay in registers for all rows. Channels that do not fill one are added row by row.
const STRIP: usize = 16;

vectorized! {
    /// Adds the rows' distances from `shift`, and the squares of these, to two sums for each channel.
    pub(super) fn add_distances[T: Float](sums: [&mut [f64]; 2], x: &[T], shift: &[T]) {
        let [of_x, of_squares] = sums;
        let width = shift.len();
        let in_strips = width / STRIP * STRIP;
        for first in (0..in_strips).step_by(STRIP) {
            let shift = &shift[first..first + STRIP];
            let (mut strip, mut squares) = ([0.0; STRIP], [0.0; STRIP]);
            for row in x.chunks_exact(width) {
                let row = &row[first..first + STRIP];
                for (((sum, square), x), m) in strip.iter_mut().zip(&mut squares).zip(row).zip(shift) {
                    let distance = x.wide() - m.wide();
                    *sum += distance;
                    *square += distance * distance;
                }
            }
            add(&mut of_x[first..], &strip);
            add(&mut of_squares[first..], &squares);
        }
        let (of_x, of_squares) = (&mut of_x[in_strips..], &mut of_squares[in_strips..]);
        for row in x.chunks_exact(width) {
            let distances = row[in_strips..].iter().zip(&shift[in_strips..]);
            for ((sum, square), (x, m)) in of_x.iter_mut().zip(&mut *of_squares).zip(distances) {
                let distance = x.wide() - m.wide();
                *sum += distance;
                *square += distance * distance;
            }
        }
    }
}

vectorized! {
    /// Adds the rows of the gradient, and their products with the normalised input, to two sums for each channel.
    pub(super) fn add_gradients[T: Float](sums: [&mut [f64]; 2], g: &[T], normalized: &[T]) {
        let [of_g, of_products] = sums;
        let width = of_g.len();
        let in_strips = width / STRIP * STRIP;
        for first in (0..in_strips).step_by(STRIP) {
            let (mut strip, mut products) = ([0.0; STRIP], [0.0; STRIP]);
            for (g, normal) in g.chunks_exact(width).zip(normalized.chunks_exact(width)) {
                let (g, normal) = (&g[first..first + STRIP], &normal[first..first + STRIP]);
                for (((sum, product), g), normal) in strip.iter_mut().zip(&mut products).zip(g).zip(normal) {
                    *sum += g.wide();
                    *product += g.wide() * normal.wide();
                }
            }
            add(&mut of_g[first..], &strip);
            add(&mut of_products[first..], &products);
        }
        let (of_g, of_products) = (&mut of_g[in_strips..], &mut of_products[in_strips..]);
        for (g, normal) in g.chunks_exact(width).zip(normalized.chunks_exact(width)) {
            let rest = g[in_strips..].iter().zip(&normal[in_strips..]);
            for ((sum, product), (g, normal)) in of_g.iter_mut().zip(&mut *of_products).zip(rest) {
                *sum += g.wide();
                *product += g.wide() * normal.wide();
            }
        }
    }
}

/// Adds a strip's sums to those of its channels.
#[inline(always)]
fn add(sums: &mut [f64], strip: &[f64; STRIP]) {
    for (sum, more) in sums.iter_mut().zip(strip) {
        *sum += more;
    }
}

vectorized! {
    /// Normalises rows by centre and inverse standard deviation of each channel, then scales and shifts. The outputs are the
    /// normalised rows and the pre-activations.
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
    /// `scale · (g - mean_g - normalized · mean_product)` for each channel. The gradient of a bias in front of the layer is
    /// zero but for the rounding here, and Adam makes steps of what rounding leaves: so all of it runs in f64.
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

/// The gradient of the pre-activation, from the normalised rows, the outputs and their gradient; by weight and bias of each channel
/// the pre-activation is worked out again, where the slope needs it.
pub(super) fn slope_products<T: Float>(
    act: Activation,
    [normalized, y, g]: [&[T]; 3],
    by: [&[T]; 2],
    product: &mut [T],
) {
    if !act.needs_input() {
        return slopes(act, y, y, g, product);
    }
    let mut argument = vec![T::of(0.0); normalized.len()];
    scale_and_shift(&mut argument, normalized, by);
    slopes(act, &argument, y, g, product);
}

vectorized! {
    /// `x · w + b` for each channel.
    pub(super) fn scale_and_shift[T: Float](out: &mut [T], x: &[T], by: [&[T]; 2]) {
        let channels = by[0].len();
        let [w, b] = by.map(|values| &values[..channels]);
        for (out, x) in out.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
            for c in 0..channels {
                out[c] = x[c] * w[c] + b[c];
            }
        }
    }
}
