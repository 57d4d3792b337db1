//! Activations of every element of a tensor, and their gradient.

mod function;

/// Runs `$body` with `$act` as a constant, so that no loop looks at which function it is.
macro_rules! specialized {
    ($value:expr, $act:ident => $body:expr) => {
        specialized!(@ $value, $act => $body; Relu Tanh Sigmoid Gelu LeakyRelu Elu Selu Silu Mish)
    };
    (@ $value:expr, $act:ident => $body:expr; $($variant:ident)+) => {
        match $value { $($crate::kernels::Activation::$variant => {
            let $act = $crate::kernels::Activation::$variant;
            $body
        })+ }
    };
}

pub mod parametric;

use candle_core::{Result, Tensor};

use super::buffers::{CHUNK, filled};
use super::storage::{Float, tensor, view};
use super::symbolic::FormulaTensors;
use super::vectorized::vectorized;
use super::{by_dtype, cuda, is_fused};
pub use function::Activation;

/// The activation of every element.
pub fn forward(act: Activation, xs: &Tensor) -> Result<Tensor> {
    if cuda::runs_on(xs) {
        return cuda::activation::forward(act, xs);
    }
    if !is_fused(xs) {
        let formula = FormulaTensors::default();
        return formula.value(act.value(formula.node(xs.clone())));
    }
    by_dtype!(xs, T => {
        let x = view::<T>(xs)?;
        let chunks = x.chunks(CHUNK).map(|x| (x.len(), x));
        let [ys] = filled(chunks, |x, [ys]: [&mut [T]; 1]| {
            ys.copy_from_slice(x);
            apply(act, ys);
        });
        tensor(ys, xs.shape())
    })
}

/// As [`forward`], where there is an activation.
pub(super) fn forward_if(act: Option<Activation>, xs: &Tensor) -> Result<Tensor> {
    act.map_or_else(|| Ok(xs.clone()), |act| forward(act, xs))
}

/// The gradient of [`forward`]'s input, from its input, its output and the output's gradient.
pub fn backward(act: Activation, xs: &Tensor, ys: &Tensor, grad: &Tensor) -> Result<Tensor> {
    if cuda::runs_on(xs) {
        return cuda::activation::backward(act, xs, ys, grad);
    }
    if !is_fused(xs) {
        let formula = FormulaTensors::default();
        let slope = act.slope(formula.node(xs.clone()), formula.node(ys.clone()));
        return formula.value(formula.node(grad.clone()) * slope);
    }
    by_dtype!(xs, T => {
        let (x, y, g) = (view::<T>(xs)?, view::<T>(ys)?, view::<T>(grad)?);
        tensor(multiply_slope(act, &x, &y, &g), xs.shape())
    })
}

/// `grad · slope`, element by element.
pub(super) fn multiply_slope<T: Float>(act: Activation, x: &[T], y: &[T], grad: &[T]) -> Vec<T> {
    let inputs = x.chunks(CHUNK).zip(y.chunks(CHUNK)).zip(grad.chunks(CHUNK));
    let chunks = inputs.map(|((x, y), grad)| (grad.len(), [x, y, grad]));
    let [product] = filled(chunks, |[x, y, grad], [product]| slopes(act, x, y, grad, product));
    product
}

vectorized! {
    /// `grad · slope`, number by number.
    pub(super) fn slopes[T: Float](act: Activation, x: &[T], y: &[T], grad: &[T], product: &mut [T]) {
        let inputs = x.iter().zip(y).zip(grad);
        specialized!(act, act => for (product, ((&x, &y), &g)) in product.iter_mut().zip(inputs) {
            *product = g * act.slope(x, y);
        });
    }
}

vectorized! {
    /// Puts the activation of every number in its place.
    pub(super) fn apply[T: Float](act: Activation, xs: &mut [T]) {
        specialized!(act, act => for x in xs {
            *x = act.value(*x);
        });
    }
}

vectorized! {
    /// Adds `bias` to the numbers, and puts the activation of each in its place.
    pub(super) fn shift_and_apply[T: Float](act: Option<Activation>, xs: &mut [T], bias: &[T]) {
        match act {
            None => {
                for (x, &b) in xs.iter_mut().zip(bias) {
                    *x += b;
                }
            }
            Some(act) => specialized!(act, act => for (x, &b) in xs.iter_mut().zip(bias) {
                *x = act.value(*x + b);
            }),
        }
    }
}

vectorized! {
    /// `xs ← (xs + more) · slope`, where the function's value is `y`: for functions whose slope needs no more than that.
    pub(super) fn add_and_slope[T: Float](act: Activation, xs: &mut [T], more: &[T], y: &[T]) {
        specialized!(act, act => for ((x, &more), &y) in xs.iter_mut().zip(more).zip(y) {
            *x = (*x + more) * act.slope(y, y);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::function::{SELU_ALPHA, SELU_SCALE};
    use super::*;
    use crate::kernels::autograd::vjp;
    use candle_core::{DType, Device};

    /// The same functions as candle writes them.
    fn reference(act: Activation, xs: &Tensor) -> Result<Tensor> {
        let elu = |xs: &Tensor| xs.relu()? + xs.minimum(0.0)?.exp()?.affine(1.0, -1.0)?.minimum(0.0)?;
        match act {
            Activation::Relu => xs.relu(),
            Activation::Tanh => xs.tanh(),
            Activation::Sigmoid => candle_nn::ops::sigmoid(xs),
            Activation::Gelu => xs.gelu_erf(),
            Activation::LeakyRelu => candle_nn::ops::leaky_relu(xs, 0.01),
            Activation::Elu => elu(xs),
            Activation::Selu => {
                (xs.relu()? + (xs.minimum(0.0)?.exp()?.affine(1.0, -1.0)?.minimum(0.0)? * SELU_ALPHA)?)?
                    * SELU_SCALE
            }
            Activation::Silu => xs.silu(),
            Activation::Mish => xs * (xs.exp()? + 1.0)?.log()?.tanh()?,
        }
    }

    fn close(a: &Tensor, b: &Tensor, tolerance: f64, what: &str) {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < tolerance, "{what}: {difference}");
    }

    #[test]
    fn value_and_slope_agree_with_candles_own() {
        let xs = Tensor::new(&[-3.0, -0.5, -1e-3, 1e-3, 0.7, 4.0], &Device::Cpu).unwrap();
        let grad = Tensor::new(&[1.0, -2.0, 0.5, 3.0, 1.5, -1.0], &Device::Cpu).unwrap();
        for name in Activation::NAMES {
            let act: Activation = toml::Value::from(*name).try_into().unwrap();
            let ys = forward(act, &xs).unwrap();
            close(&ys, &reference(act, &xs).unwrap(), 1e-12, name);
            let expected = vjp(&[&xs], &grad, |x| reference(act, &x[0])).unwrap();
            // candle's gelu backward has constants of six digits.
            let tolerance = if act == Activation::Gelu { 1e-5 } else { 1e-12 };
            close(&backward(act, &xs, &ys, &grad).unwrap(), &expected[0], tolerance, name);
        }
    }

    #[test]
    fn every_chunk_has_its_own_values_and_slopes() {
        let count = 2 * CHUNK + 3;
        let xs: Vec<f64> = (0..count).map(|i| crate::stats::real(i % 1009) / 100.0 - 5.0).collect();
        for dtype in [DType::F32, DType::F64] {
            let xs = Tensor::new(&*xs, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
            let ys = forward(Activation::Tanh, &xs).unwrap();
            let as_f64 = |t: &Tensor| t.to_dtype(DType::F64).unwrap();
            close(&as_f64(&ys), &as_f64(&xs.tanh().unwrap()), 1e-6, "value");
            let slopes = backward(Activation::Tanh, &xs, &ys, &xs).unwrap();
            let expected = (&xs * (1.0 - ys.sqr().unwrap()).unwrap()).unwrap();
            close(&as_f64(&slopes), &as_f64(&expected), 1e-6, "gradient");
        }
    }

    #[test]
    fn the_formula_over_tensors_is_the_same() {
        let xs = Tensor::new(&[-3.0, -0.5, 0.0, 0.7, 4.0], &Device::Cpu).unwrap();
        for name in Activation::NAMES {
            let act: Activation = toml::Value::from(*name).try_into().unwrap();
            let formula = FormulaTensors::default();
            let x = formula.node(xs.clone());
            let y = act.value(x);
            close(&formula.value(y).unwrap(), &forward(act, &xs).unwrap(), 1e-12, name);
            let ys = formula.value(y).unwrap();
            let slope = backward(act, &xs, &ys, &xs.ones_like().unwrap()).unwrap();
            close(&formula.value(act.slope(x, y)).unwrap(), &slope, 1e-12, name);
        }
    }

    #[test]
    fn no_activation_hides_a_number_that_is_not_one() {
        for name in Activation::NAMES {
            let act: Activation = serde_json::from_str(&format!("\"{name}\"")).unwrap();
            assert_eq!(act.name(), *name);
            for dtype in [DType::F32, DType::F64] {
                let xs = Tensor::full(f64::NAN, 100, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
                let ys = forward(act, &xs).unwrap().to_dtype(DType::F64).unwrap().to_vec1::<f64>().unwrap();
                assert!(ys.iter().all(|y| y.is_nan()), "{name}");
            }
        }
    }

    #[test]
    fn relu_has_slope_zero_at_zero() {
        let zero = Tensor::zeros(1, candle_core::DType::F32, &Device::Cpu).unwrap();
        let slope = backward(Activation::Relu, &zero, &zero, &zero.ones_like().unwrap()).unwrap();
        assert_eq!(slope.to_vec1::<f32>().unwrap(), [0.0]);
    }
}
