//! Layers, forward and back.

use candle_core::{Device, Result, Tensor};

use super::super::linear::{self, Activated};
use super::super::{activation, batch_norm, layer_norm, recurrent};
use super::{ACTIVATION, close, each, out, random, there};
use crate::distributed::Shards;
use crate::kernels::recurrent::{self as layers, CellKind, ForwardPass};
use crate::kernels::{self, Accumulate, Activation, GradOut, MatmulPrecision};

#[test]
fn activations() {
    each(|dtype, rounding, draws| {
        let xs = (random(draws, &[777], dtype) * 3.0).unwrap();
        let grad = random(draws, &[777], dtype);
        for name in Activation::NAMES {
            let act: Activation = serde_json::from_str(&format!("\"{name}\"")).unwrap();
            let ys = activation::forward(act, &there(&xs)).unwrap();
            close(&ys, &kernels::activation::forward(act, &xs).unwrap(), rounding.of(ACTIVATION), name);
            let back = activation::backward(act, &there(&xs), &ys, &there(&grad)).unwrap();
            let ys = ys.to_device(&Device::Cpu).unwrap();
            let expected = kernels::activation::backward(act, &xs, &ys, &grad).unwrap();
            close(&back, &expected, rounding.of(ACTIVATION), name);
        }
        let nan = Tensor::full(f64::NAN, 3, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        close(&activation::forward(Activation::Relu, &there(&nan)).unwrap(), &nan, 0.0, "relu of NaN");
    });
}

/// Rows, inputs and outputs. The last ones' rows are summed in slices: 2, 200 of which the last is empty, and the most.
const SIZES: [(usize, usize, usize); 6] =
    [(1, 5, 3), (7, 4, 1), (33, 130, 70), (259, 3, 40), (25_601, 1, 3), (33_000, 1, 2)];

#[test]
fn linear_layers_and_sums_of_rows() {
    each(|dtype, rounding, draws| {
        for (n, inputs, outputs) in SIZES {
            let (xs, w, b) = (
                random(draws, &[n, inputs], dtype),
                random(draws, &[outputs, inputs], dtype),
                random(draws, &[outputs], dtype),
            );
            let grad = random(draws, &[n, outputs], dtype);
            for act in [None, Some(Activation::Tanh), Some(Activation::Silu)] {
                let Activated { ys, argument } =
                    linear::forward(&there(&xs), &there(&w), &there(&b), act, MatmulPrecision::F32).unwrap();
                let expected = kernels::linear::forward(&xs, &w, &b, act, MatmulPrecision::F32).unwrap();
                close(&ys, &expected.ys, rounding.of(inputs + 1 + ACTIVATION), "linear");
                assert_eq!(argument.is_some(), act == Some(Activation::Silu));
                if let (Some(argument), Some(act)) = (&argument, act) {
                    let again = activation::forward(act, argument).unwrap();
                    close(&again, &ys, rounding.of(ACTIVATION), "argument");
                }
            }
            for accumulate in [Accumulate::REPLACE, Accumulate::ADD, Accumulate { alpha: -2.0, beta: 0.5 }] {
                let (dw, db) = (there(&w), there(&b));
                let outs = [Some(out(&dw, accumulate)), Some(out(&db, accumulate))];
                linear::gradients(&there(&xs), &there(&grad), outs, MatmulPrecision::F32).unwrap();
                let (expected_w, expected_b) = (w.copy().unwrap(), b.copy().unwrap());
                let outs = [Some(out(&expected_w, accumulate)), Some(out(&expected_b, accumulate))];
                kernels::linear::gradients(&xs, &grad, outs, MatmulPrecision::F32).unwrap();
                // With what was there, and a scale of up to 2.
                let bound = 2.0 * rounding.of(n + 1);
                close(&dw, &expected_w, bound, "gradient of the weight");
                close(&db, &expected_b, bound, "gradient of the bias");
            }
        }
    });
}

#[test]
fn batch_normalisation() {
    each(|dtype, rounding, draws| {
        for (n, channels) in [(2, 1), (7, 5), (64, 33), (1000, 40)] {
            let [xs, grad] = [(); 2].map(|()| random(draws, &[n, channels], dtype));
            let [w, b] = [(); 2].map(|()| random(draws, &[channels], dtype));
            let affine = kernels::batch_norm::ChannelAffine { weight: &w, bias: &b, act: None };
            let [ys, normalized, mean, var] =
                batch_norm::forward(&there(&xs), &there(&w), &there(&b), 1e-5).unwrap();
            let expected =
                kernels::batch_norm::forward(std::slice::from_ref(&xs), affine, 1e-5, &Shards::default())
                    .unwrap();
            // A sum of the rows, and the five operations of (x - mean) / std · w + b.
            let bound = rounding.of(rounding.wide(n) + 5);
            for (a, b) in [(&ys, &expected.ys[0]), (&mean, &expected.mean), (&var, &expected.var)] {
                close(a, b, bound, "batch norm");
            }
            let run = |gpu: bool, f: &dyn Fn([GradOut<'_>; 2]) -> Result<Tensor>| {
                let own = |param: &Tensor| if gpu { there(param) } else { param.copy().unwrap() };
                let (dw, db) = (own(&w), own(&b));
                let dx = f([out(&dw, Accumulate::ADD), out(&db, Accumulate::REPLACE)]).unwrap();
                [dx, dw, db]
            };
            let own = run(true, &|outs| {
                batch_norm::backward(&there(&w), &normalized, &var, 1e-5, &there(&grad), outs)
            });
            let reference = run(false, &|outs| {
                let [xs, grad] = [&xs, &grad].map(std::slice::from_ref);
                kernels::batch_norm::backward(xs, affine, &expected, grad, &[outs], &Shards::default())
                    .map(|mut dx| dx.remove(0))
            });
            for (own, reference) in own.iter().zip(&reference) {
                // Sums of the rows, whose terms carry the roundings of the normalised values.
                close(own, reference, rounding.of(n + 5), "batch norm, back");
            }
        }
    });
}

#[test]
fn layer_normalisation() {
    each(|dtype, rounding, draws| {
        for (n, channels) in [(1, 2), (7, 5), (66, 33), (3, 1000)] {
            let [xs, grad] = [(); 2].map(|()| random(draws, &[n, channels], dtype));
            let [w, b] = [(); 2].map(|()| random(draws, &[channels], dtype));
            let [ys, normalized, inverse] =
                layer_norm::forward(&there(&xs), &there(&w), &there(&b), 1e-5).unwrap();
            let expected = kernels::layer_norm::forward(&xs, &w, &b, 1e-5).unwrap();
            close(&ys, &expected.ys, rounding.of(rounding.wide(channels) + 5), "layer norm");
            let run = |gpu: bool, f: &dyn Fn([GradOut<'_>; 2]) -> Result<Tensor>| {
                let own = |param: &Tensor| if gpu { there(param) } else { param.copy().unwrap() };
                let (dw, db) = (own(&w), own(&b));
                let dx = f([out(&dw, Accumulate::ADD), out(&db, Accumulate::REPLACE)]).unwrap();
                [dx, dw, db]
            };
            let own = run(true, &|outs| {
                layer_norm::backward(&there(&w), &normalized, &inverse, &there(&grad), outs)
            });
            let reference =
                run(false, &|outs| kernels::layer_norm::backward(&xs, [&w, &b], &expected, &grad, outs));
            for (own, reference) in own.iter().zip(&reference) {
                close(own, reference, rounding.of(n + channels + 5), "layer norm, back");
            }
        }
    });
}

/// The terms of a recurrent layer's states, and of its gradients. A step adds the products of a gate with the input and the
/// state and its two biases, applies two activations, and passes its error on to the next. Backwards it adds a product over
/// all gates, and the gradient of a weight adds the rows of all steps.
fn recurrent_terms(steps: usize, n: usize, features: usize, hidden: usize, gates: usize) -> [usize; 2] {
    let forward = steps * (features + hidden + 2 + 2 * ACTIVATION);
    [forward, forward + steps * (gates + ACTIVATION + n)]
}

/// Steps, rows, features and states, and whether the steps run from the last. The last one's weight is too large for all steps
/// in one launch.
const SEQUENCES: [((usize, usize, usize, usize), bool); 5] = [
    ((1, 3, 2, 4), false),
    ((5, 4, 3, 6), false),
    ((5, 7, 3, 6), true),
    ((3, 5, 2, 100), false),
    ((3, 2, 2, 370), true),
];

/// The gradients of a recurrent layer.
struct Gradients {
    input: Tensor,
    /// The gradients of the parameters, each added to ones.
    params: [Tensor; 4],
}

/// The gradients that a backward pass gives.
fn gradients_of(
    cell: [&Tensor; 4],
    backward: impl FnOnce([GradOut<'_>; 4]) -> Result<Option<Tensor>>,
) -> Gradients {
    let params = cell.map(|param| param.ones_like().unwrap());
    let input = backward(params.each_ref().map(|buffer| out(buffer, Accumulate::ADD))).unwrap();
    Gradients { input: input.unwrap(), params }
}

#[test]
fn recurrent_layers() {
    let kinds =
        [CellKind::Elman(Activation::Tanh), CellKind::Elman(Activation::Relu), CellKind::Lstm, CellKind::Gru];
    each(|dtype, rounding, draws| {
        for kind in kinds {
            for ((steps, n, features, hidden), reverse) in SEQUENCES {
                let rows = kind.gates() * hidden;
                let shapes = [vec![rows, features], vec![rows, hidden], vec![rows], vec![rows]];
                let cell = shapes.map(|shape| (random(draws, &shape, dtype) * 0.5).unwrap());
                let cell = cell.each_ref();
                let xs = random(draws, &[steps, n, features], dtype);
                let grad = random(draws, &[steps, n, hidden], dtype);
                let (own_xs, own_cell) = (there(&xs), cell.map(there));
                let expected = layers::forward(kind, &xs, cell, reverse.into()).unwrap();
                let output = recurrent::forward(kind, &own_xs, own_cell.each_ref(), reverse.into()).unwrap();
                let [forward, back] = recurrent_terms(steps, n, features, hidden, rows);
                close(&output.hs, &expected.hs, rounding.of(forward), "states");
                let pass = ForwardPass { kind, xs: &xs, output: expected, order: reverse.into() };
                let reference = gradients_of(cell, |outs| layers::backward(pass, cell, &grad, outs, true));
                let pass = ForwardPass { kind, xs: &own_xs, output, order: reverse.into() };
                let own = gradients_of(own_cell.each_ref(), |outs| {
                    recurrent::backward(&pass, own_cell.each_ref(), &there(&grad), outs, true)
                });
                close(&own.input, &reference.input, rounding.of(back), "gradient of the input");
                for (own, reference) in own.params.iter().zip(&reference.params) {
                    close(own, reference, rounding.of(back), &format!("{kind:?}, back"));
                }
            }
        }
    });
}
