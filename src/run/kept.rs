//! `model.safetensors`: the best weights, and those that wait to be written.

use std::collections::BTreeMap;
use std::time::Instant;

use candle_core::Tensor;

use crate::checkpoint::EpochScore;

/// The state of `model.safetensors`.
#[derive(Default)]
pub(super) struct KeptModel {
    /// When the file was last written.
    pub(super) at: Option<Instant>,
    /// The epoch whose weights it has.
    pub(super) epoch: Option<u64>,
    /// The score of that epoch, where epochs are validated.
    pub(super) score: Option<EpochScore>,
    /// Weights that are to replace it.
    pub(super) waiting: Option<BTreeMap<String, Tensor>>,
}

impl KeptModel {
    /// The file of a run that is resumed.
    pub(super) fn of(score: Option<EpochScore>) -> Self {
        Self { epoch: score.map(|score| score.epoch), score, ..Self::default() }
    }
}

/// Whether this is over a second ago. An epoch can take less time than writing its weights to the disk.
pub(super) fn is_long_ago(last: Option<Instant>) -> bool {
    last.is_none_or(|last| last.elapsed().as_secs() >= 1)
}
