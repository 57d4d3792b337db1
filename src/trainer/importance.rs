//! Permutation importance: how much worse a network predicts when a column's values are dealt to other rows (Breiman 2001), as
//! scikit-learn's `permutation_importance` has it, of the loss.

use candle_core::{DType, Device, Tensor};
use rand::seq::SliceRandom;

use super::evaluation::HeldOut;
use crate::error::Result;
use crate::loss::widened;
use crate::rng::{Purpose, Stream};

/// The most rows that are predicted.
const ROWS: usize = 2000;
/// The permutations of each column.
const REPEATS: u64 = 5;

/// The places of a column among the features of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FeaturePlaces {
    /// The column.
    pub(crate) name: String,
    /// The places.
    pub(crate) places: Vec<usize>,
}

/// The importance of a column.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Importance {
    /// The column.
    pub(crate) name: String,
    /// The increase of the loss with the column's values in another order, in the mean of several.
    pub(crate) mean: f64,
    /// Its standard deviation.
    pub(crate) std: f64,
}

/// Rows (N, F) with the values at these places dealt anew among them.
fn shuffled(values: &[f64], width: usize, places: &[usize], stream: &mut Stream) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len() / width).collect();
    order.shuffle(stream);
    let mut shuffled = values.to_vec();
    for (row, from) in order.into_iter().enumerate() {
        for place in places {
            shuffled[row * width + place] = values[from * width + place];
        }
    }
    shuffled
}

/// The importance of columns on rows (N, F) that were not trained on, the largest first.
pub(crate) fn permutation_importance(
    held_out: HeldOut<'_>,
    columns: Vec<FeaturePlaces>,
    seed: u64,
) -> Result<Vec<Importance>> {
    let HeldOut { network, loss, data } = held_out;
    let rows = data.chunks_of(ROWS).next().unwrap_or_default();
    let (inputs, targets) = (data.inputs(&rows)?, data.targets(&rows)?);
    let (device, dtype) = (inputs.device().clone(), inputs.dtype());
    let (count, width) = inputs.dims2()?;
    let values = inputs.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    let weights = data.row_weights(&rows)?;
    let total = loss.weighted_total(&targets, weights.as_ref())?;
    let mean_loss = |values: Vec<f64>| -> Result<f64> {
        let xs =
            Tensor::from_vec(values, (count, width), &Device::Cpu)?.to_dtype(dtype)?.to_device(&device)?;
        let outputs = widened(&network.forward(&xs)?)?;
        Ok(loss.apply(&outputs, &targets, weights.as_ref(), 1.0)?.value.read()? / total)
    };
    let own = mean_loss(values.clone())?;
    let mut all = Vec::with_capacity(columns.len());
    for (index, FeaturePlaces { name, places }) in (0u64..).zip(columns) {
        let mut increases = Vec::new();
        for repeat in 0..REPEATS {
            let mut stream = Stream::new(seed, Purpose::Data, index * REPEATS + repeat);
            increases.push(mean_loss(shuffled(&values, width, &places, &mut stream))? - own);
        }
        let repeats = crate::stats::real(increases.len());
        let mean = increases.iter().sum::<f64>() / repeats;
        let squares: f64 = increases.iter().map(|increase| (increase - mean).powi(2)).sum();
        all.push(Importance { name, mean, std: (squares / repeats).sqrt() });
    }
    all.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    Ok(all)
}
