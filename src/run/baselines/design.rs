//! The inputs of linear models: the network's own, with a column for each name, standardised.

use candle_core::{DType, Device, Tensor};

use crate::data::Dataset;
use crate::data::preprocess::TableEncoder;
use crate::error::Result;
use crate::stats::real;

/// Linear models of more inputs than this are left out.
const WIDEST: usize = 500;

/// The features of a row: numbers, and behind them the numbers of names.
#[derive(Debug, Clone)]
pub(super) struct LinearInputs {
    dense: usize,
    /// The number of names of each of the others.
    names: Vec<usize>,
}

impl LinearInputs {
    /// The features of a row of a table, or of an array of so many numbers; nothing where they are too many.
    pub(super) fn of(encoder: Option<&TableEncoder>, width: usize) -> Option<Self> {
        let features = match encoder {
            None => Self { dense: width, names: Vec::new() },
            Some(encoder) => Self {
                dense: encoder.dense_width(),
                // Of the vectors the first is that of unknown names.
                names: encoder.embeddings().iter().map(|size| size.names - 1).collect(),
            },
        };
        (1..=WIDEST).contains(&features.width()).then_some(features)
    }

    /// The number of inputs.
    pub(super) fn width(&self) -> usize {
        self.names.iter().fold(self.dense, |width, names| width.saturating_add(*names))
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

/// The mean and the deviation of each input of the training rows.
#[derive(Debug, Clone)]
pub(super) struct Scaler {
    /// (D)
    mean: Tensor,
    /// (D)
    std: Tensor,
}

impl Scaler {
    /// Fits it to inputs (N, D) with weights (N), as scikit-learn's `StandardScaler`.
    pub(super) fn fit(xs: &Tensor, weights: &Tensor) -> Result<Self> {
        let total = weights.sum_all()?;
        let column = weights.unsqueeze(1)?;
        let mean = xs.broadcast_mul(&column)?.sum(0)?.broadcast_div(&total)?;
        let apart = xs.broadcast_sub(&mean)?;
        let variance = apart.sqr()?.broadcast_mul(&column)?.sum(0)?.broadcast_div(&total)?;
        let (variance, means) = (variance.to_vec1::<f64>()?, mean.to_vec1::<f64>()?);
        // What rounding leaves of a constant is no deviation.
        let deviation = |(variance, mean): (&f64, &f64)| {
            let std = variance.sqrt();
            if std > 1e-12 * mean.abs().max(f64::MIN_POSITIVE) { std } else { 1.0 }
        };
        let std: Vec<f64> = variance.iter().zip(&means).map(deviation).collect();
        Ok(Self { mean, std: Tensor::new(std, &Device::Cpu)? })
    }

    /// Inputs (N, D) of mean 0 and deviation 1.
    pub(super) fn apply(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(xs.broadcast_sub(&self.mean)?.broadcast_div(&self.std)?)
    }
}
