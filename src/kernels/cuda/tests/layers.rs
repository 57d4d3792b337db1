//! Layers, forward and back.

use candle_core::{Device, Result, Tensor};

use super::super::linear::{self, Activated};
use super::super::{activation, batch_norm, layer_norm, recurrent};
use super::{close, each, out, random, there};
use crate::distributed::Shards;
use crate::kernels::recurrent::{self as layers, CellKind, Pass};
use crate::kernels::{self, Accumulate, Activation, GradOut, MatmulPrecision};

#[test]
fn activations() {
    each(|dtype, tolerance, draws| {
        let xs = (random(draws, &[777], dtype) * 3.0).unwrap();
        let grad = random(draws, &[777], dtype);
        for name in Activation::NAMES {
            let act: Activation = serde_json::from_str(&format!("\"{name}\"")).unwrap();
            let ys = activation::forward(act, &there(&xs)).unwrap();
            close(&ys, &kernels::activation::forward(act, &xs).unwrap(), 4.0 * tolerance, name);
            let back = activation::backward(act, &there(&xs), &ys, &there(&grad)).unwrap();
            let ys = ys.to_device(&Device::Cpu).unwrap();
            let expected = kernels::activation::backward(act, &xs, &ys, &grad).unwrap();
            close(&back, &expected, 4.0 * tolerance, name);
        }
        let nan = Tensor::full(f64::NAN, 3, &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        close(&activation::forward(Activation::Relu, &there(&nan)).unwrap(), &nan, 0.0, "relu of NaN");
    });
}

#[test]
fn linear_layers_and_sums_of_rows() {
    each(|dtype, tolerance, draws| {
        for (n, inputs, outputs) in [(1, 5, 3), (7, 4, 1), (33, 130, 70)] {
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
                close(&ys, &expected.ys, 40.0 * tolerance, "linear");
                assert_eq!(argument.is_some(), act == Some(Activation::Silu));
                if let (Some(argument), Some(act)) = (&argument, act) {
                    close(&activation::forward(act, argument).unwrap(), &ys, tolerance, "argument");
                }
            }
            for accumulate in [Accumulate::REPLACE, Accumulate::ADD, Accumulate { alpha: -2.0, beta: 0.5 }] {
                let (dw, db) = (there(&w), there(&b));
                let outs = [Some(out(&dw, accumulate)), Some(out(&db, accumulate))];
                linear::gradients(&there(&xs), &there(&grad), outs, MatmulPrecision::F32).unwrap();
                let (expected_w, expected_b) = (w.copy().unwrap(), b.copy().unwrap());
                let outs = [Some(out(&expected_w, accumulate)), Some(out(&expected_b, accumulate))];
                kernels::linear::gradients(&xs, &grad, outs, MatmulPrecision::F32).unwrap();
                close(&dw, &expected_w, 100.0 * tolerance, "gradient of the weight");
                close(&db, &expected_b, 100.0 * tolerance, "gradient of the bias");
            }
        }
    });
}

#[test]
fn batch_normalisation() {
    each(|dtype, tolerance, draws| {
        for (n, channels) in [(2, 1), (7, 5), (64, 33), (1000, 40)] {
            let [xs, grad] = [(); 2].map(|()| random(draws, &[n, channels], dtype));
            let [w, b] = [(); 2].map(|()| random(draws, &[channels], dtype));
            let [ys, normalized, mean, var] =
                batch_norm::forward(&there(&xs), &there(&w), &there(&b), 1e-5).unwrap();
            let expected =
                kernels::batch_norm::forward(std::slice::from_ref(&xs), &w, &b, 1e-5, &Shards::default())
                    .unwrap();
            for (a, b) in [(&ys, &expected.ys[0]), (&mean, &expected.mean), (&var, &expected.var)] {
                close(a, b, 4.0 * tolerance, "batch norm");
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
                kernels::batch_norm::backward(xs, &w, &b, &expected, grad, &[outs], &Shards::default())
                    .map(|mut dx| dx.remove(0))
            });
            for (own, reference) in own.iter().zip(&reference) {
                close(own, reference, 20.0 * tolerance, "batch norm, back");
            }
        }
    });
}

#[test]
fn layer_normalisation() {
    each(|dtype, tolerance, draws| {
        for (n, channels) in [(1, 2), (7, 5), (66, 33), (3, 1000)] {
            let [xs, grad] = [(); 2].map(|()| random(draws, &[n, channels], dtype));
            let [w, b] = [(); 2].map(|()| random(draws, &[channels], dtype));
            let [ys, normalized, inverse] =
                layer_norm::forward(&there(&xs), &there(&w), &there(&b), 1e-5).unwrap();
            let expected = kernels::layer_norm::forward(&xs, &w, &b, 1e-5).unwrap();
            close(&ys, &expected.ys, 10.0 * tolerance, "layer norm");
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
                close(own, reference, 40.0 * tolerance, "layer norm, back");
            }
        }
    });
}

#[test]
fn recurrent_layers() {
    let kinds =
        [CellKind::Elman(Activation::Tanh), CellKind::Elman(Activation::Relu), CellKind::Lstm, CellKind::Gru];
    each(|dtype, tolerance, draws| {
        for kind in kinds {
            for ((steps, n, features, hidden), reverse) in
                [((1, 3, 2, 4), false), ((5, 4, 3, 6), false), ((5, 4, 3, 6), true)]
            {
                let rows = kind.gates() * hidden;
                let shapes = [vec![rows, features], vec![rows, hidden], vec![rows], vec![rows]];
                let cell = shapes.map(|shape| (random(draws, &shape, dtype) * 0.5).unwrap());
                let cell = cell.each_ref();
                let xs = random(draws, &[steps, n, features], dtype);
                let grad = random(draws, &[steps, n, hidden], dtype);
                let (own_xs, own_cell) = (there(&xs), cell.map(there));
                let expected = layers::forward(kind, &xs, cell, reverse).unwrap();
                let output = recurrent::forward(kind, &own_xs, own_cell.each_ref(), reverse).unwrap();
                close(&output.hs, &expected.hs, 40.0 * tolerance, "states");
                let run = |cell: [&Tensor; 4], f: &dyn Fn([GradOut<'_>; 4]) -> Result<Option<Tensor>>| {
                    let buffers = cell.map(|param| param.ones_like().unwrap());
                    let dx = f(buffers.each_ref().map(|buffer| out(buffer, Accumulate::ADD))).unwrap();
                    (dx.unwrap(), buffers)
                };
                let pass = Pass { kind, xs: &xs, output: &expected, reverse };
                let (dx, reference) = run(cell, &|outs| layers::backward(pass, cell, &grad, outs, true));
                let pass = Pass { xs: &own_xs, output: &output, ..pass };
                let (own_dx, own) = run(own_cell.each_ref(), &|outs| {
                    recurrent::backward(pass, own_cell.each_ref(), &there(&grad), outs, true)
                });
                close(&own_dx, &dx, 200.0 * tolerance, "gradient of the input");
                for (own, reference) in own.iter().zip(&reference) {
                    close(own, reference, 200.0 * tolerance, &format!("{kind:?}, back"));
                }
            }
        }
    });
}
