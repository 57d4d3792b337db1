//! The ends of a pass through the network: batches, masks, losses, and the check of an update.

use candle_core::{Device, Tensor};

use super::super::dropout::{self, Draw};
use super::super::{FiniteGuard, GuardRecord, Thresholds, cross_entropy, gather};
use super::{close, each, gpu, random, there};
use crate::kernels;
use crate::kernels::cross_entropy::Scores;
use crate::kernels::gather::Affine;
use crate::rng::{Purpose, Stream};

#[test]
fn cross_entropies() {
    each(|dtype, rounding, draws| {
        for (rows, classes) in [(1u32, 2u32), (5, 10), (9, 77)] {
            let logits = (random(draws, &[rows as usize, classes as usize], dtype) * 5.0).unwrap();
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
                    let own =
                        cross_entropy::value_and_grad(&there(&logits), &there(&targets), &how, 3.0).unwrap();
                    let expected =
                        kernels::cross_entropy::value_and_grad(&logits, &targets, &how, 3.0).unwrap();
                    let (sum, expected_sum) = (own.value.read().unwrap(), expected.value.read().unwrap());
                    // A softmax adds its classes; the gradient is that of the largest weight over the divisor.
                    let bound = rounding.of(classes as usize + 4);
                    assert!((sum - expected_sum).abs() <= bound * expected_sum, "{sum} {expected_sum}");
                    let largest = class_weight.map_or(1.0, |weights| weights[weights.len() - 1]);
                    close(&own.grad, &expected.grad, bound * (largest / 3.0).max(1.0), "cross-entropy");
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
    each(|dtype, rounding, draws| {
        let logits = (random(draws, &[7, 12], dtype) * 3.0).unwrap();
        let logits = candle_nn::ops::log_softmax(&logits, candle_core::D::Minus1).unwrap();
        let targets = Tensor::new(&[0i64, 11, -100, 5, 5, 1, 2], &Device::Cpu).unwrap();
        let weights: Vec<f64> = (0..12).map(|class| 0.25 + f64::from(class)).collect();
        for (gamma, weights) in [(0.0, None), (2.0, Some(&weights[..])), (0.5, None)] {
            for are_normalized in [false, true] {
                let loss = Likelihood(gamma, weights);
                let own_logits = there(&logits);
                let own_scores = Scores { values: &own_logits, are_normalized };
                let own_targets = there(&targets);
                let own =
                    cross_entropy::value_and_grad_of_likelihood(&loss, own_scores, &own_targets, -100, 3.0);
                let own = own.unwrap();
                let scores = Scores { values: &logits, are_normalized };
                let targets = kernels::cross_entropy::LikelihoodTargets {
                    classes: &targets,
                    ignored: -100,
                    rows: None,
                };
                let expected =
                    kernels::cross_entropy::value_and_grad_of_likelihood(&loss, scores, &targets, 3.0);
                let expected = expected.unwrap();
                let (sum, expected_sum) = (own.value.read().unwrap(), expected.value.read().unwrap());
                // As of a cross-entropy.
                let bound = rounding.of(12 + 4);
                assert!((sum - expected_sum).abs() <= bound * expected_sum, "{sum} {expected_sum}");
                let largest = weights.map_or(1.0, |weights| weights[weights.len() - 1]);
                close(&own.grad, &expected.grad, bound * (largest / 3.0).max(1.0), "likelihood");
            }
        }
    });
}

#[test]
fn dropout_masks_are_the_same_on_both_devices() {
    each(|dtype, _, draws| {
        let stream = Stream::new(7, Purpose::Dropout, (12 << 16) | 3);
        for shape in [&[7usize, 9][..], &[4, 6, 5]] {
            // p, and p · 2³²
            for (p, dropped, first) in [(0.25, 1u64 << 30, 0), (0.5, 1 << 31, 13), (1.0, 1 << 32, 2)] {
                let xs = random(draws, shape, dtype);
                let draw = kernels::dropout::DropoutDraw { p, stream: &stream, first, step_counter: None };
                let expected = kernels::dropout::mask(&xs, draw).unwrap();
                let sizes = if let [n, c] = *shape { [1, n, c] } else { [shape[0], shape[1], shape[2]] };
                let kept = if p < 1.0 { 1.0 / (1.0 - p) } else { 0.0 };
                // The step by value, and as a replayed graph reads it.
                let step_counter = there(&Tensor::new(&[12.0, 1.0], &Device::Cpu).unwrap());
                let (source, own_xs) = (stream.source(), there(&xs));
                for step_counter in [None, Some(&step_counter)] {
                    let draw = Draw { shape: sizes, source, step_counter, first, dropped, kept };
                    let mask = dropout::mask(&own_xs, draw).unwrap();
                    close(&mask.reshape(shape).unwrap(), &expected, 0.0, "mask");
                }
            }
        }
    });
}

#[test]
fn batches() {
    let affine = Affine { scale: 1.0 / 255.0, shift: -0.5 };
    let bytes = Tensor::new(&[[0u8, 255], [51, 102], [7, 9]], &Device::Cpu).unwrap();
    each(|dtype, rounding, _| {
        for xs in [&bytes, &bytes.to_dtype(dtype).unwrap()] {
            // Rows, and windows of two steps.
            for (indices, row) in [(&[2u32, 0, 2][..], &[2usize][..]), (&[1, 0], &[2, 2])] {
                let rows = Tensor::new(indices, &gpu()).unwrap();
                let own = gather::rows(&there(xs), &rows, row, affine, dtype).unwrap();
                let reference = kernels::gather::rows(xs, indices, row, affine, dtype, None).unwrap();
                close(&own, &reference, rounding.of(2), "batch");
            }
        }
    });
}

#[test]
fn the_guard_skips_every_update_from_the_first_that_is_not_finite_on() {
    each(|dtype, _, draws| {
        let guard = FiniteGuard::new(4, &gpu()).unwrap();
        // More than a block takes.
        let grads = random(draws, &[10_001], dtype);
        let squares = kernels::norm::sum_of_squares(&[&grads]).unwrap();
        let nan = Tensor::new(&[1.0, f64::NAN], &Device::Cpu).unwrap().to_dtype(dtype).unwrap();
        let nan = Tensor::cat(&[&grads, &nan], 0).unwrap();
        let see = |step: u64, loss: f64, grads: &Tensor, norm| {
            guard.begin(step, 2.0).unwrap();
            let loss = Tensor::new(loss, &gpu()).unwrap();
            guard.check(&loss, &there(grads), Thresholds { norm, loss: 1e38 }).unwrap();
            guard.skip_flag().to_vec1::<f64>().unwrap()
        };
        let norm = squares.sqrt();
        let clipped = see(1, 5.0, &grads, Some(0.5))[0];
        assert!((clipped - 0.5 / (norm + 1e-6)).abs() < 1e-9, "{clipped}");
        assert_eq!(see(2, 6.0, &grads, None), [1.0, 1.0, 0.0]);
        assert_eq!(see(3, 6.0, &grads, Some(1e9)), [1.0, 1.0, 0.0]);
        assert_eq!(see(5, 7.0, &nan, None)[1..], [0.0, 5.0]);
        assert_eq!(see(6, 8.0, &grads, None)[1..], [0.0, 5.0]);
        let GuardRecord { losses, norms, first_skipped } = guard.read().unwrap();
        assert_eq!((losses[1], losses[2], losses[3], first_skipped), (7.0, 8.0, 6.0, Some(5)));
        assert!(norms[1].is_nan() && (norms[3] - norm).abs() < 1e-6);
        for (loss, norm, bad) in [(f64::NAN, None, &grads), (1e39, None, &grads), (1.0, Some(1.0), &nan)] {
            guard.reopen().unwrap();
            assert_eq!(see(9, loss, bad, norm)[1..], [0.0, 9.0]);
        }
    });
}
