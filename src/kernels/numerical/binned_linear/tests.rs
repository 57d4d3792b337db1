use candle_core::{DType, Device};

use super::*;
use crate::kernels::Accumulate;
use crate::kernels::draws::Draws;
use crate::kernels::numerical::piecewise_linear;

/// Bins of features with several, one and two of them.
fn bins(components: usize, dtype: DType) -> Bins {
    of_edges(&[vec![-1.0, -0.2, 0.3, 1.0], vec![-1.0, 1.0], vec![0.0, 0.5, 3.0]], components, dtype)
}

fn of_edges(edges: &[Vec<f64>], components: usize, dtype: DType) -> Bins {
    let [slopes, offsets] = piecewise_linear::fit(edges, components).unwrap();
    Bins { slopes: slopes.to_dtype(dtype).unwrap(), offsets: offsets.to_dtype(dtype).unwrap() }
}

fn largest(tensor: &Tensor) -> f64 {
    tensor.to_dtype(DType::F64).unwrap().abs().unwrap().max_all().unwrap().to_scalar().unwrap()
}

/// Checks sums of so many terms, none larger than `term`, each of which is rounded a few times.
#[allow(clippy::cast_precision_loss, reason = "a small number")]
fn assert_close(ours: &Tensor, expected: &Tensor, terms: usize, term: f64) {
    assert_eq!(ours.dims(), expected.dims());
    let epsilon = match ours.dtype() {
        DType::F64 => f64::EPSILON,
        DType::F32 => f64::from(f32::EPSILON),
        _ => 2f64.powi(-8),
    };
    let difference = largest(&(ours.to_dtype(DType::F64).unwrap() - expected).unwrap());
    let bound = 4.0 * terms as f64 * epsilon * term;
    assert!(difference <= bound, "{difference} is more than {bound}");
}

/// Checks value and gradients in `dtype` against those of all components in f64.
fn check(edges: &[Vec<f64>], [n, components, width]: [usize; 3], dtype: DType) {
    let (features, draws) = (edges.len(), Draws::new(1));
    let tensors = [
        draws.normal(&[n, features], 1.0),
        draws.normal(&[features, components, width], 1.0),
        draws.normal(&[features, width], 1.0),
        draws.normal(&[n, features * width], 1.0),
    ];
    // The same numbers in both types.
    let [xs, w, b, grad] = tensors.map(|tensor| tensor.to_dtype(dtype).unwrap());
    let [wide_xs, wide_w, wide_b, wide_grad] =
        [&xs, &w, &b, &grad].map(|tensor| tensor.to_dtype(DType::F64).unwrap());
    let zs = of_edges(edges, components, DType::F64).forward(&wide_xs).unwrap();
    let term = largest(&zs).max(1.0) * largest(&wide_w).max(largest(&wide_grad));
    let bins = of_edges(edges, components, dtype);
    for (b, wide_b) in [(None, None), (Some(&b), Some(&wide_b))] {
        let expected = grouped_linear::reference(&zs, &wide_w, wide_b).unwrap();
        assert_close(&forward(&bins, &xs, &w, b).unwrap().ys, &expected, components + 1, term);
    }
    let of_all = |t: &[Tensor]| grouped_linear::reference(&zs, &t[0], Some(&t[1]));
    let expected = autograd::vjp(&[&wide_w, &wide_b], &wide_grad, of_all).unwrap();
    let (dw, db) = (w.ones_like().unwrap(), b.ones_like().unwrap());
    let into_w = GradOut { buffer: &dw, accumulate: Accumulate::ADD };
    let into_b = GradOut { buffer: &db, accumulate: Accumulate::REPLACE };
    let output = forward(&bins, &xs, &w, Some(&b)).unwrap();
    output.backward_of_weights(&w, &grad, into_w, Some(into_b)).unwrap();
    assert_close(&dw, &(&expected[0] + 1.0).unwrap(), n + 1, term);
    assert_close(&db, &expected[1], n + 1, term);
}

#[test]
fn value_and_gradients_match_those_of_all_components() {
    let three = [vec![-1.0, -0.2, 0.3, 1.0], vec![-1.0, 1.0], vec![0.0, 0.5, 3.0]];
    let fine: Vec<f64> = (0..=128).map(|edge| f64::from(edge - 64) / 24.0).collect();
    for dtype in [DType::F64, DType::F32, DType::BF16] {
        for sizes in [[1, 3, 1], [300, 3, 4], [65, 7, 16]] {
            check(&three, sizes, dtype);
        }
        check(&[vec![-1.0, 1.0], vec![0.0, 0.1]], [70, 1, 3], dtype);
    }
    check(&[fine.clone(), vec![-1.0, 1.0]], [300, 128, 16], DType::F64);
    check(&[fine, vec![-1.0, 1.0]], [300, 128, 16], DType::F32);
}

#[test]
fn values_at_bin_edges_match_the_reference() {
    let (bins, draws) = (bins(3, DType::F64), Draws::new(2));
    let edges = [[-1.0, -1.0, 0.0], [-0.2, 1.0, 0.5], [0.3, -1.0, 3.0], [1.0, 1.0, 0.0]];
    let xs = Tensor::new(&edges, &Device::Cpu).unwrap();
    let w = draws.normal(&[3, 3, 2], 1.0);
    let expected = grouped_linear::reference(&bins.forward(&xs).unwrap(), &w, None).unwrap();
    assert_close(&forward(&bins, &xs, &w, None).unwrap().ys, &expected, 3, largest(&w));
}

#[test]
fn bins_that_do_not_meet_match_the_reference() {
    // Rounding sets the lines of narrow bins apart, or over each other. These begin at 0, 1.2, 1.9 and 3.
    let slopes = Tensor::new(&[[1.0, 1.0, 1.0, 1.0]], &Device::Cpu).unwrap();
    let offsets = Tensor::new(&[[0.0, -1.2, -1.9, -3.0]], &Device::Cpu).unwrap();
    let bins = Bins { slopes, offsets };
    let xs = Tensor::new(&[[-0.5], [0.5], [1.1], [1.5], [2.5], [2.95], [3.5]], &Device::Cpu).unwrap();
    assert_matches_the_reference(&bins, &xs);
}

#[test]
fn bins_too_narrow_for_f32_match_the_reference() {
    // Most bins are less than a few units in the last place wide, as where four of 1,600 numbers are 1e7.
    let widths = (0..64u16).map(|bin| f64::from(1 + bin * 7 % 5) * 1e-8);
    let ends = widths.scan(0.05, |end, width| {
        *end += width;
        Some(*end)
    });
    let bins = of_edges(&[std::iter::once(0.05).chain(ends).collect()], 64, DType::F32);
    let xs: Vec<f32> = (0..800u16).map(|step| 0.049_999_9 + f32::from(step) * 3.7e-9).collect();
    assert_matches_the_reference(&bins, &Tensor::from_vec(xs, (800, 1), &Device::Cpu).unwrap());
}

/// Checks value and gradient against those of the components in the same type, one by one.
fn assert_matches_the_reference(bins: &Bins, xs: &Tensor) {
    let (components, dtype, n) = (bins.slopes.dim(1).unwrap(), xs.dtype(), xs.dim(0).unwrap());
    let draws = Draws::new(5);
    let [w, grad] = [draws.normal(&[1, components, 2], 1.0), draws.normal(&[n, 2], 1.0)]
        .map(|tensor| tensor.to_dtype(dtype).unwrap());
    let wide = |tensor: &Tensor| tensor.to_dtype(DType::F64).unwrap();
    let zs = wide(&bins.forward(xs).unwrap());
    let expected = grouped_linear::reference(&zs, &wide(&w), None).unwrap();
    let output = forward(bins, xs, &w, None).unwrap();
    let term = largest(&zs).max(1.0) * largest(&w).max(largest(&grad));
    assert_close(&output.ys, &expected, components, term);
    let dw = w.zeros_like().unwrap();
    output
        .backward_of_weights(&w, &grad, GradOut { buffer: &dw, accumulate: Accumulate::REPLACE }, None)
        .unwrap();
    let of_all = |t: &[Tensor]| grouped_linear::reference(&zs, &t[0], None);
    let expected = autograd::vjp(&[&wide(&w)], &wide(&grad), of_all).unwrap();
    assert_close(&dw, &expected[0], n, term);
}

#[test]
fn bins_that_are_not_fitted_give_the_bias() {
    let zeros = || Tensor::zeros((2, 4), DType::F32, &Device::Cpu).unwrap();
    let bins = Bins { slopes: zeros(), offsets: zeros() };
    let draws = Draws::new(4);
    let [xs, w, b] = [draws.normal(&[5, 2], 1.0), draws.normal(&[2, 4, 3], 1.0), draws.normal(&[2, 3], 1.0)]
        .map(|tensor| tensor.to_dtype(DType::F32).unwrap());
    let ys = forward(&bins, &xs, &w, Some(&b)).unwrap().ys.to_vec2::<f32>().unwrap();
    let b = b.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    assert!(ys.iter().all(|row| *row == b));
}

#[test]
fn nan_inputs_give_nan_outputs_and_infinite_ones_infinite() {
    let rows = [[f64::NAN, f64::NAN, 0.0], [f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY]];
    let xs = Tensor::new(&rows, &Device::Cpu).unwrap();
    let w = Draws::new(3).normal(&[3, 3, 2], 1.0);
    let bins = bins(3, DType::F64);
    let output = forward(&bins, &xs, &w, None).unwrap();
    let ys = output.ys.to_vec2::<f64>().unwrap();
    assert_eq!(ys[0].iter().map(|y| y.is_nan()).collect::<Vec<_>>(), [true, true, true, true, false, false]);
    assert!(ys[1].iter().all(|y| y.is_infinite()));
    let (dw, grad) = (w.zeros_like().unwrap(), Tensor::ones((2, 6), DType::F64, &Device::Cpu).unwrap());
    let into_w = GradOut { buffer: &dw, accumulate: Accumulate::REPLACE };
    output.backward_of_weights(&w, &grad, into_w, None).unwrap();
    let sums = dw.sum(1).unwrap().to_vec2::<f64>().unwrap();
    assert!(sums[0][0].is_nan() && sums[1][0].is_nan() && sums[2][0].is_infinite(), "{sums:?}");
}
