//! Products of all sizes and cuts.

use super::*;
use crate::stats::real;

#[test]
fn products_of_every_size_and_order_equal_the_definition() {
    let sizes = [
        (1, 1, 1),
        (1, 300, 257),
        (64, 3, 9),
        (129, 130, 131),
        (7, 512, 600),
        (700, 5, 400),
        (5, 4, 0),
        (70, 31, 300),
        (9, 0, 3),
    ];
    for ((m, n, k), cut) in sizes.into_iter().flat_map(|size| [(size, Cut::Rows), (size, Cut::Cols)]) {
        let cycle = |count: usize, period: u8| (0..period).cycle().take(count).map(|i| f64::from(i) - 2.0);
        let a: Vec<f64> = cycle(m * k, 7).collect();
        let b: Vec<f64> = cycle(k * n, 5).collect();
        // a and b as their transposes, [k, m] and [n, k].
        let at: Vec<f64> = (0..k * m).map(|i| a[i % m * k + i / m]).collect();
        let bt: Vec<f64> = (0..n * k).map(|i| b[(i % k) * n + i / k]).collect();
        let product: Vec<f64> =
            (0..m * n).map(|at| (0..k).map(|l| a[at / n * k + l] * b[l * n + at % n]).sum()).collect();
        let (a, b) = (Matrix::new(&a, m, k), Matrix::new(&bt, n, k).t());
        for accumulate in [Accumulate::REPLACE, Accumulate::ADD, Accumulate { alpha: -2.0, beta: 0.5 }] {
            let mut out = vec![1.0; m * n];
            matmul(&mut out, a, b, accumulate, cut).unwrap();
            let expected = product.iter().map(|x| accumulate.beta + accumulate.alpha * x);
            assert!(out.iter().copied().eq(expected.clone()), "{m} {n} {k}");
            let mut out = vec![1.0; m * n];
            matmul_packed(&mut out, a, &Panels::new(b), accumulate, cut).unwrap();
            assert!(out.into_iter().eq(expected.clone()), "{m} {n} {k}, packed");
            let mut out = vec![1.0; m * n];
            matmul(&mut out, Matrix::new(&at, k, m).t(), b, accumulate, cut).unwrap();
            assert!(out.into_iter().eq(expected), "{m} {n} {k}, of a transpose");
        }
        // Each element is its product, less the number of its column.
        let shift = |first: usize, row: &mut [f64]| {
            row.iter_mut().zip(first..).for_each(|(x, col)| *x -= real(col));
        };
        let expected = product.iter().enumerate().map(|(at, x)| x - real(at % n));
        assert!(new_matmul_then(a, b, cut, shift).unwrap().into_iter().eq(expected), "{m} {n} {k}");
    }
    let mut out = vec![0.0; 4];
    let a = [1.0; 4];
    assert!(
        matmul(&mut out, Matrix::new(&a, 2, 2), Matrix::new(&a, 1, 4), Accumulate::ADD, Cut::Rows).is_err()
    );
}

#[test]
fn the_bits_do_not_depend_on_the_cut() {
    let sizes = [(1024, 520, 300), (136, 784, 1100), (2100, 1030, 2), (4200, 1600, 1), (600, 513, 513)];
    for (m, n, k) in sizes {
        // Numbers whose sums are rounded.
        let number = |i: usize| f32::from(u8::try_from(i * 7919 % 251).unwrap()) / 250.0 - 0.5;
        let numbers = |count: usize| (0..count).map(number).collect::<Vec<_>>();
        let (a, b) = (numbers(m * k), numbers(k * n));
        for (left, right, cut) in [
            (Matrix::new(&a, m, k), Matrix::new(&b, k, n), Cut::Cols),
            (Matrix::new(&a, m, k), Matrix::new(&b, n, k).t(), Cut::Cols),
            (Matrix::new(&a, k, m).t(), Matrix::new(&b, k, n), Cut::Rows),
        ] {
            let product = |cut, threads| {
                let mut out = vec![0f32; m * n];
                matmul_for(threads, &mut out, left, right, Accumulate::REPLACE, cut).unwrap();
                out
            };
            let whole = product(Cut::Nothing, 1);
            for threads in [2, 8] {
                assert!(blocks(Sizes { m, n, k }, cut, threads).len() > 1);
                assert!(product(cut, threads) == whole, "{m} {n} {k} {threads}");
            }
        }
    }
}
