//! Holds log messages back until an attempt succeeds.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// A message.
struct LoggedMessage {
    level: Level,
    text: String,
}

/// The outcome of an attempt, with the messages that were logged meanwhile.
pub(super) struct Attempt<T> {
    outcome: T,
    messages: Vec<LoggedMessage>,
}

impl<T> Attempt<T> {
    /// Makes an attempt. What this thread logs meanwhile is kept.
    pub(super) fn make(attempt: impl FnOnce() -> T) -> Self {
        let kept = LoggedMessages::default();
        let outcome = tracing::subscriber::with_default(kept.clone(), attempt);
        let messages = std::mem::take(&mut *kept.0.lock().unwrap_or_else(PoisonError::into_inner));
        Self { outcome, messages }
    }

    /// The outcome.
    pub(super) fn outcome(&self) -> &T {
        &self.outcome
    }

    /// The outcome, after its messages were logged.
    pub(super) fn logged(self) -> T {
        for LoggedMessage { level, text } in self.messages {
            match level {
                Level::ERROR => tracing::error!("{text}"),
                Level::WARN => tracing::warn!("{text}"),
                Level::INFO => tracing::info!("{text}"),
                _ => tracing::debug!("{text}"),
            }
        }
        self.outcome
    }
}

/// The messages so far. Clones share them.
#[derive(Clone, Default)]
struct LoggedMessages(Arc<Mutex<Vec<LoggedMessage>>>);

impl Subscriber for LoggedMessages {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::DEBUG
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = LoggedMessage { level: *event.metadata().level(), text: String::new() };
        event.record(&mut message);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for LoggedMessage {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.text = format!("{value:?}");
        }
    }
}
