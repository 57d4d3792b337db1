//! The progress of a run.

/// The progress of a run after an update.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UpdateProgress {
    /// The epoch, from 1.
    pub(crate) epoch: u64,
    /// The rows of it that are done.
    pub(crate) rows: u64,
    /// The rows that it has.
    pub(crate) rows_in_epoch: u64,
    /// The mean loss of this update's rows; the curve takes means of these.
    pub(crate) loss: f64,
    /// Its learning rate.
    pub(crate) lr: f64,
    /// The seconds of the epoch so far.
    pub(crate) seconds: f64,
    /// The updates of the run so far.
    pub(crate) step: u64,
}

/// The part of its epoch that is done.
#[allow(clippy::cast_precision_loss, reason = "a count")]
pub(super) fn within(progress: &UpdateProgress) -> f64 {
    let UpdateProgress { rows, rows_in_epoch, .. } = progress;
    if *rows_in_epoch == 0 { 0.0 } else { (*rows as f64 / *rows_in_epoch as f64).min(1.0) }
}

/// The epochs that are done.
#[allow(clippy::cast_precision_loss, reason = "a count")]
pub(super) fn position(progress: &UpdateProgress) -> f64 {
    progress.epoch.saturating_sub(1) as f64 + within(progress)
}
