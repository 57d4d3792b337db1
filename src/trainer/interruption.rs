//! What makes a trainer give up work that takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asked between the parts of a batch, between evaluations of the loss, and between the chunks of an evaluation.
#[derive(Clone, Default)]
pub(super) struct Interruption {
    /// Set by whoever wants the trainer to stop.
    pub(super) stop: Arc<AtomicBool>,
    /// Whether the time of the run is over; nothing where it has no end.
    pub(super) is_time_up: Option<Arc<dyn Fn() -> bool + Send + Sync>>,
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
}
