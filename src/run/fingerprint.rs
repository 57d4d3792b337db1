//! The fingerprint of a run's rows: that of its checkpoint, or one that is computed beside the first updates.

use crate::data::{Fingerprint, PendingFingerprint, Splits};
use crate::error::Result;

/// Identifies the rows, as soon as a checkpoint needs it.
#[derive(Debug, Default)]
pub(super) struct RowsFingerprint {
    known: Option<Fingerprint>,
    pending: Option<PendingFingerprint>,
}

impl RowsFingerprint {
    /// One that a checkpoint has.
    pub(super) fn of_checkpoint(known: Fingerprint) -> Self {
        Self { known: Some(known), pending: None }
    }

    /// The fingerprint, if it is known.
    pub(super) fn get(&self) -> Option<&Fingerprint> {
        self.known.as_ref()
    }

    /// Starts to compute it, unless it is known.
    pub(super) fn start(&mut self, splits: &Splits) {
        if self.known.is_none() {
            self.pending = PendingFingerprint::start(splits);
        }
    }

    /// Waits for it, or computes it where it was not started.
    pub(super) fn find(&mut self, splits: &Splits) -> Result<&Fingerprint> {
        let pending = self.pending.take().and_then(PendingFingerprint::wait);
        let found = match (self.known.take(), pending) {
            (Some(known), _) => known,
            (None, Some(found)) => found?,
            (None, None) => Fingerprint::of(splits)?,
        };
        Ok(self.known.insert(found))
    }
}
