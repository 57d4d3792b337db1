//! Products of all sizes and cuts.

use super::*;
use crate::stats::real;

/// A product: the factors (m, k) and (k, n), their transposes, and the value by its definition.
struct Product {
    sizes: Sizes,
    a: Vec<f64>,
    a_transposed: Vec<f64>,
    b: Vec<f64>,
    b_transposed: Vec<f64>,
    value: Vec<f64>,
}

impl Product {
    fn new((m, n, k): (usize, usize, usize)) -> Self {
        let cycle = |count: usize, period: u8| (0..period).cycle().take(count).map(|i| f64::from(i) - 2.0);
        let a: Vec<f64> = cycle(m * k, 7).collect();
        let b: Vec<f64> = cycle(k * n, 5).collect();
        Self {
            sizes: Sizes { m, n, k },
            a_transposed: (0..k * m).map(|i| a[i % m * k + i / m]).collect(),
            b_transposed: (0..n * k).map(|i| b[(i % k) * n + i / k]).collect(),
            value: (0..m * n).map(|at| (0..k).map(|l| a[at / n * k + l] * b[l * n + at % n]).sum()).collect(),
            a,
            b,
        }
    }

    fn factors(&self) -> [Matrix<'_, f64>; 2] {
        let Sizes { m, n, k } = self.sizes;
        [Matrix::new(&self.a, m, k), Matrix::new(&self.b_transposed, n, k).t()]
    }

    /// Checks what a way to multiply adds to an output.
    fn check(&self, accumulate: Accumulate, way: &str, multiply: impl FnOnce(&mut [f64]) -> Result<()>) {
        // What is replaced may be no number.
        let before = if accumulate.beta == 0.0 { f64::NAN } else { 1.0 };
        let mut out = vec![before; self.value.len()];
        multiply(&mut out).unwrap();
        let kept = if accumulate.beta == 0.0 { 0.0 } else { accumulate.beta };
        let expected = self.value.iter().map(|x| kept + accumulate.alpha * x);
        let Sizes { m, n, k } = self.sizes;
        assert!(out.into_iter().eq(expected), "{m} {n} {k}, {way}");
    }
}

/// Rows, columns and depth of products: plain ones, those that are multiplied in slabs of rows and one too deep for it, those by
/// strips that are packed, and empty ones.
const SIZES: [(usize, usize, usize); 20] = [
    (1, 1, 1),
    (1, 300, 257),
    (64, 3, 9),
    (129, 130, 131),
    (7, 512, 600),
    (64, 300, 70),
    (33, 133, 2),
    (2, 9, 1),
    (700, 5, 400),
    (70, 31, 300),
    (100, 64, 70),
    (49, 16, 513),
    (130, 145, 256),
    (300, 66, 256),
    (300, 160, 512),
    (130, 64, 0),
    (5, 4, 0),
    (9, 0, 3),
    (0, 100, 3),
    (0, 0, 2),
];

#[test]
fn products_of_every_size_and_order_equal_the_definition() {
    for (product, cut) in
        SIZES.into_iter().flat_map(|size| [Cut::Rows, Cut::Cols].map(|cut| (Product::new(size), cut)))
    {
        let [a, b] = product.factors();
        let row_major = Matrix::new(&product.b, product.sizes.k, product.sizes.n);
        let of_transpose = Matrix::new(&product.a_transposed, product.sizes.k, product.sizes.m).t();
        for accumulate in [Accumulate::REPLACE, Accumulate::ADD, Accumulate { alpha: -2.0, beta: 0.5 }] {
            product.check(accumulate, "plain", |out| matmul(out, a, b, accumulate, cut));
            product.check(accumulate, "of a transpose", |out| matmul(out, of_transpose, b, accumulate, cut));
            product.check(accumulate, "row-major", |out| matmul(out, a, row_major, accumulate, cut));
            product.check(accumulate, "of both", |out| matmul(out, of_transpose, row_major, accumulate, cut));
            let panels = Panels::new(b);
            product.check(accumulate, "packed", |out| matmul_packed(out, a, &panels, accumulate, cut));
        }
        // Each element is its product, less the number of its column.
        let shift = |first: usize, row: &mut [f64]| {
            row.iter_mut().zip(first..).for_each(|(x, col)| *x -= real(col));
        };
        let expected = product.value.iter().enumerate().map(|(at, x)| x - real(at % product.sizes.n));
        assert!(new_matmul_then(a, b, cut, shift).unwrap().into_iter().eq(expected));
    }
}

#[test]
fn transposes_whose_columns_share_sets_of_the_cache_are_packed() {
    let is_packed = |size, rows| panels::are_worth_packing(&Product::new(size).factors()[1], rows);
    assert!(is_packed((300, 160, 512), 300));
    assert!(!is_packed((300, 160, 512), 128), "few rows");
    assert!(!is_packed((300, 160, 500), 300), "columns that lie otherwise");
    assert!(!is_packed((300, 60, 512), 300), "few columns");
    let row_major = Product::new((300, 512, 512));
    assert!(!panels::are_worth_packing(&Matrix::new(&row_major.b, 512, 512), 300));
}

#[test]
fn packed_strips_of_f32_are_exact_in_whole_numbers() {
    let product = Product::new((300, 160, 512));
    let [a, b] = [&product.a, &product.b_transposed]
        .map(|x| x.iter().map(|x| num_traits::AsPrimitive::<f32>::as_(*x)).collect::<Vec<_>>());
    let (a, b) = (Matrix::new(&a, 300, 512), Matrix::new(&b, 160, 512).t());
    assert!(panels::are_worth_packing(&b, 300));
    let out = new_matmul(a, b, Cut::Cols).unwrap();
    assert!(out.into_iter().map(f64::from).eq(product.value));
}

#[test]
fn a_row_is_the_same_in_a_small_batch_and_in_a_larger_one() {
    // 65 rows are multiplied as they are, fewer as a transpose.
    let numbers =
        |count: usize, step: usize| (0..count).map(|i| real(i * step % 1013) / 507.0 - 1.0).collect();
    let (k, n) = (131, 140);
    let (a, b): (Vec<f64>, Vec<f64>) = (numbers(65 * k, 389), numbers(n * k, 577));
    let product = |rows: usize| {
        let (a, b) = (Matrix::new(&a[..rows * k], rows, k), Matrix::new(&b, n, k).t());
        new_matmul(a, b, Cut::Cols).unwrap()
    };
    let all = product(65);
    for rows in [2, 16, 64] {
        let few = product(rows);
        let difference = few.iter().zip(&all).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
        assert!(few.len() == rows * n && difference < 1e-12, "{rows}: {difference}");
    }
}

#[test]
fn shapes_that_do_not_fit_are_an_error() {
    let (mut out, a) = (vec![0.0; 4], [1.0; 4]);
    let (square, row) = (Matrix::new(&a, 2, 2), Matrix::new(&a, 1, 4));
    matmul(&mut out, square, row, Accumulate::ADD, Cut::Rows).unwrap_err();
    matmul(&mut out[..3], square, square, Accumulate::ADD, Cut::Rows).unwrap_err();
    matmul_packed(&mut out, square, &Panels::new(row), Accumulate::ADD, Cut::Rows).unwrap_err();
    matmul_packed(&mut out[..3], square, &Panels::new(square), Accumulate::ADD, Cut::Rows).unwrap_err();
}
