//! Whether options, network, data and ranks go together, before anything runs.

use candle_core::DType;

use super::Trainer;
use super::learner::Learner;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::names::counted;

impl Trainer {
    /// Checks that the options and the network can train on the data, before anything runs.
    pub fn check(&self, data: &Dataset) -> Result<()> {
        let rows = self.learner.options.rows_in_an_epoch(data.len());
        if rows == 0 {
            return Err(Error::key(
                "train.drop_last",
                format!(
                    "would drop every batch: the data has {}; choose a smaller `train.batch_size`",
                    counted(data.len(), "row")
                ),
            ));
        }
        let batch = self.learner.options.batch_size.rows(data.len());
        let last = if rows.is_multiple_of(batch) { batch } else { rows % batch };
        self.check_shards(batch)?;
        if self.learner.network.couples_rows() && (batch == 1 || last == 1) {
            let which = if batch == 1 { "a batch" } else { "the last batch of an epoch" };
            return Err(Error::key(
                "train.batch_size",
                format!(
                    "is {batch}, and {which} of {rows} rows has one row, but `model.batch_norm` needs two or more: \
                     choose another, or set `train.drop_last = true`"
                ),
            ));
        }
        Ok(())
    }

    /// Checks that a row of a held-out split counts, before anything is trained.
    ///
    /// # Errors
    /// All of them are ignored, or of weight 0: the mean over nothing is no number.
    pub fn check_held_out(&self, data: &Dataset, split: &str) -> Result<()> {
        for rows in data.chunks() {
            let weights = data.row_weights(&rows)?;
            if self.learner.loss.weighted_total(&data.targets(&rows)?, weights.as_ref())? != 0.0 {
                return Ok(());
            }
        }
        let problem = format!(
            "leaves no row of the {split} split to count: all {} are ignored, or of weight 0; look at `ignore_index` and \
             `weight`, and at the targets of this split",
            data.len()
        );
        Err(Error::key("loss", problem))
    }

    /// Checks that a batch has rows for every shard and rank, and that the network can be trained in shards.
    fn check_shards(&self, batch: usize) -> Result<()> {
        let Learner { shards, network, options, .. } = &self.learner;
        if batch < options.shards {
            let problem = format!(
                "is {}, but a batch has {batch} rows: choose fewer shards, or a larger `train.batch_size`",
                options.shards
            );
            return Err(Error::key("train.shards", problem));
        }
        if batch < shards.ranks().size() {
            let problem = format!(
                "is {batch}, fewer rows than the {} ranks: start fewer, or choose a larger one",
                shards.ranks().size()
            );
            return Err(Error::key("train.batch_size", problem));
        }
        let params = network.params();
        let is_wide = matches!(params.dtype(), DType::F32 | DType::F64) && params.device().is_cpu();
        if !shards.is_whole() && network.couples_rows() && !is_wide {
            let problem = "trains in shards and on several ranks in f32 or f64 on CPUs alone; leave it out, or use \
                           `model.layer_norm`";
            return Err(Error::key("model.batch_norm", problem));
        }
        Ok(())
    }
}
