//! Every kernel against the CPU's: as a C++ compiler makes it for this machine, or with `DESCENT_TEST_DEVICE=cuda` on the
//! first GPU.

use candle_core::{DType, Device, Result, Tensor};

use super::*;
use crate::kernels::recurrent::{self as layers, Kind, Output, Pass};
use crate::kernels::{self, Activation, Onto, Products};
use crate::rng::{Purpose, Stream};

/// What rounding may do in so many steps of arithmetic.
fn tolerance(dtype: DType) -> f64 {
    if dtype == DType::F32 { 2e-6 } else { 1e-13 }
}

/// Where the kernels run.
fn gpu() -> Device {
    match std::env::var("DESCENT_TEST_DEVICE").as_deref() {
        Ok("cuda") => device(0).unwrap(),
        _ => Device::Cpu,
    }
}

/// The tensor where the kernels run.
fn there(tensor: &Tensor) -> Tensor {
    // A copy, where that is the CPU too: kernels write to it.
    tensor.copy().unwrap().to_device(&gpu()).unwrap()
}

fn random(shape: &[usize], dtype: DType) -> Tensor {
    Tensor::randn(0.0, 1.0, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

/// Both within `tolerance`, of their size where that is more than 1; not finite in the same places.
fn close(a: &Tensor, b: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(a.dims(), b.dims(), "{what}");
    let numbers = |t: &Tensor| -> Vec<f64> {
        t.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
    };
    for (place, (a, b)) in numbers(a).into_iter().zip(numbers(b)).enumerate() {
        let fits = if b.is_finite() {
            (a - b).abs() <= tolerance * b.abs().max(1.0)
        } else {
            a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
        };
        assert!(fits, "{what}: {a} and {b} at {place}");
    }
}

fn each(mut test: impl FnMut(DType, f64)) {
    for dtype in [DType::F32, DType::F64] {
        test(dtype, tolerance(dtype));
    }
}

fn sink(buffer: &Tensor, onto: Onto) -> Sink<'_> {
    Sink { buffer, onto }
}

#[test]
fn activations() {
    each(|dtype, tolerance| {
        let xs = (random(&[777], dtype) * 3.0).unwrap();
        let grad = random(&[777], dtype);
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
    each(|dtype, tolerance| {
        for (n, inputs, outputs) in [(1, 5, 3), (7, 4, 1), (33, 130, 70)] {
            let (xs, w, b) =
                (random(&[n, inputs], dtype), random(&[outputs, inputs], dtype), random(&[outputs], dtype));
            let grad = random(&[n, outputs], dtype);
            for act in [None, Some(Activation::Tanh), Some(Activation::Silu)] {
                let (ys, argument) =
                    linear::forward(&there(&xs), &there(&w), &there(&b), act, Products::F32).unwrap();
                let expected = kernels::linear::forward(&xs, &w, &b, act, Products::F32).unwrap();
                close(&ys, &expected.ys, 40.0 * tolerance, "linear");
                assert_eq!(argument.is_some(), act == Some(Activation::Silu));
                if let (Some(argument), Some(act)) = (&argument, act) {
                    close(&activation::forward(act, argument).unwrap(), &ys, tolerance, "argument");
                }
            }
            for onto in [Onto::REPLACE, Onto::ADD, Onto { keep: 0.5, scale: -2.0 }] {
                let (dw, db) = (there(&w), there(&b));
                let sinks = [Some(sink(&dw, onto)), Some(sink(&db, onto))];
                linear::gradients(&there(&xs), &there(&grad), sinks, Products::F32).unwrap();
                let (expected_w, expected_b) = (w.copy().unwrap(), b.copy().unwrap());
                let sinks = [Some(sink(&expected_w, onto)), Some(sink(&expected_b, onto))];
                kernels::linear::gradients(&xs, &grad, sinks, Products::F32).unwrap();
                close(&dw, &expected_w, 100.0 * tolerance, "gradient of the weight");
                close(&db, &expected_b, 100.0 * tolerance, "gradient of the bias");
            }
        }
    });
}

#[test]
fn batch_normalisation() {
    each(|dtype, tolerance| {
        for (n, channels) in [(2, 1), (7, 5), (64, 33), (1000, 40)] {
            let [xs, grad] = [(); 2].map(|()| random(&[n, channels], dtype));
            let [w, b] = [(); 2].map(|()| random(&[channels], dtype));
            let [ys, normalized, mean, var] =
                batch_norm::forward(&there(&xs), &there(&w), &there(&b), 1e-5).unwrap();
            let expected = kernels::batch_norm::forward(&xs, &w, &b, 1e-5).unwrap();
            for (a, b) in [(&ys, &expected.ys), (&mean, &expected.mean), (&var, &expected.var)] {
                close(a, b, 4.0 * tolerance, "batch norm");
            }
            let run = |gpu: bool, f: &dyn Fn([Sink<'_>; 2]) -> Result<Tensor>| {
                let own = |param: &Tensor| if gpu { there(param) } else { param.copy().unwrap() };
                let (dw, db) = (own(&w), own(&b));
                let dx = f([sink(&dw, Onto::ADD), sink(&db, Onto::REPLACE)]).unwrap();
                [dx, dw, db]
            };
            let own = run(true, &|sinks| {
                batch_norm::backward(&there(&w), (&normalized, &var, 1e-5), &there(&grad), sinks)
            });
            let twin =
                run(false, &|sinks| kernels::batch_norm::backward(&xs, &w, &b, &expected, &grad, sinks));
            for (own, twin) in own.iter().zip(&twin) {
                close(own, twin, 20.0 * tolerance, "batch norm, back");
            }
        }
    });
}

#[test]
fn layer_normalisation() {
    each(|dtype, tolerance| {
        for (n, channels) in [(1, 2), (7, 5), (66, 33), (3, 1000)] {
            let [xs, grad] = [(); 2].map(|()| random(&[n, channels], dtype));
            let [w, b] = [(); 2].map(|()| random(&[channels], dtype));
            let [ys, normalized, inverse] =
                layer_norm::forward(&there(&xs), &there(&w), &there(&b), 1e-5).unwrap();
            let expected = kernels::layer_norm::forward(&xs, &w, &b, 1e-5).unwrap();
            close(&ys, &expected.ys, 10.0 * tolerance, "layer norm");
            let run = |gpu: bool, f: &dyn Fn([Sink<'_>; 2]) -> Result<Tensor>| {
                let own = |param: &Tensor| if gpu { there(param) } else { param.copy().unwrap() };
                let (dw, db) = (own(&w), own(&b));
                let dx = f([sink(&dw, Onto::ADD), sink(&db, Onto::REPLACE)]).unwrap();
                [dx, dw, db]
            };
            let own = run(true, &|sinks| {
                layer_norm::backward(&there(&w), (&normalized, &inverse), &there(&grad), sinks)
            });
            let twin =
                run(false, &|sinks| kernels::layer_norm::backward(&xs, [&w, &b], &expected, &grad, sinks));
            for (own, twin) in own.iter().zip(&twin) {
                close(own, twin, 40.0 * tolerance, "layer norm, back");
            }
        }
    });
}

#[test]
fn cross_entropies() {
    each(|dtype, tolerance| {
        for (rows, classes) in [(1u32, 2u32), (5, 10), (9, 77)] {
            let logits = (random(&[rows as usize, classes as usize], dtype) * 5.0).unwrap();
            let targets: Vec<i64> =
                (0..rows).map(|row| if row == 3 { -100 } else { i64::from(row * 7 % classes) }).collect();
            let targets = Tensor::new(targets, &Device::Cpu).unwrap();
            let weights: Vec<f64> = (0..classes).map(|class| 0.25 + f64::from(class)).collect();
            for class_weight in [None, Some(&weights[..])] {
                for label_smoothing in [0.0, 0.1] {
                    let how = kernels::cross_entropy::Weighting {
                        class_weight,
                        label_smoothing,
                        ignore_index: -100,
                    };
                    let (sum, grad) =
                        cross_entropy::value_and_grad(&there(&logits), &there(&targets), &how, 3.0).unwrap();
                    let (expected, expected_grad) =
                        kernels::cross_entropy::value_and_grad(&logits, &targets, &how, 3.0).unwrap();
                    let (sum, expected) = (sum.to_scalar::<f64>().unwrap(), expected.read().unwrap());
                    assert!((sum - expected).abs() <= 4.0 * tolerance * expected, "{sum} {expected}");
                    close(&grad, &expected_grad, 20.0 * tolerance, "cross-entropy");
                }
            }
        }
    });
}

/// A loss by the log-probability of the class, written as the focal loss is.
struct Likelihood<'a>(f64, Option<&'a [f64]>);

impl kernels::cross_entropy::OfLikelihood for Likelihood<'_> {
    fn apply(&self, log_p: f64, class: usize) -> (f64, f64) {
        let (gamma, w) = (self.0, self.1.map_or(1.0, |weights| weights[class]));
        let (p, rest) = (log_p.exp(), -log_p.exp_m1());
        let slope = rest.powf(gamma) - gamma * rest.powf(gamma - 1.0) * p * log_p;
        (-w * rest.powf(gamma) * log_p, -w * slope)
    }

    fn gamma(&self) -> f64 {
        self.0
    }

    fn weights(&self) -> Option<&[f64]> {
        self.1
    }
}

#[test]
fn losses_of_a_likelihood() {
    each(|dtype, tolerance| {
        let logits = (random(&[7, 12], dtype) * 3.0).unwrap();
        let logits = candle_nn::ops::log_softmax(&logits, candle_core::D::Minus1).unwrap();
        let targets = Tensor::new(&[0i64, 11, -100, 5, 5, 1, 2], &Device::Cpu).unwrap();
        let weights: Vec<f64> = (0..12).map(|class| 0.25 + f64::from(class)).collect();
        for (gamma, weights) in [(0.0, None), (2.0, Some(&weights[..])), (0.5, None)] {
            for normalized in [false, true] {
                let loss = Likelihood(gamma, weights);
                let (sum, grad) = cross_entropy::value_and_grad_of_likelihood(
                    &loss,
                    (&there(&logits), normalized),
                    &there(&targets),
                    -100,
                    3.0,
                )
                .unwrap();
                let (expected, expected_grad) = kernels::cross_entropy::value_and_grad_of_likelihood(
                    &loss,
                    (&logits, normalized),
                    &targets,
                    -100,
                    3.0,
                )
                .unwrap();
                let (sum, expected) = (sum.to_scalar::<f64>().unwrap(), expected.read().unwrap());
                assert!((sum - expected).abs() <= 8.0 * tolerance * expected, "{sum} {expected}");
                close(&grad, &expected_grad, 40.0 * tolerance, "likelihood");
            }
        }
    });
}

#[test]
fn dropout_masks_are_the_same_on_both_devices() {
    each(|dtype, _| {
        let stream = Stream::new(7, Purpose::Dropout, (12 << 16) | 3);
        for shape in [&[7usize, 9][..], &[4, 6, 5]] {
            // p, and p · 2³²
            for (p, dropped, first) in [(0.25, 1u64 << 30, 0), (0.5, 1 << 31, 13), (1.0, 1 << 32, 2)] {
                let xs = random(shape, dtype);
                let expected = kernels::dropout::mask(&xs, p, &stream, first, None).unwrap();
                let sizes = if let [n, c] = *shape { [1, n, c] } else { [shape[0], shape[1], shape[2]] };
                let kept = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
                let threshold = (dropped, kept);
                // The step by value, and as a replayed graph reads it.
                let now = there(&Tensor::new(&[12.0, 1.0], &Device::Cpu).unwrap());
                let gpu = gpu();
                for now in [None, Some(&now)] {
                    let of = (&gpu, dtype);
                    let mask = dropout::mask(of, sizes, (stream.source(), now), first, threshold).unwrap();
                    close(&mask.reshape(shape).unwrap(), &expected, 0.0, "mask");
                }
            }
        }
    });
}

#[test]
fn batches() {
    let bytes = Tensor::new(&[[0u8, 255], [51, 102], [7, 9]], &Device::Cpu).unwrap();
    each(|dtype, tolerance| {
        for xs in [&bytes, &bytes.to_dtype(dtype).unwrap()] {
            // Rows, and windows of two steps.
            for (indices, row) in [(&[2u32, 0, 2][..], &[2usize][..]), (&[1, 0], &[2, 2])] {
                let rows = Tensor::new(indices, &gpu()).unwrap();
                let own = gather::rows(&there(xs), &rows, row, (1.0 / 255.0, -0.5), dtype).unwrap();
                let twin = kernels::gather::rows(xs, indices, row, (1.0 / 255.0, -0.5), dtype, None).unwrap();
                close(&own, &twin, tolerance, "batch");
            }
        }
    });
}

#[test]
fn recurrent_layers() {
    let kinds = [Kind::Elman(Activation::Tanh), Kind::Elman(Activation::Relu), Kind::Lstm, Kind::Gru];
    each(|dtype, tolerance| {
        for kind in kinds {
            for ((steps, n, features, hidden), reverse) in
                [((1, 3, 2, 4), false), ((5, 4, 3, 6), false), ((5, 4, 3, 6), true)]
            {
                let rows = kind.gates() * hidden;
                let shapes = [vec![rows, features], vec![rows, hidden], vec![rows], vec![rows]];
                let cell = shapes.map(|shape| (random(&shape, dtype) * 0.5).unwrap());
                let cell = cell.each_ref();
                let xs = random(&[steps, n, features], dtype);
                let grad = random(&[steps, n, hidden], dtype);
                let (own_xs, own_cell) = (there(&xs), cell.map(there));
                let expected = layers::forward(kind, &xs, cell, reverse).unwrap();
                let (hs, saved) = recurrent::forward(kind, &own_xs, own_cell.each_ref(), reverse).unwrap();
                close(&hs, &expected.hs, 40.0 * tolerance, "states");
                let run = |cell: [&Tensor; 4], f: &dyn Fn([Sink<'_>; 4]) -> Result<Option<Tensor>>| {
                    let buffers = cell.map(|param| param.ones_like().unwrap());
                    let dx = f(buffers.each_ref().map(|buffer| sink(buffer, Onto::ADD))).unwrap();
                    (dx.unwrap(), buffers)
                };
                let pass = Pass { kind, xs: &xs, output: &expected, reverse };
                let (dx, twin) = run(cell, &|sinks| layers::backward(pass, cell, &grad, sinks, true));
                let output = Output::of(hs, Vec::new());
                let pass = Pass { xs: &own_xs, output: &output, ..pass };
                let (own_dx, own) = run(own_cell.each_ref(), &|sinks| {
                    recurrent::backward(pass, &saved, own_cell.each_ref(), &there(&grad), sinks, true)
                });
                close(&own_dx, &dx, 200.0 * tolerance, "gradient of the input");
                for (own, twin) in own.iter().zip(&twin) {
                    close(own, twin, 200.0 * tolerance, &format!("{kind:?}, back"));
                }
            }
        }
    });
}

#[test]
fn the_judge_lets_finite_updates_pass_and_closes_for_good_behind_one_that_is_not() {
    each(|dtype, _| {
        let judge = Judge::new(2, 4, &gpu()).unwrap();
        let grads = [random(&[100, 3], dtype), random(&[7], dtype)];
        let squares: f64 = grads.iter().map(|g| kernels::norm::sum_of_squares(g).unwrap()).sum();
        let grads: Vec<&Tensor> = grads.iter().collect();
        let nan = Tensor::new(&[1.0, f64::NAN], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let see = |step: u64, loss: f64, grads: &[&Tensor], norm| {
            judge.begin(step, 2.0).unwrap();
            let loss = Tensor::new(loss, &gpu()).unwrap();
            let grads: Vec<Tensor> = grads.iter().map(|grad| there(grad)).collect();
            judge.see(&loss, &grads.iter().collect::<Vec<_>>(), Limits { norm, loss: 1e38 }).unwrap();
            judge.gate().to_vec1::<f64>().unwrap()
        };
        let norm = squares.sqrt();
        let clipped = see(1, 5.0, &grads, Some(0.5))[0];
        assert!((clipped - 0.5 / (norm + 1e-6)).abs() < 1e-9, "{clipped}");
        assert_eq!(see(2, 6.0, &grads, None), [1.0, 1.0, 0.0]);
        assert_eq!(see(3, 6.0, &grads, Some(1e9)), [1.0, 1.0, 0.0]);
        assert_eq!(see(5, 7.0, &[&nan, grads[1]], None)[1..], [0.0, 5.0]);
        assert_eq!(see(6, 8.0, &grads, None)[1..], [0.0, 5.0]);
        let (losses, norms, ceased) = judge.read().unwrap();
        assert_eq!((losses[1], losses[2], losses[3], ceased), (7.0, 8.0, 6.0, Some(5)));
        assert!(norms[1].is_nan() && (norms[3] - norm).abs() < 1e-6);
        for (loss, norm, bad) in
            [(f64::NAN, None, &grads[..]), (1e39, None, &grads), (1.0, Some(1.0), &[&nan, grads[1]])]
        {
            judge.open().unwrap();
            assert_eq!(see(9, loss, bad, norm)[1..], [0.0, 9.0]);
        }
    });
}
