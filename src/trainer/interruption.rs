//! What makes a trainer give up work that takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Something that a rank may be asked for by itself, and that all ranks do together: it is agreed on with every update.
#[derive(Clone)]
pub struct Request {
    /// Whether this rank was asked for it since the last call.
    pub asked: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Set on every rank once one was asked.
    pub agreed: Arc<AtomicBool>,
}

/// Asked between the parts of a batch, between evaluations of the loss, and between the chunks of an evaluation.
#[derive(Clone, Default)]
pub(super) struct Interruption {
    /// Set by whoever wants the trainer to stop.
    pub(super) stop: Arc<AtomicBool>,
    /// Whether the time of the run is over; nothing where it has no end.
    pub(super) is_time_up: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    /// What several ranks agree on; nothing of one.
    pub(super) requests: Vec<Request>,
}

impl std::fmt::Debug for Interruption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Interruption").field("stop", &self.stop).finish_non_exhaustive()
    }
}

impl Interruption {
    /// Whether the trainer is to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether it is to stop, or its time is over.
    pub(super) fn ends_search(&self) -> bool {
        self.is_stopping() || self.is_time_up.as_ref().is_some_and(|is_time_up| is_time_up())
    }

    /// What this rank brings to an agreement: 1 for each thing that it was asked for, otherwise 0.
    pub(super) fn asked(&self) -> Vec<f64> {
        self.requests.iter().map(|request| f64::from(u8::from((request.asked)()))).collect()
    }

    /// Takes what all ranks have brought to an agreement, added up.
    pub(super) fn agree(&self, sums: &[f64]) {
        for (request, _) in self.requests.iter().zip(sums).filter(|(_, sum)| **sum > 0.0) {
            request.agreed.store(true, Ordering::Relaxed);
        }
    }
}
