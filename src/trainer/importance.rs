//! Permutation importance: how much worse a network predicts when a column's values are dealt to other rows (Breiman 2001), as
//! scikit-learn's `permutation_importance` has it, of the loss.

use candle_core::{DType, Device, Tensor};
use rand::seq::SliceRandom;

use super::evaluation::HeldOut;
use crate::data::Dataset;
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

/// The rows that count, in their order; of many so many that are drawn.
fn sample(data: &Dataset, seed: u64) -> Vec<u32> {
    let mut counted = data.counted_rows();
    if counted.len() > ROWS {
        let (drawn, _) = counted.partial_shuffle(&mut Stream::new(seed, Purpose::Sample, 0), ROWS);
        drawn.sort_unstable();
        return drawn.to_vec();
    }
    counted
}

/// The importance of columns on rows (N, F) that were not trained on, the largest first; nothing where no row counts.
pub(crate) fn permutation_importance(
    held_out: HeldOut<'_>,
    columns: Vec<FeaturePlaces>,
    seed: u64,
) -> Result<Vec<Importance>> {
    let HeldOut { network, loss, data } = held_out;
    let rows = sample(data, seed);
    if rows.is_empty() {
        return Ok(Vec::new());
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Affine;
    use crate::loss::Losses;
    use crate::model::{Model, Network, NetworkOptions};
    use crate::registry::FromTable;

    /// The importance of `a` and `b` for a network that predicts `a`, which is the target, of rows with these weights. The first
    /// half of the rows has a = 0, the others a = 1.
    fn of(rows: usize, weights: Option<Vec<f64>>) -> Vec<Importance> {
        let table = |text: &str| text.parse::<toml::Table>().unwrap();
        let model = Model::from_table(table("name = 'linear'")).unwrap();
        let options = NetworkOptions::new(DType::F64, &Device::Cpu);
        let network = Network::new(&model, &[2], 1, 1, options).unwrap();
        let state = network.params().state().into_iter().map(|(name, tensor)| {
            let numbers = if tensor.elem_count() == 2 { vec![1.0, 0.0] } else { vec![0.0] };
            (name.to_owned(), Tensor::from_vec(numbers, tensor.shape(), &Device::Cpu).unwrap())
        });
        network.params().load(&state.collect()).unwrap();
        let a: Vec<f64> = (0..rows).map(|row| [0.0, 1.0][usize::from(row >= rows / 2)]).collect();
        let xs = a.iter().zip(0u32..).flat_map(|(a, row)| [*a, f64::from(row % 17)]).collect();
        let xs = Tensor::from_vec(xs, (rows, 2), &Device::Cpu).unwrap();
        let ys = Tensor::from_vec(a, (rows, 1), &Device::Cpu).unwrap();
        let data = Dataset::new(&xs, &ys, Affine::IDENTITY, DType::F64, &Device::Cpu).unwrap();
        let data = data.with_weights(weights);
        let loss = Losses::from_table(table("name = 'mse'")).unwrap();
        let columns = ["a", "b"].into_iter().zip(0..);
        let columns =
            columns.map(|(name, place)| FeaturePlaces { name: name.to_owned(), places: vec![place] });
        let held_out = HeldOut { network: &network, loss: &loss, data: &data };
        permutation_importance(held_out, columns.collect(), 1).unwrap()
    }

    /// Of a column that is 1 in the fraction p of the rows, a permutation leaves the mean of (a - a')² at 2 p (1 - p), with a
    /// deviation of about 0.01 over 2000 rows.
    #[test]
    fn rows_in_the_order_of_their_classes_are_drawn_from_all_classes() {
        let found = of(6000, None);
        assert_eq!((found[0].name.as_str(), found[1].name.as_str()), ("a", "b"));
        assert!((found[0].mean - 0.5).abs() < 0.03 && found[0].std < 0.03, "{found:?}");
        assert_eq!((found[1].mean.to_bits(), found[1].std.to_bits()), (0, 0));
    }

    #[test]
    fn rows_of_weight_0_are_left_out() {
        // A quarter of the rows that count has a = 0.
        let weights = |row: usize| f64::from(u8::from(row >= 2000));
        let found = of(6000, Some((0..6000).map(weights).collect()));
        assert!((found[0].mean - 0.375).abs() < 0.03 && found[0].std < 0.03, "{found:?}");
        assert!(of(60, Some(vec![0.0; 60])).is_empty());
    }

    #[test]
    fn few_rows_are_all_looked_at() {
        let ys = Tensor::zeros((5, 1), DType::F64, &Device::Cpu).unwrap();
        let data = Dataset::new(&ys, &ys, Affine::IDENTITY, DType::F64, &Device::Cpu).unwrap();
        assert_eq!(sample(&data, 1), [0, 1, 2, 3, 4]);
        let data = data.with_weights(Some(vec![1.0, 0.0, 2.0, 0.0, 0.5]));
        assert_eq!(sample(&data, 1), [0, 2, 4]);
    }
}
