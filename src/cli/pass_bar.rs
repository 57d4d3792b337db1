//! A progress bar for each pass over a file that takes longer than a second, with its bytes and the time left.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::data::pass::PASS;

/// A pass that takes no longer has no bar.
const SHORT: Duration = Duration::from_secs(1);

/// The bars of the passes under way, by path. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct PassBars(Arc<Mutex<BTreeMap<String, FilePasses>>>);

/// The passes over a file.
#[derive(Debug, Default)]
struct FilePasses {
    /// The number of those that have ended.
    ended: u32,
    now: Option<PassUnderWay>,
}

#[derive(Debug)]
struct PassUnderWay {
    started: Instant,
    bar: Option<ProgressBar>,
}

/// The position of a pass, by an event.
#[derive(Debug, Default)]
struct PassPosition {
    path: String,
    done: u64,
    total: u64,
}

impl PassBars {
    /// Calls `write`, which writes to the terminal, with no bar in its way.
    pub(super) fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bars: Vec<&ProgressBar> =
            files.values().filter_map(|passes| passes.now.as_ref()?.bar.as_ref()).collect();
        match bars.as_slice() {
            [] => write(),
            // The others are drawn on their next event.
            [first, ..] => first.suspend(write),
        }
    }

    fn see(&self, position: &PassPosition, now: Instant) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let passes = files.entry(position.path.clone()).or_default();
        if position.done >= position.total {
            if let Some(pass) = passes.now.take() {
                passes.ended += 1;
                pass.bar.iter().for_each(ProgressBar::finish_and_clear);
            }
            return;
        }
        let pass = passes.now.get_or_insert_with(|| PassUnderWay { started: now, bar: None });
        let elapsed = now - pass.started;
        if elapsed >= SHORT {
            let shown = pass.bar.get_or_insert_with(|| bar(position, passes.ended + 1, elapsed));
            shown.set_position(position.done);
        }
    }
}

/// A progress bar for pass `number` over a file, at `position` after `elapsed`.
fn bar(position: &PassPosition, number: u32, elapsed: Duration) -> ProgressBar {
    let path = super::table::printable(&position.path);
    let prefix = if number == 1 { path } else { format!("{path}, pass {number}") };
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(Some(position.total), target)
        .with_position(position.done)
        .with_elapsed(elapsed)
        .with_prefix(prefix);
    let template = "{prefix} {wide_bar} {bytes}/{total_bytes}  {rate}/s  {rest} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.with_key("rate", write_rate).with_key("rest", write_rest)),
        Err(_) => bar,
    }
}

/// Writes the bytes that a pass reads in a second.
fn write_rate(state: &ProgressState, text: &mut dyn fmt::Write) {
    let rate = u128::from(state.pos()) * 1000 / state.elapsed().as_millis().max(1);
    let _ = write!(text, "{}", HumanBytes(u64::try_from(rate).unwrap_or(u64::MAX)));
}

/// Writes the time that the rest takes, if it is read as fast as what was read.
fn write_rest(state: &ProgressState, text: &mut dyn fmt::Write) {
    let (done, total) = (u128::from(state.pos().max(1)), u128::from(state.len().unwrap_or(0)));
    let rest = state.elapsed().as_millis() * total.saturating_sub(done) / done;
    let rest = Duration::from_millis(u64::try_from(rest).unwrap_or(u64::MAX));
    let _ = write!(text, "{:#}", HumanDuration(rest));
}

impl<S: Subscriber> Layer<S> for PassBars {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == PASS {
            let mut position = PassPosition::default();
            event.record(&mut position);
            self.see(&position, Instant::now());
        }
    }
}

impl Visit for PassPosition {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "done" => self.done = value,
            "total" => self.total = value,
            _ => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "path" {
            self.path = format!("{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_has_a_bar_once_it_takes_a_second_and_until_it_ends() {
        let (bars, start) = (PassBars::default(), Instant::now());
        let see = |done: u64, seconds: u64| {
            let position = PassPosition { path: "a.csv".to_owned(), done, total: 10 };
            bars.see(&position, start + Duration::from_millis(100 * seconds));
            let passes = bars.0.lock().unwrap();
            let pass = passes.get("a.csv").and_then(|passes| passes.now.as_ref());
            pass.map(|pass| pass.bar.as_ref().map(|bar| (bar.position(), bar.prefix())))
        };
        assert_eq!(see(1, 0), Some(None));
        assert_eq!(see(4, 9), Some(None));
        assert_eq!(see(5, 10), Some(Some((5, "a.csv".to_owned()))));
        assert_eq!(see(9, 30), Some(Some((9, "a.csv".to_owned()))));
        assert_eq!(see(10, 31), None);
        // Another pass over the same file begins anew, and has a number.
        assert_eq!(see(2, 35), Some(None));
        assert_eq!(see(3, 50), Some(Some((3, "a.csv, pass 2".to_owned()))));
        assert_eq!(bars.suspend(|| 7), 7);
    }
}
