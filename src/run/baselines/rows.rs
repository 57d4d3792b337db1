//! The training rows of a linear model: which of them it is fitted on, read block by block.

use candle_core::{DType, Device, Tensor};
use rand::Rng;

use super::block::TrainingBlock;
use super::design::{LinearInputs, Scaler};
use crate::data::{Dataset, Task};
use crate::error::Result;
use crate::rng::{Purpose, Stream};

/// Rows that are read at a time.
pub(super) const ROWS: usize = 4096;

/// The training rows that a linear model is fitted on.
#[derive(Clone)]
pub(super) struct TrainingRows<'a> {
    pub(super) data: &'a Dataset,
    pub(super) task: Task,
    pub(super) features: &'a LinearInputs,
    /// Their numbers, ascending.
    pub(super) rows: Vec<u32>,
}

impl TrainingRows<'_> {
    /// The rows, with the inputs as they are.
    pub(super) fn raw(&self) -> impl Iterator<Item = Result<TrainingBlock>> {
        self.rows.chunks(ROWS).map(|rows| {
            Ok(TrainingBlock {
                xs: self.features.inputs(self.data, rows)?,
                targets: targets(self.data, rows, self.task)?,
                weights: Tensor::new(weights(self.data, rows, self.task)?, &Device::Cpu)?,
            })
        })
    }

    /// The rows, with scaled inputs.
    pub(super) fn scaled(&self, scaler: &Scaler) -> impl Iterator<Item = Result<TrainingBlock>> {
        self.raw()
            .map(|block| block.and_then(|block| Ok(TrainingBlock { xs: scaler.apply(&block.xs)?, ..block })))
    }

    /// So many of the rows at most, chosen at random.
    pub(super) fn sampled(&self, most: usize, seed: u64) -> Self {
        let rows = sample(self.rows.len(), most, seed).into_iter();
        let rows = rows.filter_map(|place| self.rows.get(place as usize).copied()).collect();
        Self { rows, ..self.clone() }
    }
}

/// All rows of `len`, or a random sample of `most` of them, ascending. Every n-th row would be a poor sample of a file whose
/// rows repeat after n.
pub(super) fn sample(len: usize, most: usize, seed: u64) -> Vec<u32> {
    let mut stream = Stream::new(seed, Purpose::Baseline, 0);
    let (rows, mut rows_left) = (u32::try_from(len).unwrap_or(u32::MAX), len);
    let mut wanted = most.min(len);
    // Knuth's algorithm S: a row is taken with the probability of wanted rows among those that are left.
    let mut is_taken = |_: &u32| {
        let takes = wanted == rows_left || stream.random_range(0..rows_left) < wanted;
        rows_left -= 1;
        wanted -= usize::from(takes);
        takes
    };
    (0..rows).filter(|row| is_taken(row)).collect()
}

/// A budget as a number of rows, one at least.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive number")]
pub(super) fn at_most(rows: f64) -> usize {
    rows.max(1.0) as usize
}

/// The targets (N, M) of rows: of classes a share of each, of two the second.
pub(super) fn targets(data: &Dataset, rows: &[u32], task: Task) -> Result<Tensor> {
    let ys = data.exact_targets(rows)?;
    if ys.rank() == 2 {
        return Ok(ys.to_dtype(DType::F64)?);
    }
    let classes = data.target_info().classes.len().max(1);
    let ignored = if let Task::Classes { ignored, .. } = task { ignored } else { i64::MIN };
    let mut shares = Vec::new();
    for class in ys.to_vec1::<i64>()? {
        let is = |own: usize| class != ignored && usize::try_from(class) == Ok(own);
        if classes == 2 {
            shares.push(f64::from(u8::from(is(1))));
        } else {
            shares.extend((0..classes).map(|own| f64::from(u8::from(is(own)))));
        }
    }
    let width = shares.len() / rows.len().max(1);
    Ok(Tensor::from_vec(shares, (rows.len(), width), &Device::Cpu)?)
}

/// The weight of each row; 0 of one without a class.
pub(super) fn weights(data: &Dataset, rows: &[u32], task: Task) -> Result<Vec<f64>> {
    let mut weights = match data.row_weights(rows)? {
        Some(weights) => weights.to_vec1::<f64>()?,
        None => vec![1.0; rows.len()],
    };
    if let Task::Classes { ignored, .. } = task {
        let ys = data.exact_targets(rows)?;
        if ys.rank() == 1 {
            let classes = ys.to_vec1::<i64>()?;
            weights
                .iter_mut()
                .zip(classes)
                .filter(|(_, class)| *class == ignored)
                .for_each(|(own, _)| *own = 0.0);
        }
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_periodic_rows_has_a_fair_share_of_each_phase() {
        assert_eq!(sample(5, 5, 1), [0, 1, 2, 3, 4]);
        let rows = sample(40_000, 20_000, 1);
        assert!(rows.len() == 20_000 && rows.windows(2).all(|pair| pair[0] < pair[1]));
        // Hypergeometric: 10 000 of them are even, with a deviation of √(20 000 · ½ · ½ · ½) = 50.
        let even = rows.iter().filter(|row| *row % 2 == 0).count();
        assert!((9_800..=10_200).contains(&even), "{even}");
        assert_eq!(sample(40_000, 20_000, 1), rows);
        assert_ne!(sample(40_000, 20_000, 2), rows);
    }
}
