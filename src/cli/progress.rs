//! What a user sees of a run: a bar an epoch on a terminal, a line an epoch everywhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::table::thousands;
use crate::trainer::Update;

/// One epoch's bar.
pub(super) struct Bar {
    bar: ProgressBar,
    loss_sum: f64,
    total: f64,
}

impl Bar {
    /// A bar over `rows` rows of `epoch` out of `epochs`; only on a terminal.
    pub(super) fn new(rows: u64, epoch: u64, epochs: u64, quiet: bool) -> Self {
        let shown = !quiet && std::io::stderr().is_terminal();
        let target =
            if shown { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(rows), target);
        let template = "{prefix} {wide_bar} {pos}/{len}  {msg}  {per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(format!("epoch {epoch}/{epochs}"));
        Self { bar, loss_sum: 0.0, total: 0.0 }
    }

    /// Counts an update.
    pub(super) fn update(&mut self, update: &Update) {
        self.loss_sum += update.loss_sum;
        self.total += update.total;
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("loss {:.4}", self.loss_sum / self.total));
        }
        self.bar.inc(update.rows as u64);
    }

    /// Removes the bar.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// "epoch 1/5  `train_loss` 0.3321  `val_loss` 0.2100  64,000 rows/s  0.94 s"
pub(super) fn line(epoch: u64, epochs: u64, numbers: &[(String, f64)], rows: u64, time: Duration) -> String {
    let numbers: Vec<String> = numbers.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a rate for the eye"
    )]
    let rate = (rows as f64 / time.as_secs_f64().max(1e-9)) as u64;
    let seconds = time.as_secs_f64();
    format!("epoch {epoch}/{epochs}  {}  {} rows/s  {seconds:.2} s", numbers.join("  "), thousands(rate))
}
