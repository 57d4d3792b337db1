//! The kernels beside tensor operations, and numbers that are hard to add up.

use std::ops::Range;
use std::sync::Arc;

use candle_core::{DType, Device};

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

/// The activation, in tensor operations.
fn activated(pre: Tensor, act: Option<Activation>) -> Result<Tensor> {
    match act {
        None => Ok(pre),
        Some(Activation::Tanh) => pre.tanh(),
        Some(Activation::Silu) => pre.silu(),
        Some(other) => panic!("no reference for {other:?}"),
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
        let affine = ChannelAffine { weight: &w, bias: &b, act };
        let whole = |t: &[Tensor]| activated(reference(&t[0], &t[1], &t[2], 1e-5)?, act);
        let output = forward(&parts, affine, 1e-5, &shards).unwrap();
        close(&Tensor::cat(&output.ys, 0).unwrap(), &whole(&[xs.clone(), w.clone(), b.clone()]).unwrap());
        let expected = autograd::vjp(&[&xs, &w, &b], &grad, whole).unwrap();
        let (dw, db) = (w.zeros_like().unwrap(), b.ones_like().unwrap());
        // All shards add to one buffer here.
        let out = |buffer| GradOut { buffer, accumulate: Accumulate::ADD };
        let outs = vec![[out(&dw), out(&db)]; count];
        let dx = backward(&parts, affine, &output, &grads, &outs, &shards).unwrap();
        close(&Tensor::cat(&dx, 0).unwrap(), &expected[0]);
        close(&dw, &expected[1]);
        close(&(db - 1.0).unwrap(), &expected[2]);
    }
}

/// Mean and biased variance of each channel, in two passes.
fn two_passes(xs: &Tensor) -> [Tensor; 2] {
    let mean = xs.mean(0).unwrap();
    let var = xs.broadcast_sub(&mean).unwrap().sqr().unwrap().mean(0).unwrap();
    [mean, var]
}

/// The largest difference, as a share of the expected number.
fn relative(a: &Tensor, expected: &Tensor) -> f64 {
    let off = ((a.to_dtype(DType::F64).unwrap() - expected).unwrap() / expected).unwrap().abs().unwrap();
    off.max_all().unwrap().to_scalar().unwrap()
}

#[test]
fn moments_far_from_zero_with_an_outlier_in_front_and_of_unlike_shards_are_exact() {
    let draws = Draws::new(2);
    let near = draws.normal(&[600, 5], 1.0);
    let far = (&near + 1e6).unwrap();
    let outlier = Tensor::cat(&[&Tensor::full(-1e5, (1, 5), &Device::Cpu).unwrap(), &near], 0).unwrap();
    let unlike = Tensor::cat(&[&near, &(&near + 1e3).unwrap()], 0).unwrap();
    for (rows, count) in
        [(&far, 1), (&far, 4), (&outlier, 1), (&outlier, 4), (&unlike, 1), (&unlike, 2), (&unlike, 8)]
    {
        for dtype in [DType::F64, DType::F32] {
            let xs = rows.to_dtype(dtype).unwrap();
            let [mean, var] = two_passes(&xs.to_dtype(DType::F64).unwrap());
            let shards = Shards::new(count, Arc::new(Single)).unwrap();
            let parts = shards.rows(xs.dims()[0]).into_iter();
            let parts: Vec<Tensor> = parts.map(|at| xs.narrow(0, at.start, at.len()).unwrap()).collect();
            let [one, zero] = [Tensor::ones(5, dtype, &Device::Cpu), Tensor::zeros(5, dtype, &Device::Cpu)];
            let affine = ChannelAffine { weight: &one.unwrap(), bias: &zero.unwrap(), act: None };
            let output = forward(&parts, affine, 1e-5, &shards).unwrap();
            let bound = if dtype == DType::F64 { 1e-9 } else { 1e-6 };
            assert!(relative(&output.mean, &mean) < bound, "{count} {dtype:?}");
            assert!(relative(&output.var, &var) < bound, "{count} {dtype:?}");
        }
    }
}

#[test]
fn squares_near_the_largest_number_are_exact_and_beyond_it_infinite() {
    let [one, zero] = [1.0, 0.0].map(|x| Tensor::full(x, 1, &Device::Cpu).unwrap());
    let affine = ChannelAffine { weight: &one, bias: &zero, act: None };
    let var_of = |x: f64| {
        let xs = Tensor::new([x, -x].repeat(8), &Device::Cpu).unwrap().reshape((16, 1)).unwrap();
        let output = forward(&[xs], affine, 1e-5, &Shards::default()).unwrap();
        output.var.to_vec1::<f64>().unwrap()[0]
    };
    // The square of the sum of distances overflows here, the variance does not.
    assert!((var_of(1e153) / 1e306 - 1.0).abs() < 1e-12);
    let beyond = var_of(1e200);
    assert!(beyond.is_infinite() && beyond > 0.0);
}

#[test]
fn evaluation_scales_shifts_and_activates() {
    let draws = Draws::new(3);
    for (shape, dtype) in
        [(vec![3000, 5], DType::F64), (vec![64, 33], DType::F32), (vec![4, 7, 3], DType::F64)]
    {
        let channels = shape[shape.len() - 1];
        let of = |shape: &[usize]| draws.normal(shape, 1.0).to_dtype(dtype).unwrap();
        let (xs, mean, w, b) = (of(&shape), of(&[channels]), of(&[channels]), of(&[channels]));
        let var = of(&[channels]).sqr().unwrap();
        for act in [None, Some(Activation::Tanh), Some(Activation::Silu)] {
            let ys =
                normalize_by(&xs, [&mean, &var], ChannelAffine { weight: &w, bias: &b, act }, 1e-5).unwrap();
            let std = (&var + 1e-5).unwrap().sqrt().unwrap();
            let normal = xs.broadcast_sub(&mean).unwrap().broadcast_div(&std).unwrap();
            let pre = normal.broadcast_mul(&w).unwrap().broadcast_add(&b).unwrap();
            let expected = activated(pre, act).unwrap();
            let off = (ys - expected).unwrap().abs().unwrap().max_all().unwrap();
            let bound = if dtype == DType::F64 { 1e-9 } else { 1e-4 };
            assert!(off.to_dtype(DType::F64).unwrap().to_scalar::<f64>().unwrap() < bound);
        }
    }
}

fn close(a: &Tensor, b: &Tensor) {
    let difference = (a - b).unwrap().abs().unwrap().max_all().unwrap().to_scalar::<f64>().unwrap();
    assert!(difference < 1e-9, "{difference}");
}
