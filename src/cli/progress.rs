//! A progress bar for the epoch under way, on a terminal, and a line per epoch.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::table::thousands;
use crate::checkpoint::Sums;
use crate::numbers::number;
use crate::run::{EpochEnd, EpochStart};

/// The interval between two drawings of a bar: formatting it costs as much as an update of a small network.
const REDRAW: Duration = Duration::from_millis(50);

/// One epoch's bar.
pub(crate) struct Bar {
    line: ProgressBar,
    drawn: Instant,
}

impl Bar {
    /// A bar over the rows of an epoch; it is drawn only on a terminal.
    pub(crate) fn new(epoch: &EpochStart, quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let line = ProgressBar::with_draw_target(Some(epoch.rows as u64), target);
        let template = "{prefix} {wide_bar} {human_pos}/{human_len}  {msg}{speed}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate for the eye")]
            let speed = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
                // Before the first rows there is nothing to estimate from.
                if state.pos() > 0 {
                    let (rate, left) = (thousands(state.per_sec() as u64), HumanDuration(state.eta()));
                    let _ = write!(text, "  {rate} rows/s  {left:#} left");
                }
            };
            line.set_style(style.with_key("speed", speed));
        }
        line.set_prefix(format!("epoch {}/{}", epoch.epoch, epoch.epochs));
        Self { line, drawn: Instant::now() }
    }

    /// Shows the epoch's loss and rows so far.
    pub(crate) fn update(&mut self, sums: &Sums) {
        if !self.line.is_hidden() && self.drawn.elapsed() >= REDRAW {
            self.drawn = Instant::now();
            self.line.set_message(format!("loss {}", number(sums.loss / sums.total)));
            self.line.set_position(sums.rows);
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(self) {
        self.line.finish_and_clear();
    }
}

/// The metrics of an epoch's line: the losses, and those that are monitored or else the first; metrics.jsonl has them
/// all.
fn shown<'a>(metrics: &'a [(String, f64)], watched: &[&str]) -> Vec<&'a (String, f64)> {
    let is_loss = |name: &str| ["train_loss", "val_loss"].contains(&name);
    let (losses, others): (Vec<_>, Vec<_>) = metrics.iter().partition(|(name, _)| is_loss(name));
    let monitored: Vec<_> =
        others.iter().copied().filter(|(name, _)| watched.contains(&name.as_str())).collect();
    let others = if monitored.is_empty() { others.into_iter().take(1).collect() } else { monitored };
    losses.into_iter().chain(others).collect()
}

/// "epoch 1/5  `train_loss` 0.3321  `val_loss` 0.2100  64,000 rows/s  0.94 s"
pub(super) fn line(epoch: &EpochEnd<'_>) -> String {
    let shown = shown(epoch.metrics, &epoch.watched);
    let EpochEnd { epoch, epochs, sums, .. } = epoch;
    let metrics: Vec<String> =
        shown.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rate for the eye"
    )]
    let rate = (sums.rows as f64 / sums.seconds.max(1e-9)) as u64;
    let seconds = sums.seconds;
    format!("epoch {epoch}/{epochs}  {}  {} rows/s  {seconds:.2} s", metrics.join("  "), thousands(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_losses_and_what_is_monitored() {
        let names = ["train_loss", "val_loss", "val_accuracy", "val_f1", "val_mcc"];
        let metrics = names.map(|name| (name.to_owned(), 0.5));
        let line = |watched: &[&str]| -> Vec<String> {
            shown(&metrics, watched).into_iter().map(|(name, _)| name.clone()).collect()
        };
        assert_eq!(line(&[]), names[..3]);
        assert_eq!(line(&["val_loss"]), names[..3]);
        assert_eq!(line(&["val_mcc"]), ["train_loss", "val_loss", "val_mcc"]);
        assert_eq!(line(&["val_f1", "val_mcc"]), ["train_loss", "val_loss", "val_f1", "val_mcc"]);
    }
}
