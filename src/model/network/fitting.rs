//! Fitting, to the training rows, of what layers do not learn: the bins of numerical embeddings.

use super::Network;
use crate::data::Dataset;
use crate::error::Result;
use crate::nn::{Mode, Op, Shape};

/// The most numbers that the rows are fitted to, as the layer gets them.
const MOST_NUMBERS: usize = 1 << 24;

impl Network {
    /// Fits what the layers do not learn to the training rows that count, or to a sample of them if they are many.
    pub fn fit(&self, train: &Dataset) -> Result<()> {
        let place = self.layers.iter().position(|layer| matches!(*layer.describe(), [Op::Numerical { .. }]));
        let Some(place) = place else { return Ok(()) };
        let rows = sample(&train.counted_rows(), (MOST_NUMBERS / self.widest(place, train)?).max(1));
        if rows.is_empty() {
            return Ok(());
        }
        let weights = train.row_weights(&rows)?.map(|weights| weights.to_vec1::<f64>()).transpose()?;
        let mut xs = train.inputs(&rows)?;
        for layer in &self.layers[..place] {
            xs = layer.forward(&xs, &mut Mode::Eval)?;
        }
        self.layers[place].fit(&xs, weights.as_deref())
    }

    /// The most numbers that a row has on its way to the layer at `place`: learnt vectors make more of it.
    fn widest(&self, place: usize, train: &Dataset) -> Result<usize> {
        let mut shape = Shape::new(train.row_shape());
        let mut widest = shape.dims().iter().product::<usize>();
        for layer in &self.layers[..place] {
            shape = layer.output_shape(&shape)?;
            widest = widest.max(shape.dims().iter().product::<usize>());
        }
        Ok(widest.max(1))
    }
}

/// At most so many of the rows, one of each of as many stretches of equal length. Its place there moves by the golden ratio:
/// the same place would be the same hour of every day.
fn sample(rows: &[u32], most: usize) -> Vec<u32> {
    let every = rows.len().div_ceil(most).max(1);
    rows.chunks(every)
        .zip(0u64..)
        .filter_map(|(stretch, index)| stretch.get(place_in(stretch.len(), index)).copied())
        .collect()
}

/// The place of the `index`-th of a sequence of evenly spread numbers in a stretch: the fractions of its multiples of the golden
/// ratio, in 64 bits.
fn place_in(length: usize, index: u64) -> usize {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let fraction = u128::from(index.wrapping_mul(GOLDEN));
    usize::try_from((fraction * length as u128) >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_of_a_periodic_file_has_every_hour_about_as_often() {
        let rows: Vec<u32> = (0..48_000).collect();
        let chosen = sample(&rows, 2000);
        assert_eq!(chosen.len(), 2000);
        assert!(chosen.windows(2).all(|pair| pair[0] < pair[1]));
        for hour in 0..24 {
            let count = chosen.iter().filter(|row| *row % 24 == hour).count();
            assert!((80..=87).contains(&count), "hour {hour}: {count} of 2000");
        }
        assert_eq!(sample(&rows[..10], 10), rows[..10]);
        assert_eq!(sample(&rows[..10], 4).len(), 4);
    }
}
