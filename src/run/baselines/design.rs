//! The inputs of linear models: the network's own, the numbers standardised, with a column of 0 and 1 for each name.

use candle_core::{DType, Device, Tensor};

use super::block::TrainingBlock;
use crate::data::Dataset;
use crate::data::preprocess::TableEncoder;
use crate::error::Result;
use crate::stats::real;

/// Linear models of more inputs than this are left out.
pub(super) const WIDEST: usize = 500;

/// The features of a row: numbers, and behind them the numbers of names.
#[derive(Debug, Clone)]
pub(super) struct LinearInputs {
    dense: usize,
    /// Whether each of these is the 0 or 1 of a name.
    are_one_hot: Vec<bool>,
    /// The number of names of each of the others.
    names: Vec<usize>,
}

impl LinearInputs {
    /// The features of a row of a table, or of an array of so many numbers.
    pub(super) fn of(encoder: Option<&TableEncoder>, width: usize) -> Self {
        match encoder {
            None => Self { dense: width, are_one_hot: vec![false; width], names: Vec::new() },
            Some(encoder) => Self {
                dense: encoder.dense_width(),
                are_one_hot: encoder.one_hot_features().collect(),
                // Of the vectors the first is that of unknown names.
                names: encoder.embeddings().iter().map(|size| size.names - 1).collect(),
            },
        }
    }

    /// Whether some of them stand for names.
    pub(super) fn has_names(&self) -> bool {
        !self.names.is_empty() || self.are_one_hot.contains(&true)
    }

    /// The number of inputs.
    pub(super) fn width(&self) -> usize {
        self.names.iter().fold(self.dense, |width, names| width.saturating_add(*names))
    }

    /// Whether the input at this place is a number, and not the 0 or 1 of a name.
    fn is_number(&self, place: usize) -> bool {
        self.are_one_hot.get(place) == Some(&false)
    }

    /// The inputs of these rows, (N, D).
    pub(super) fn inputs(&self, data: &Dataset, rows: &[u32]) -> Result<Tensor> {
        let xs = data.inputs(rows)?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?;
        let own = self.dense + self.names.len();
        let xs = xs.flatten_all()?.to_vec1::<f64>()?;
        let mut inputs = Vec::with_capacity(rows.len() * self.width());
        for row in xs.chunks_exact(own) {
            inputs.extend_from_slice(&row[..self.dense]);
            for (index, names) in row[self.dense..].iter().zip(&self.names) {
                inputs
                    .extend((1..=*names).map(|name| f64::from(u8::from((*index - real(name)).abs() < 0.5))));
            }
        }
        Ok(Tensor::from_vec(inputs, (rows.len(), self.width()), &Device::Cpu)?)
    }
}

/// The mean and the deviation of each number of the training rows; 0 and 1 of an input that is 0 or 1 for a name. To
/// standardise these would let a rare name be learnt with hardly any penalty, and each with another.
#[derive(Debug, Clone)]
pub(super) struct Scaler {
    /// (D)
    mean: Tensor,
    /// (D)
    std: Tensor,
}

/// The weight, the mean and the sum of squared deviations of rows.
struct InputSpread {
    total: f64,
    /// (D)
    mean: Tensor,
    /// (D)
    squares: Tensor,
}

impl InputSpread {
    fn of(TrainingBlock { xs, weights, .. }: &TrainingBlock) -> Result<Option<Self>> {
        let total = weights.sum_all()?.to_scalar::<f64>()?;
        if total <= 0.0 {
            return Ok(None);
        }
        let column = weights.unsqueeze(1)?;
        let mean = (xs.broadcast_mul(&column)?.sum(0)? / total)?;
        let squares = xs.broadcast_sub(&mean)?.sqr()?.broadcast_mul(&column)?.sum(0)?;
        Ok(Some(Self { total, mean, squares }))
    }

    /// That of both: T. Chan et al., "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    fn and(self, other: &Self) -> Result<Self> {
        let total = self.total + other.total;
        let apart = (&other.mean - &self.mean)?;
        let mean = (&self.mean + (&apart * (other.total / total))?)?;
        let between = (apart.sqr()? * (self.total * other.total / total))?;
        Ok(Self { total, mean, squares: ((self.squares + &other.squares)? + between)? })
    }
}

impl Scaler {
    /// Fits it to rows, as scikit-learn's `StandardScaler` to the columns that are numbers.
    pub(super) fn fit(
        blocks: impl Iterator<Item = Result<TrainingBlock>>,
        features: &LinearInputs,
    ) -> Result<Self> {
        let mut all: Option<InputSpread> = None;
        for block in blocks {
            let Some(own) = InputSpread::of(&block?)? else { continue };
            all = Some(match all {
                None => own,
                Some(all) => all.and(&own)?,
            });
        }
        let width = features.width();
        let Some(InputSpread { total, mean, squares }) = all else {
            return Self::new(vec![(0.0, 1.0); width]);
        };
        // What rounding leaves of a constant is no deviation.
        let scale = |(place, (mean, squares)): (usize, (f64, f64))| {
            let std = (squares / total).sqrt();
            let std = if std > 1e-12 * mean.abs().max(f64::MIN_POSITIVE) { std } else { 1.0 };
            if features.is_number(place) { (mean, std) } else { (0.0, 1.0) }
        };
        let numbers = mean.to_vec1::<f64>()?.into_iter().zip(squares.to_vec1::<f64>()?);
        Self::new(numbers.enumerate().map(scale).collect())
    }

    /// Of the mean and the deviation of each input.
    fn new(scales: Vec<(f64, f64)>) -> Result<Self> {
        let (mean, std): (Vec<f64>, Vec<f64>) = scales.into_iter().unzip();
        Ok(Self { mean: Tensor::new(mean, &Device::Cpu)?, std: Tensor::new(std, &Device::Cpu)? })
    }

    /// Inputs (N, D), the numbers of mean 0 and deviation 1.
    pub(super) fn apply(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(xs.broadcast_sub(&self.mean)?.broadcast_div(&self.std)?)
    }
}
