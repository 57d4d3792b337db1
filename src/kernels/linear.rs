//! `act(x Wᵀ + b)` as one operation, and its backward.

use candle_core::{Result, Tensor};

use super::activation::{self, shift_and_apply};
use super::gemm::{Cut, Matrix, matmul, new_matmul, new_matmul_then};
use super::matmul_precision::product;
use super::storage::{Float, edit, tensor, view};
use super::{Accumulate, Activation, GradOut, MatmulPrecision, autograd, by_dtype, columns, cuda, is_fused};

/// The result of [`forward`]: its value, and the tensors that [`backward`] needs.
#[derive(Debug, Clone)]
pub struct LinearOutput {
    /// The value, (N, out).
    pub ys: Tensor,
    /// The argument of an activation whose slope needs it, else the value.
    saved: Tensor,
}

/// `act(xs wᵀ + b)`: xs (N, in), w (out, in), b (out) to (N, out).
pub fn forward(
    xs: &Tensor,
    w: &Tensor,
    b: &Tensor,
    act: Option<Activation>,
    precision: MatmulPrecision,
) -> Result<LinearOutput> {
    if cuda::runs_on(xs) {
        let cuda::linear::Activated { ys, argument } = cuda::linear::forward(xs, w, b, act, precision)?;
        return Ok(LinearOutput { saved: argument.unwrap_or_else(|| ys.clone()), ys });
    }
    if !is_fused(xs) || precision == MatmulPrecision::Bf16 {
        let zs = product(xs, &w.t()?, precision)?.broadcast_add(b)?;
        let ys = activation::forward_if(act, &zs)?;
        return Ok(LinearOutput { ys, saved: zs });
    }
    by_dtype!(xs, T => fused_forward::<T>(xs, w, b, act))
}

/// The reference implementation: the product and the bias.
pub fn reference(xs: &Tensor, w: &Tensor, b: &Tensor) -> Result<Tensor> {
    xs.matmul(&w.t()?)?.broadcast_add(b)
}

fn fused_forward<T: Float>(
    xs: &Tensor,
    w: &Tensor,
    b: &Tensor,
    act: Option<Activation>,
) -> Result<LinearOutput> {
    let ((n, inputs), outputs) = (xs.dims2()?, b.dims1()?);
    let (x, w, b) = (view::<T>(xs)?, view::<T>(w)?, view::<T>(b)?);
    let sizes = (n, inputs, outputs);
    match act {
        Some(act) if act.needs_input() => {
            let saved = tensor(affine(&x, &w, &b, sizes, None)?, (n, outputs))?;
            Ok(LinearOutput { ys: activation::forward(act, &saved)?, saved })
        }
        act => {
            let ys = tensor(affine(&x, &w, &b, sizes, act)?, (n, outputs))?;
            Ok(LinearOutput { saved: ys.clone(), ys })
        }
    }
}

/// `act(x wᵀ + b)` over slices: x (n, inputs), w (outputs, inputs).
fn affine<T: Float>(
    x: &[T],
    w: &[T],
    b: &[T],
    (n, inputs, outputs): (usize, usize, usize),
    act: Option<Activation>,
) -> Result<Vec<T>> {
    let (x, w) = (Matrix::new(x, n, inputs), Matrix::new(w, outputs, inputs).t());
    new_matmul_then(x, w, Cut::Cols, |start, part: &mut [T]| shift_and_apply(act, part, &b[start..]))
}

/// The backward pass of [`forward`].
#[derive(Debug, Clone)]
pub struct LinearBackward {
    /// The gradient of the product and the bias, (N, out): with the input it makes those of weight and bias.
    pub grad: Tensor,
    /// The gradient of the input, (N, in), where it is wanted.
    pub input: Option<Tensor>,
}

/// The layer that a forward pass went through, and its gradient goes back through.
#[derive(Debug, Clone, Copy)]
pub struct Through<'a> {
    /// The weight, (out, in).
    pub w: &'a Tensor,
    /// The activation after the product.
    pub act: Option<Activation>,
    /// The precision of the product.
    pub precision: MatmulPrecision,
}

/// Takes the gradient of [`forward`]'s value back through the activation and the product.
pub fn backward(
    Through { w, act, precision }: Through<'_>,
    output: &LinearOutput,
    grad: &Tensor,
    want_input: bool,
) -> Result<LinearBackward> {
    let grad =
        act.map_or(Ok(grad.clone()), |act| activation::backward(act, &output.saved, &output.ys, grad))?;
    if !is_fused(w) || precision == MatmulPrecision::Bf16 {
        let input = want_input.then(|| product(&grad, w, precision)).transpose()?;
        return Ok(LinearBackward { grad, input });
    }
    let input = want_input.then(|| by_dtype!(w, T => input_gradient::<T>(&grad, w))).transpose()?;
    Ok(LinearBackward { grad, input })
}

fn input_gradient<T: Float>(grad: &Tensor, w: &Tensor) -> Result<Tensor> {
    let ((n, outputs), (_, inputs)) = (grad.dims2()?, w.dims2()?);
    let (g, w) = (view::<T>(grad)?, view::<T>(w)?);
    let (g, w) = (Matrix::new(&g, n, outputs), Matrix::new(&w, outputs, inputs));
    // Blocks of columns share the gradient. Blocks of rows would pack the whole weight each, which took five times as long
    // where 64 rows went back through 2,048 by 2,048.
    tensor(new_matmul(g, w, Cut::Cols)?, (n, inputs))
}

/// Whether [`gradients`] can add a product to tensors like this one in one pass, without a buffer between.
pub fn adds_in_place(weights: &Tensor) -> bool {
    weights.device().is_cpu()
}

/// Writes the gradients of weight and bias to their outputs, if they have one, from the input and the gradient of the
/// product.
pub fn gradients(
    xs: &Tensor,
    grad: &Tensor,
    [into_w, into_b]: [Option<GradOut<'_>>; 2],
    precision: MatmulPrecision,
) -> Result<()> {
    if cuda::runs_on(xs) {
        return cuda::linear::gradients(xs, grad, [into_w, into_b], precision);
    }
    if !is_fused(xs) || precision == MatmulPrecision::Bf16 {
        into_w.map_or(Ok(()), |into| autograd::store(into, &product(&grad.t()?, xs, precision)?))?;
        return into_b.map_or(Ok(()), |into| autograd::store(into, &grad.sum(0)?));
    }
    by_dtype!(xs, T => fused_gradients::<T>(xs, grad, [into_w, into_b]))
}

fn fused_gradients<T: Float>(
    xs: &Tensor,
    grad: &Tensor,
    [into_w, into_b]: [Option<GradOut<'_>>; 2],
) -> Result<()> {
    let ((n, inputs), (_, outputs)) = (xs.dims2()?, grad.dims2()?);
    let (x, g) = (view::<T>(xs)?, view::<T>(grad)?);
    if let Some(GradOut { buffer, accumulate }) = into_w {
        let (x, g) = (Matrix::new(&x, n, inputs), Matrix::new(&g, n, outputs));
        edit(buffer, |dw| matmul(dw, g.t(), x, accumulate, Cut::Rows))??;
    }
    if let Some(GradOut { buffer, accumulate }) = into_b {
        edit(buffer, |db| sum_rows(db, &g, accumulate))?;
    }
    Ok(())
}

/// The gradient of a bias that was added to every row.
pub(super) fn sum_rows<T: Float>(out: &mut [T], rows: &[T], accumulate: Accumulate) {
    write_sums(out, &columns::sums(rows, out.len()), accumulate);
}

/// The same, where the sums of the rows are known.
pub(super) fn write_sums<T: Float>(out: &mut [T], sums: &[f64], accumulate: Accumulate) {
    out.iter_mut().zip(sums).for_each(|(out, sum)| *out = T::of(accumulate.apply(out.wide(), *sum)));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::draws::Draws;
    use candle_core::{DType, Device};

    #[test]
    fn value_and_gradients_match_the_reference() {
        let draws = Draws::new(1);
        let random = |shape: &[usize]| draws.normal(shape, 1.0);
        for (n, inputs, outputs) in [(1, 5, 3), (7, 4, 1), (33, 130, 70)] {
            for act in [None, Some(Activation::Tanh), Some(Activation::Silu)] {
                let (xs, w, b) = (random(&[n, inputs]), random(&[outputs, inputs]), random(&[outputs]));
                let grad = random(&[n, outputs]);
                let whole = |t: &[Tensor]| {
                    let zs = reference(&t[0], &t[1], &t[2])?;
                    match act {
                        None => Ok(zs),
                        Some(Activation::Tanh) => zs.tanh(),
                        Some(_) => zs.silu(),
                    }
                };
                let output = forward(&xs, &w, &b, act, MatmulPrecision::F32).unwrap();
                close(&output.ys, &whole(&[xs.clone(), w.clone(), b.clone()]).unwrap());
                let expected = autograd::vjp(&[&xs, &w, &b], &grad, whole).unwrap();
                // The weight's buffer already holds ones, the bias's is to be replaced.
                let (dw, db) = (w.ones_like().unwrap(), b.ones_like().unwrap());
                let out = |buffer, accumulate| GradOut { buffer, accumulate };
                let back =
                    backward(Through { w: &w, act, precision: MatmulPrecision::F32 }, &output, &grad, true)
                        .unwrap();
                let outs = [out(&dw, Accumulate::ADD), out(&db, Accumulate::REPLACE)].map(Some);
                gradients(&xs, &back.grad, outs, MatmulPrecision::F32).unwrap();
                close(&back.input.unwrap(), &expected[0]);
                close(&(dw - 1.0).unwrap(), &expected[1]);
                close(&db, &expected[2]);
            }
        }
    }

    #[test]
    fn products_in_bf16_are_those_of_rounded_factors() {
        const NEAR_ONE: f32 = 1.0 + 1.0 / 256.0;
        // 1 + 2⁻⁸ is halfway between two numbers of bf16 and rounds to the even one, 1; 3 is one.
        let tensor = |numbers: &[f32], shape: (usize, usize)| {
            Tensor::from_slice(numbers, shape, &Device::Cpu).unwrap()
        };
        let (xs, w) = (tensor(&[NEAR_ONE, 3.0], (1, 2)), tensor(&[1.0, 1.0, 2.0, 1.015_625], (2, 2)));
        let b = Tensor::new(&[0.001f32, 0.0], &Device::Cpu).unwrap();
        let ys = forward(&xs, &w, &b, None, MatmulPrecision::Bf16).unwrap().ys;
        // 2 · 1 + 3 · 1.015625 = 5.046875, which rounds to 5.0625.
        assert_eq!(ys.to_vec2::<f32>().unwrap(), [[4.001, 5.0625]]);
        let grad = tensor(&[NEAR_ONE, 0.0], (1, 2));
        let output = forward(&xs, &w, &b, None, MatmulPrecision::Bf16).unwrap();
        let through = Through { w: &w, act: None, precision: MatmulPrecision::Bf16 };
        let back = backward(through, &output, &grad, true).unwrap();
        assert_eq!(back.input.unwrap().to_vec2::<f32>().unwrap(), [[1.0, 1.0]]);
        let (dw, db) = (w.zeros_like().unwrap(), b.zeros_like().unwrap());
        let outs = [&dw, &db].map(|buffer| Some(GradOut { buffer, accumulate: Accumulate::REPLACE }));
        gradients(&xs, &back.grad, outs, MatmulPrecision::Bf16).unwrap();
        assert_eq!(dw.to_vec2::<f32>().unwrap(), [[1.0, 3.0], [0.0, 0.0]]);
        assert_eq!(db.to_vec1::<f32>().unwrap(), [NEAR_ONE, 0.0]);
    }

    fn close(a: &Tensor, b: &Tensor) {
        let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap();
        let difference = difference.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap();
        assert!(difference < 1e-11, "{difference}");
    }
}
