//! Tests.

use std::ops::Range;
use std::sync::Arc;

use super::super::{Accumulate, Activation};
use super::*;
use crate::distributed::Single;
use crate::kernels::draws::Draws;

/// Rows, channels and shards.
const SIZES: [(usize, usize, usize); 10] = [
    (2, 1, 1),
    (7, 5, 1),
    (64, 33, 1),
    (64, 33, 4),
    (7, 5, 2),
    (3, 2, 8),
    (70, 130, 1),
    (1024, 65, 1),
    (3000, 5, 1),
    (5000, 5, 2),
];

/// The value with the activation, in tensor operations.
fn activated(of: &[Tensor], act: Option<Activation>) -> Result<Tensor> {
    let sums = reference(&of[0], &of[1], &of[2], 1e-5)?;
    match act {
        None => Ok(sums),
        Some(Activation::Tanh) => sums.tanh(),
        Some(_) => sums.silu(),
    }
}

#[test]
fn value_and_gradients_match_the_reference_in_one_shard_and_in_several() {
    let draws = Draws::new(1);
    let acts = [None, Some(Activation::Tanh), Some(Activation::Silu)];
    for ((n, channels, count), act) in SIZES.into_iter().flat_map(|sizes| acts.map(|act| (sizes, act))) {
        let random = |shape: &[usize]| draws.normal(shape, 2.0);
        let (xs, w, b, grad) =
            (random(&[n, channels]), random(&[channels]), random(&[channels]), random(&[n, channels]));
        let shards = Shards::new(count, Arc::new(Single)).unwrap();
        let cut = |rows: &Tensor| -> Vec<Tensor> {
            let part = |at: Range<usize>| rows.narrow(0, at.start, at.len()).unwrap();
            shards.rows(n).into_iter().map(part).collect()
        };
        let (parts, grads) = (cut(&xs), cut(&grad));
        let by = Scaling { weight: &w, bias: &b, act };
        let output = forward(&parts, by, 1e-5, &shards).unwrap();
        close(
            &Tensor::cat(&output.ys, 0).unwrap(),
            &activated(&[xs.clone(), w.clone(), b.clone()], act).unwrap(),
        );
        let expected = autograd::vjp(&[&xs, &w, &b], &grad, |t| activated(t, act)).unwrap();
        let (dw, db) = (w.zeros_like().unwrap(), b.ones_like().unwrap());
        // All shards add to one buffer here.
        let out = |buffer| GradOut { buffer, accumulate: Accumulate::ADD };
        let outs = vec![[out(&dw), out(&db)]; count];
        let dx = backward(&parts, by, &output, &grads, &outs, &shards).unwrap();
        close(&Tensor::cat(&dx, 0).unwrap(), &expected[0]);
        close(&dw, &expected[1]);
        close(&(db - 1.0).unwrap(), &expected[2]);
    }
}

fn close(a: &Tensor, b: &Tensor) {
    let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
    assert!(difference < 1e-9, "{difference}");
}
