//! Every cell against its reference.

use std::sync::atomic::AtomicBool;

use super::*;
use crate::kernels::draws::Draws;
use crate::kernels::{Accumulate, Activation};

const KINDS: [CellKind; 4] =
    [CellKind::Elman(Activation::Tanh), CellKind::Elman(Activation::Relu), CellKind::Lstm, CellKind::Gru];

fn cell(draws: &Draws, kind: CellKind, features: usize, hidden: usize) -> CellParams<Tensor> {
    let rows = kind.gates() * hidden;
    [
        draws.normal(&[rows, features], 0.7),
        draws.normal(&[rows, hidden], 0.7),
        draws.normal(&[rows], 0.7),
        draws.normal(&[rows], 0.7),
    ]
}

#[test]
fn value_and_gradients_match_the_reference() {
    let draws = Draws::new(1);
    for (steps, n, features, hidden) in
        [(1, 2, 3, 4), (5, 1, 2, 3), (6, 4, 3, 5), (3, 2, 2, 70), (4, 37, 2, 5)]
    {
        for (kind, reverse) in KINDS.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
            let (xs, cell) = (draws.normal(&[steps, n, features], 0.7), cell(&draws, kind, features, hidden));
            let refs = || cell.each_ref();
            let grad = draws.normal(&[steps, n, hidden], 0.7);
            let output = forward(kind, &xs, refs(), reverse.into()).unwrap();
            close(&output.hs, &reference(kind, &xs, refs(), reverse.into()).unwrap());
            let expected = autograd::vjp(&[&xs, &cell[0], &cell[1], &cell[2], &cell[3]], &grad, |t| {
                reference(kind, &t[0], [&t[1], &t[2], &t[3], &t[4]], reverse.into())
            })
            .unwrap();
            let buffers = cell.each_ref().map(|p| p.ones_like().unwrap());
            let outs = buffers.each_ref().map(|buffer| GradOut { buffer, accumulate: Accumulate::ADD });
            let pass = ForwardPass { kind, xs: &xs, output, order: reverse.into() };
            let dx = backward(pass, refs(), &grad, outs, true).unwrap().unwrap();
            close(&dx, &expected[0]);
            for (buffer, expected) in buffers.iter().zip(&expected[1..]) {
                close(&(buffer - 1.0).unwrap(), expected);
            }
        }
    }
}

#[test]
fn two_thousand_steps_cost_no_stack() {
    let draws = Draws::new(1);
    for kind in KINDS {
        let (xs, cell) = (draws.normal(&[2000, 1, 2], 0.7), cell(&draws, kind, 2, 3));
        let cell = cell.map(|p| (p * 0.01).unwrap());
        let output = forward(kind, &xs, cell.each_ref(), StepOrder::default()).unwrap();
        let grad = output.hs.clone();
        let pass = ForwardPass { kind, xs: &xs, output, order: StepOrder::default() };
        let buffers = cell.each_ref().map(|p| p.ones_like().unwrap());
        let outs = buffers.each_ref().map(|buffer| GradOut { buffer, accumulate: Accumulate::REPLACE });
        let dx = backward(pass, cell.each_ref(), &grad, outs, true).unwrap();
        assert_eq!(dx.unwrap().dims(), [2000, 1, 2]);
    }
}

#[test]
fn a_pass_that_is_stopped_ends_before_its_next_step() {
    let draws = Draws::new(1);
    let (stop, go) = (AtomicBool::new(true), AtomicBool::new(false));
    for kind in KINDS {
        let (xs, cell) = (draws.normal(&[3, 2, 2], 0.7), cell(&draws, kind, 2, 3));
        let order = |stop| StepOrder { reverse: false, stop: Some(stop) };
        forward(kind, &xs, cell.each_ref(), order(&stop)).unwrap_err();
        let output = forward(kind, &xs, cell.each_ref(), order(&go)).unwrap();
        let grad = output.hs.clone();
        let pass = ForwardPass { kind, xs: &xs, output, order: order(&stop) };
        let buffers = cell.each_ref().map(|p| p.ones_like().unwrap());
        let outs = buffers.each_ref().map(|buffer| GradOut { buffer, accumulate: Accumulate::REPLACE });
        backward(pass, cell.each_ref(), &grad, outs, true).unwrap_err();
    }
}

fn close(a: &Tensor, b: &Tensor) {
    let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
    assert!(difference < 1e-11, "{difference}");
}

#[test]
fn batch_and_time_change_places() {
    let draws = Draws::new(2);
    // Few elements, and several blocks of rows.
    for shape in [[3, 2, 4], [1, 5, 1], [70, 30, 9], [2, 5000, 3]] {
        let xs = draws.normal(&shape, 1.0);
        let expected = xs.transpose(0, 1).unwrap().contiguous().unwrap();
        let swapped = swap_batch_and_time(&xs).unwrap();
        assert_eq!(swapped.to_vec3::<f64>().unwrap(), expected.to_vec3::<f64>().unwrap(), "{shape:?}");
    }
}

#[test]
fn only_the_last_step_has_a_gradient() {
    let draws = Draws::new(3);
    for (steps, n, hidden) in [(1, 2, 3), (4, 3, 2), (9, 70, 20)] {
        let grad = draws.normal(&[n, hidden], 1.0);
        let whole = last_step_gradient(&grad, steps).unwrap().to_vec3::<f64>().unwrap();
        assert_eq!(whole.len(), steps);
        assert_eq!(whole[steps - 1], grad.to_vec2::<f64>().unwrap());
        assert!(whole[..steps - 1].iter().flatten().flatten().all(|x| *x == 0.0));
    }
}
