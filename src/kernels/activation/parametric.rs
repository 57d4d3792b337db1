//! A learnt mixture of an activation and the identity: `x + a (act(x) - x)` with an `a` for each unit, the parametric
//! activation of `RealMLP` (Holzmüller et al. 2024, <https://arxiv.org/abs/2407.04491>).

use candle_core::{Result, Tensor};

use super::Activation;
use crate::kernels::buffers::filled;
use crate::kernels::columns::FilledWithSums;
use crate::kernels::storage::{Float, tensor, view};
use crate::kernels::vectorized::vectorized;
use crate::kernels::{GradOut, autograd, by_dtype, columns, is_fused};

/// The value at xs (N, C) with a (C).
pub fn forward(act: Activation, xs: &Tensor, a: &Tensor) -> Result<Tensor> {
    if !is_fused(xs) {
        return reference(&super::forward(act, xs)?, xs, a);
    }
    by_dtype!(xs, T => {
        let (x, a) = (view::<T>(xs)?, view::<T>(a)?);
        let chunks = x.chunks(columns::chunk(a.len())).map(|x| (x.len(), x));
        let [ys] = filled(chunks, |x, [ys]: [&mut [T]; 1]| {
            ys.copy_from_slice(x);
            mix(act, &a, ys);
        });
        tensor(ys, xs.shape())
    })
}

/// The reference implementation, from the activation's value.
fn reference(value: &Tensor, xs: &Tensor, a: &Tensor) -> Result<Tensor> {
    xs + (value - xs)?.broadcast_mul(a)?
}

vectorized! {
    fn mix[T: Float](act: Activation, a: &[T], ys: &mut [T]) {
        specialized!(act, act => for row in ys.chunks_exact_mut(a.len()) {
            for (y, &a) in row.iter_mut().zip(a) {
                *y = *y + a * (act.value(*y) - *y);
            }
        });
    }
}

/// The gradients of [`forward`]: that of `a` goes to its output, the input's is given back.
pub fn backward(
    act: Activation,
    xs: &Tensor,
    a: &Tensor,
    grad: &Tensor,
    into_a: GradOut<'_>,
) -> Result<Tensor> {
    if !is_fused(xs) {
        // g (1 - a) + act'(x) · g a
        let value = super::forward(act, xs)?;
        let scaled = grad.broadcast_mul(a)?;
        autograd::store(into_a, &(grad * (&value - xs)?)?.sum(0)?)?;
        return (grad - &scaled)? + super::backward(act, xs, &value, &scaled)?;
    }
    by_dtype!(xs, T => {
        let width = a.elem_count();
        let (x, a, g) = (view::<T>(xs)?, view::<T>(a)?, view::<T>(grad)?);
        let chunk = columns::chunk(width);
        let chunks = x.chunks(chunk).zip(g.chunks(chunk)).map(|(x, g)| (x.len(), (x, g)));
        let FilledWithSums { buffers: [dx], sums } = columns::filled_with_sums(chunks, width, |(x, g), [dx], sums| {
            gradients(act, [x, &a, g], dx, sums);
        });
        let sums: Vec<T> = sums.into_iter().map(T::of).collect();
        autograd::store(into_a, &tensor(sums, width)?)?;
        tensor(dx, xs.shape())
    })
}

vectorized! {
    fn gradients[T: Float](act: Activation, of: [&[T]; 3], dx: &mut [T], sums: &mut [f64]) {
        let [x, a, g] = of;
        let (width, one) = (a.len(), T::of(1.0));
        specialized!(act, act => {
            let rows = dx.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(g.chunks_exact(width));
            for ((dx, x), g) in rows {
                for at in 0..width {
                    let y = act.value(x[at]);
                    dx[at] = g[at] * (one + a[at] * (act.slope(x[at], y) - one));
                    sums[at] += g[at].wide() * (y - x[at]).wide();
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Accumulate;
    use crate::kernels::draws::Draws;
    use candle_core::DType;

    #[test]
    fn value_and_gradients_match_the_reference() {
        let draws = Draws::new(1);
        for name in Activation::NAMES {
            let act: Activation = toml::Value::from(*name).try_into().unwrap();
            for (n, width) in [(1, 1), (9, 7), (2000, 13)] {
                let (xs, a) = (draws.normal(&[n, width], 1.0), draws.normal(width, 1.0));
                let grad = draws.normal(&[n, width], 1.0);
                let value = super::super::forward(act, &xs).unwrap();
                close(&forward(act, &xs, &a).unwrap(), &reference(&value, &xs, &a).unwrap(), name);
                let slope = super::super::backward(act, &xs, &value, &xs.ones_like().unwrap()).unwrap();
                let mixed = (&grad * reference(&slope, &xs.ones_like().unwrap(), &a).unwrap()).unwrap();
                let da = a.ones_like().unwrap();
                let out = GradOut { buffer: &da, accumulate: Accumulate::ADD };
                close(&backward(act, &xs, &a, &grad, out).unwrap(), &mixed, name);
                let expected = (&grad * (&value - &xs).unwrap()).unwrap().sum(0).unwrap();
                close(&(da - 1.0).unwrap(), &expected, name);
            }
        }
    }

    #[test]
    fn other_types_have_the_same_gradient() {
        let draws = Draws::new(2);
        let [xs, grad] = [(); 2].map(|()| draws.normal(&[5, 4], 1.0));
        let a = draws.normal(4, 1.0);
        let gradients = |dtype: DType| {
            let [xs, a, grad] = [&xs, &a, &grad].map(|t| t.to_dtype(dtype).unwrap());
            let da = a.zeros_like().unwrap();
            let out = GradOut { buffer: &da, accumulate: Accumulate::REPLACE };
            let dx = backward(Activation::Silu, &xs, &a, &grad, out).unwrap();
            [dx, da].map(|t| t.to_dtype(DType::F64).unwrap())
        };
        let [wide, narrow] = [DType::F64, DType::BF16].map(gradients);
        for (wide, narrow) in wide.iter().zip(&narrow) {
            let difference = (wide - narrow).unwrap().abs().unwrap().max_all().unwrap();
            // bf16 has 8 bits.
            assert!(difference.to_scalar::<f64>().unwrap() < 0.1);
        }
    }

    fn close(a: &Tensor, b: &Tensor, what: &str) {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-10, "{what}: {difference}");
    }
}
