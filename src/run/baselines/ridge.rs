//! Ridge regression: <https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.Ridge.html>.

use candle_core::{Device, Tensor};

use super::linear::{LinearCoefficients, TrainingRows};
use crate::error::Result;

/// scikit-learn's default.
const ALPHA: f64 = 1.0;

/// Minimises `Σ w (y − x·β − b)² + α |β|²` for each target. Nothing where the numbers are too large for it.
pub(super) fn fit(
    TrainingRows { xs, targets, weights }: &TrainingRows,
) -> Result<Option<LinearCoefficients>> {
    let column = weights.unsqueeze(1)?;
    let total = weights.sum_all()?;
    let mean = |tensor: &Tensor| tensor.broadcast_mul(&column)?.sum_keepdim(0)?.broadcast_div(&total);
    let (mean_x, mean_y) = (mean(xs)?, mean(targets)?);
    let (xs, ys) = (xs.broadcast_sub(&mean_x)?, targets.broadcast_sub(&mean_y)?);
    let weighted = xs.broadcast_mul(&column)?.t()?.contiguous()?;
    let mut gram = weighted.matmul(&xs)?.to_vec2::<f64>()?;
    let products = weighted.matmul(&ys)?.to_vec2::<f64>()?;
    gram.iter_mut().enumerate().for_each(|(at, row)| row[at] += ALPHA);
    let Some(solved) = solve(gram, products) else { return Ok(None) };
    let weight = Tensor::new(solved, &Device::Cpu)?;
    let bias = mean_y.broadcast_sub(&mean_x.matmul(&weight)?)?.squeeze(0)?;
    Ok(Some(LinearCoefficients { weight, bias }))
}

/// Solves `A X = B` of a symmetric positive definite A by Cholesky's method; nothing of any other.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let size = a.len();
    for row in 0..size {
        for column in 0..=row {
            let dot: f64 = a[row][..column].iter().zip(&a[column][..column]).map(|(x, y)| x * y).sum();
            let rest = a[row][column] - dot;
            if row > column {
                a[row][column] = rest / a[column][column];
            } else if rest > 0.0 && rest.is_finite() {
                a[row][row] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    for (row, factors) in a.iter().enumerate() {
        let (above, below) = b.split_at_mut(row);
        eliminate(&mut below[0], above.iter().zip(factors), factors[row]);
    }
    for row in (0..size).rev() {
        let (above, below) = b.split_at_mut(row + 1);
        let factors: Vec<f64> = a[row + 1..].iter().map(|other| other[row]).collect();
        eliminate(&mut above[row], below.iter().zip(&factors), a[row][row]);
    }
    Some(b)
}

/// Subtracts multiples of known rows from a row and divides it.
fn eliminate<'a>(row: &mut [f64], known: impl Iterator<Item = (&'a Vec<f64>, &'a f64)>, divisor: f64) {
    for (other, factor) in known {
        row.iter_mut().zip(other).for_each(|(own, other)| *own -= factor * other);
    }
    for own in row {
        *own /= divisor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coefficients_are_scikit_learns() {
        // Ridge(alpha=1).fit([[0, 1], [1, -1], [2, 0.5], [-1, 2]], [[1, 0], [3, 1], [4, -2], [0.5, 3]],
        // sample_weight=[1, 2, 1, 3])
        let xs = Tensor::new(&[[0.0, 1.0], [1.0, -1.0], [2.0, 0.5], [-1.0, 2.0]], &Device::Cpu).unwrap();
        let targets = Tensor::new(&[[1.0, 0.0], [3.0, 1.0], [4.0, -2.0], [0.5, 3.0]], &Device::Cpu).unwrap();
        let weights = Tensor::new(&[1.0, 2.0, 1.0, 3.0], &Device::Cpu).unwrap();
        let fitted = fit(&TrainingRows { xs, targets, weights }).unwrap().unwrap();
        let weight = fitted.weight.to_vec2::<f64>().unwrap();
        let bias = fitted.bias.to_vec1::<f64>().unwrap();
        let expected = [
            [0.901_253_918_495_297_9, -1.489_028_213_166_144],
            [-0.235_109_717_868_338_5, -0.307_210_031_347_962_2],
        ];
        for (row, expected) in weight.iter().zip(expected) {
            assert!(row.iter().zip(expected).all(|(own, other)| (own - other).abs() < 1e-12), "{weight:?}");
        }
        let expected = [1.841_692_789_968_652_2, 1.739_811_912_225_705_2];
        assert!(bias.iter().zip(expected).all(|(own, other)| (own - other).abs() < 1e-12), "{bias:?}");
    }

    #[test]
    fn a_matrix_that_is_not_positive_is_not_solved() {
        assert_eq!(solve(vec![vec![1.0, 2.0], vec![2.0, 1.0]], vec![vec![1.0], vec![1.0]]), None);
        assert_eq!(solve(vec![vec![f64::NAN]], vec![vec![1.0]]), None);
    }
}
