//! Interrupts long work of a trainer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to one rank that all ranks carry out together: they agree on it with every update.
#[derive(Clone)]
pub struct RankRequest {
    /// Whether this rank was asked for it since the last call.
    pub asked: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Set on every rank once one was asked.
    pub agreed: Arc<AtomicBool>,
}

impl std::fmt::Debug for RankRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RankRequest").field("agreed", &self.agreed).finish_non_exhaustive()
    }
}

/// Asked between the parts of a batch, between evaluations of the loss, and between the chunks of an evaluation.
#[derive(Clone, Default)]
pub(super) struct Interruption {
    /// Set by whoever wants the trainer to stop.
    pub(super) stop: Arc<AtomicBool>,
    /// Whether the time of the run is over; `None` if it is not limited.
    pub(super) is_time_up: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
    /// The requests that several ranks agree on; empty for one.
    pub(super) requests: Vec<RankRequest>,
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

    /// The terms of this rank in an agreement: 1 for each request that it was asked for, otherwise 0.
    pub(super) fn asked(&self) -> Vec<f64> {
        self.requests.iter().map(|request| f64::from(u8::from((request.asked)()))).collect()
    }

    /// Takes the sums of all ranks' terms of an agreement.
    pub(super) fn agree(&self, sums: &[f64]) {
        for (request, _) in self.requests.iter().zip(sums).filter(|(_, sum)| **sum > 0.0) {
            request.agreed.store(true, Ordering::Relaxed);
        }
    }
}
