//! Ridge regression whose penalty is chosen by the leave-one-out error, as scikit-learn's `RidgeCV(ALPHAS)` chooses it:
//! <https://scikit-learn.org/stable/modules/generated/sklearn.linear_model.RidgeCV.html>.
//!
//! Of the rows only sums of products are kept, so that any number of them takes the memory of one block.

use candle_core::{Device, Tensor};

use super::block::TrainingBlock;
use super::linear::LinearCoefficients;
use super::rows::at_most;
use crate::error::Result;
use crate::stats::real;

/// The penalties to choose from: scikit-learn's 0.1, 1 and 10, and larger ones for inputs that are nearly as many as rows.
pub(super) const ALPHAS: [f64; 5] = [0.1, 1.0, 10.0, 100.0, 1000.0];
/// The penalty where no error says which is best: scikit-learn's default.
const DEFAULT_ALPHA: f64 = 1.0;

/// The most products of a fit, and the most numbers of its rows: a few seconds.
const PRODUCTS: f64 = 2e10;
const NUMBERS: f64 = 2e8;
/// The most products of the leave-one-out errors.
const ERROR_PRODUCTS: f64 = 1e10;

/// The most rows of so many inputs that are fitted.
pub(super) fn most_rows(inputs: usize) -> usize {
    at_most((PRODUCTS / real(inputs)).min(NUMBERS) / real(inputs))
}

/// The most rows whose leave-one-out errors choose the penalty.
pub(super) fn most_judged(inputs: usize) -> usize {
    let products = real(ALPHAS.len()) * real(inputs) * real(inputs);
    at_most(ERROR_PRODUCTS / products)
}

/// Weighted sums over rows of D inputs and M targets.
pub(super) struct RidgeSums {
    /// `Σ w`
    total: f64,
    /// `Σ w x`, (1, D)
    x: Tensor,
    /// `Σ w y`, (1, M)
    y: Tensor,
    /// `Σ w xᵀx`, (D, D)
    gram: Tensor,
    /// `Σ w xᵀy`, (D, M)
    products: Tensor,
}

impl RidgeSums {
    fn of_block(TrainingBlock { xs, targets, weights }: &TrainingBlock) -> Result<Self> {
        let column = weights.unsqueeze(1)?;
        let weighted = xs.broadcast_mul(&column)?;
        let transposed = weighted.t()?.contiguous()?;
        Ok(Self {
            total: weights.sum_all()?.to_scalar::<f64>()?,
            x: weighted.sum_keepdim(0)?,
            y: targets.broadcast_mul(&column)?.sum_keepdim(0)?,
            gram: transposed.matmul(xs)?,
            products: transposed.matmul(targets)?,
        })
    }

    /// The sums over all blocks; nothing where there is none.
    pub(super) fn of(blocks: impl Iterator<Item = Result<TrainingBlock>>) -> Result<Option<Self>> {
        let mut sums: Option<Self> = None;
        for block in blocks {
            let own = Self::of_block(&block?)?;
            sums = Some(match sums {
                None => own,
                Some(sums) => Self {
                    total: sums.total + own.total,
                    x: (sums.x + own.x)?,
                    y: (sums.y + own.y)?,
                    gram: (sums.gram + own.gram)?,
                    products: (sums.products + own.products)?,
                },
            });
        }
        Ok(sums)
    }

    /// The fit with this penalty, `Σ w (y − x·β − b)² + α |β|²` at its minimum; nothing where the numbers are too large for
    /// it.
    fn fit(&self, alpha: f64) -> Result<Option<PenalisedFit>> {
        let (mean_x, mean_y) = ((&self.x / self.total)?, (&self.y / self.total)?);
        let gram = (&self.gram - self.x.t()?.matmul(&mean_x)?)?;
        let products = (&self.products - self.x.t()?.matmul(&mean_y)?)?;
        let mut gram = gram.to_vec2::<f64>()?;
        gram.iter_mut().enumerate().for_each(|(at, row)| row[at] += alpha);
        let size = gram.len();
        let identity = (0..size).map(|row| (0..size).map(|at| f64::from(u8::from(at == row))).collect());
        let Some(inverse) = solve(gram, identity.collect()) else { return Ok(None) };
        let inverse = Tensor::new(inverse, &Device::Cpu)?;
        let weight = inverse.matmul(&products)?;
        let bias = mean_y.broadcast_sub(&mean_x.matmul(&weight)?)?.squeeze(0)?;
        let errors = vec![0.0; bias.dims()[0]];
        let coefficients = LinearCoefficients { weight, bias };
        Ok(Some(PenalisedFit { alpha, coefficients, inverse, errors }))
    }

    /// The fit of each target with the penalty of the smallest leave-one-out error on these blocks, which are of the rows of
    /// the sums.
    pub(super) fn best_fit(
        &self,
        blocks: impl Iterator<Item = Result<TrainingBlock>>,
    ) -> Result<Option<LinearCoefficients>> {
        let mut candidates = Vec::new();
        for alpha in ALPHAS {
            candidates.extend(self.fit(alpha)?);
        }
        for block in blocks {
            let block = block?;
            for candidate in &mut candidates {
                candidate.add_errors(&block, self)?;
            }
        }
        choose(&candidates)
    }
}

/// A fit with one of the penalties.
struct PenalisedFit {
    alpha: f64,
    coefficients: LinearCoefficients,
    /// Of the penalised Gram matrix, (D, D).
    inverse: Tensor,
    /// The sum of the squared leave-one-out errors of each target, (M).
    errors: Vec<f64>,
}

impl PenalisedFit {
    /// Adds `Σ w (r / (1 − h))²`: what a fit without the row would be off by, of its residual r and its leverage h.
    fn add_errors(
        &mut self,
        TrainingBlock { xs, targets, weights }: &TrainingBlock,
        sums: &RidgeSums,
    ) -> Result<()> {
        let LinearCoefficients { weight, bias } = &self.coefficients;
        let residuals = (targets - xs.matmul(weight)?.broadcast_add(bias)?)?;
        let apart = xs.broadcast_sub(&(&sums.x / sums.total)?)?;
        // The intercept, which has no penalty, adds w / Σ w.
        let leverage =
            (apart.matmul(&self.inverse)?.mul(&apart)?.sum(1)? + 1.0 / sums.total)?.mul(weights)?;
        let left = leverage.affine(-1.0, 1.0)?.unsqueeze(1)?;
        let errors = residuals.broadcast_div(&left)?.sqr()?.broadcast_mul(&weights.unsqueeze(1)?)?;
        let errors = errors.sum(0)?.to_vec1::<f64>()?;
        self.errors.iter_mut().zip(errors).for_each(|(sum, own)| *sum += own);
        Ok(())
    }
}

/// The coefficients of each target with the penalty of its smallest error.
fn choose(candidates: &[PenalisedFit]) -> Result<Option<LinearCoefficients>> {
    let Some(first) = candidates.first() else { return Ok(None) };
    let (mut weights, mut biases) = (Vec::new(), Vec::new());
    for target in 0..first.errors.len() {
        let finite = candidates.iter().filter(|own| own.errors[target].is_finite());
        let best = finite.min_by(|a, b| a.errors[target].total_cmp(&b.errors[target]));
        let fallback = || candidates.iter().find(|own| own.alpha >= DEFAULT_ALPHA);
        let LinearCoefficients { weight, bias } = &best.or_else(fallback).unwrap_or(first).coefficients;
        weights.push(weight.narrow(1, target, 1)?);
        biases.push(bias.narrow(0, target, 1)?);
    }
    let weight = Tensor::cat(&weights, 1)?;
    Ok(Some(LinearCoefficients { weight, bias: Tensor::cat(&biases, 0)? }))
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

    /// 12 rows of two numbers and three names, and two targets.
    fn block(rows: std::ops::Range<usize>, is_weighted: bool) -> TrainingBlock {
        let whole = |i: usize| real(i);
        let x = |i: usize| whole(i * 7 % 13) - 6.0;
        let z = |i: usize| whole(i * i % 11) / 4.0 - 1.0;
        let name = |i: usize, name: usize| f64::from(u8::from(i * 5 % 3 == name));
        let inputs: Vec<Vec<f64>> =
            rows.clone().map(|i| vec![x(i), z(i), name(i, 0), name(i, 1), name(i, 2)]).collect();
        let first = |i: usize| 2.0 * x(i) - z(i) + 3.0 * name(i, 0) + whole(i % 4) * 0.1;
        let targets: Vec<Vec<f64>> =
            rows.clone().map(|i| vec![first(i), 0.4 * x(i) + whole(i * 3 % 7) - 3.0]).collect();
        let weights: Vec<f64> = rows.map(|i| if is_weighted { whole(1 + i % 3) } else { 1.0 }).collect();
        TrainingBlock {
            xs: Tensor::new(inputs, &Device::Cpu).unwrap(),
            targets: Tensor::new(targets, &Device::Cpu).unwrap(),
            weights: Tensor::new(weights, &Device::Cpu).unwrap(),
        }
    }

    /// The weights and the bias of each target, the rows in two blocks.
    fn fitted(is_weighted: bool) -> [Vec<f64>; 2] {
        let blocks = || [0..5, 5..12].into_iter().map(|rows| Ok(block(rows, is_weighted)));
        let fitted = RidgeSums::of(blocks()).unwrap().unwrap().best_fit(blocks()).unwrap().unwrap();
        let weight = fitted.weight.t().unwrap().to_vec2::<f64>().unwrap();
        let bias = fitted.bias.to_vec1::<f64>().unwrap();
        [0, 1].map(|target| [weight[target].as_slice(), &[bias[target]]].concat())
    }

    /// scikit-learn 1.9, `coef_` and `intercept_`; the penalties are 0.1 and 100, and 0.1 and 1000 of weighted rows:
    ///
    /// ```python
    /// i = np.arange(12)
    /// x = np.c_[i*7 % 13 - 6., i*i % 11/4. - 1, i*5 % 3 == 0, i*5 % 3 == 1, i*5 % 3 == 2].astype(float)
    /// y = np.c_[2*x[:, 0] - x[:, 1] + 3*x[:, 2] + i % 4*0.1, 0.4*x[:, 0] + (i*3 % 7 - 3.)]
    /// for weights in (None, 1. + i % 3):
    ///     for t in range(2):
    ///         m = RidgeCV([0.1, 1, 10, 100, 1000]).fit(x, y[:, t], sample_weight=weights)
    ///         print(m.alpha_, m.coef_, m.intercept_)
    /// ```
    #[rustfmt::skip]
    const EXPECTED: [[[f64; 6]; 2]; 2] = [
        [
            [2.013_065_081_707_532, -0.980_423_517_369_330_8, 1.956_001_138_830_436_4, -0.983_574_550_640_322_8,
             -0.972_426_588_190_142_7, 1.151_631_373_552_565_4],
            [0.257_912_687_585_266_1, 0.005_271_084_337_349_399, -0.005_954_471_021_877_432, 0.028_356_579_455_612_353,
             -0.022_402_108_433_734_948, 0.083_772_590_361_445_83],
        ],
        [
            [2.012_857_476_318_690_6, -1.022_824_427_039_831_5, 1.968_686_922_072_248_7, -0.986_730_625_978_148_6,
             -0.981_956_296_094_073_4, 1.138_524_643_035_289_6],
            [0.078_721_203_884_342_53, -0.007_340_908_796_516_11, -0.001_674_668_952_107_231, 0.007_718_619_238_775_598,
             -0.006_043_950_286_668_369, 0.259_702_508_921_086_1],
        ],
    ];

    #[test]
    fn penalty_and_coefficients_are_scikit_learns() {
        for (is_weighted, expected) in [false, true].into_iter().zip(EXPECTED) {
            for (own, expected) in fitted(is_weighted).iter().zip(expected) {
                let is_close = own.iter().zip(expected).all(|(own, other)| (own - other).abs() < 1e-12);
                assert!(is_close, "{own:?} {expected:?}");
            }
        }
    }

    #[test]
    fn all_rows_of_a_table_of_some_thousands_are_fitted() {
        assert!(most_rows(440) > 100_000 && most_judged(440) > 10_000);
        assert_eq!(most_rows(1), 200_000_000);
    }

    #[test]
    fn a_matrix_that_is_not_positive_is_not_solved() {
        assert_eq!(solve(vec![vec![1.0, 2.0], vec![2.0, 1.0]], vec![vec![1.0], vec![1.0]]), None);
        assert_eq!(solve(vec![vec![f64::NAN]], vec![vec![1.0]]), None);
    }
}
