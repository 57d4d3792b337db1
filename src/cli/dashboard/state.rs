//! The state that a dashboard shows.

use std::collections::VecDeque;

use super::curve::Curve;
use super::progress::{UpdateProgress, position, within};
use super::text;

/// The messages that are kept, and the characters of each.
const MESSAGES: usize = 500;
const LENGTH: usize = 2000;
/// The seconds over which the rate is averaged.
const SMOOTHING: f64 = 1.0;

/// The quantities that are measured along the way and not at the end of an epoch.
pub(super) const LOSS: &str = "loss";
pub(super) const LR: &str = "lr";
pub(super) const RATE: &str = "rows/s";

/// The run as far as it is known.
#[derive(Debug)]
pub(super) struct State {
    pub(super) title: String,
    pub(super) epochs: u64,
    pub(super) color: bool,
    pub(super) log: bool,
    pub(super) stopping: bool,
    /// The last update, as it is shown.
    pub(super) now: Option<UpdateProgress>,
    /// The loss of the updates, over epochs.
    pub(super) updates: Curve,
    pub(super) lr: Curve,
    pub(super) rate: Curve,
    /// The numbers of the epochs by name, in the order in which they came.
    pub(super) numbers: Vec<(String, Curve)>,
    /// The metrics that the run monitors.
    watched: Vec<String>,
    /// Rows a second, smoothed.
    pub(super) speed: Option<f64>,
    /// The seconds since the dashboard was opened.
    pub(super) elapsed: f64,
    /// The epochs that were done at the first update.
    start: f64,
    sampled: Option<UpdateProgress>,
    messages: VecDeque<String>,
    /// The quantity that a key selects, as an index of the choices.
    selected: Option<usize>,
}

impl State {
    pub(super) fn new(title: &str, epochs: u64, color: bool) -> Self {
        Self {
            title: text::escaped(title),
            epochs,
            color,
            log: false,
            stopping: false,
            now: None,
            updates: Curve::default(),
            lr: Curve::default(),
            rate: Curve::default(),
            numbers: Vec::new(),
            watched: Vec::new(),
            speed: None,
            elapsed: 0.0,
            start: 0.0,
            sampled: None,
            messages: VecDeque::new(),
            selected: None,
        }
    }

    pub(super) fn update(&mut self, progress: &UpdateProgress) {
        let position = position(progress);
        if self.now.is_none() {
            self.start = position;
        }
        self.now = Some(*progress);
        self.updates.push(position, progress.loss);
        self.lr.push(position, progress.lr);
    }

    #[allow(clippy::cast_precision_loss, reason = "a count")]
    pub(super) fn epoch(&mut self, epoch: u64, numbers: &[(String, f64)], lr: f64) {
        self.lr.push(epoch as f64, lr);
        for (name, value) in numbers {
            let name = text::escaped(name);
            let known = self.numbers.iter().position(|number| number.0 == name);
            let index = known.unwrap_or_else(|| {
                self.numbers.push((name, Curve::default()));
                self.numbers.len() - 1
            });
            self.numbers[index].1.push(epoch as f64, *value);
        }
        // A small screen has no room for all of them: first the losses, then what is monitored.
        let Self { numbers, watched, .. } = self;
        numbers.sort_by_key(|(name, _)| (split(name).1 != LOSS, !watched.contains(name)));
    }

    pub(super) fn watch(&mut self, metrics: &[&str]) {
        self.watched = metrics.iter().map(|name| text::escaped(name)).collect();
    }

    pub(super) fn add_message(&mut self, lines: &str) {
        for line in lines.lines() {
            let line: String = line.trim_end().chars().take(LENGTH).collect();
            self.messages.push_back(text::escaped(&line));
        }
        self.messages.drain(..self.messages.len().saturating_sub(MESSAGES));
    }

    /// Takes the time, and the rate since the last call.
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    pub(super) fn sample(&mut self, elapsed: f64) {
        self.elapsed = elapsed;
        let Some(now) = self.now else { return };
        let before = self.sampled.replace(now).filter(|before| before.epoch == now.epoch);
        let Some(before) = before else { return };
        let (rows, seconds) = (now.rows.saturating_sub(before.rows), now.seconds - before.seconds);
        if rows > 0 && seconds > 0.0 {
            let (rate, weight) = (rows as f64 / seconds, 1.0 - (-seconds / SMOOTHING).exp());
            let speed = self.speed.map_or(rate, |speed| speed + weight * (rate - speed));
            self.speed = Some(speed);
            self.rate.push(position(&now), speed);
        }
    }

    /// The messages, the oldest first.
    pub(super) fn messages(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.messages.iter().map(String::as_str)
    }

    /// The part of the epoch that is done.
    pub(super) fn epoch_done(&self) -> f64 {
        self.now.as_ref().map_or(0.0, within)
    }

    /// The part of the run that is done, were it to make all its epochs.
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    pub(super) fn done(&self) -> f64 {
        let position = self.now.as_ref().map_or(0.0, position);
        if self.epochs == 0 { 0.0 } else { (position / self.epochs as f64).clamp(0.0, 1.0) }
    }

    /// The seconds that are left at the pace so far.
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    pub(super) fn left(&self) -> Option<f64> {
        let position = position(self.now.as_ref()?);
        let (done, left) = (position - self.start, self.epochs as f64 - position);
        (done > 0.0).then(|| self.elapsed / done * left.max(0.0))
    }

    /// The choices: first the quantities that are drawn beside the loss, last the loss by itself.
    fn choices(&self) -> Vec<&str> {
        let mut choices = Vec::new();
        for (name, _) in &self.numbers {
            let (_, quantity) = split(name);
            if quantity != LOSS && !choices.contains(&quantity) {
                choices.push(quantity);
            }
        }
        choices.extend([LR, RATE, LOSS]);
        choices
    }

    /// The epochs from the first to where the run is now; never the same.
    #[allow(clippy::cast_precision_loss, reason = "a count")]
    pub(super) fn span(&self) -> (f64, f64) {
        let first = self.start.floor();
        let last = self.now.as_ref().map_or(0.0, position);
        (first, last.max(first + 1e-3))
    }

    /// The quantities to show a chart of each: what is selected, and the loss where there is room for two.
    pub(super) fn charts(&self, two: bool) -> Vec<&str> {
        let choices = self.choices();
        match self.selected.map(|selected| choices[selected % choices.len()]) {
            Some(LOSS) => vec![LOSS],
            None if !two => vec![LOSS],
            selected => [LOSS].into_iter().filter(|_| two).chain([selected.unwrap_or(choices[0])]).collect(),
        }
    }

    /// Shows the next quantity; `two` charts are there.
    pub(super) fn select_next(&mut self, two: bool) {
        let next = self.selected.map_or(usize::from(two), |selected| selected + 1);
        self.selected = Some(next % self.choices().len());
    }

    pub(super) fn toggle_log(&mut self) {
        self.log = !self.log;
    }
}

/// `val_accuracy` is the accuracy on val.
pub(super) fn split(name: &str) -> (&str, &str) {
    let prefixes = ["train_end", "train", "val", "test"];
    let parts = prefixes.iter().find_map(|&prefix| {
        let quantity = name.strip_prefix(prefix)?.strip_prefix('_')?;
        Some((prefix, quantity))
    });
    parts.unwrap_or(("", name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(epoch: u64, rows: u64, seconds: f64) -> UpdateProgress {
        UpdateProgress { epoch, rows, rows_in_epoch: 100, loss: 1.0, lr: 0.1, seconds, step: rows }
    }

    #[test]
    fn time_left_counts_from_the_first_update_of_this_process() {
        let mut state = State::new("run", 10, true);
        assert_eq!(state.left(), None);
        // Resumed after three and a half epochs.
        state.update(&at(4, 50, 1.0));
        state.sample(0.0);
        assert_eq!(state.left(), None);
        state.update(&at(6, 50, 1.0));
        state.sample(20.0);
        assert_eq!((state.left(), state.done()), (Some(45.0), 0.55));
    }

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let mut state = State::new("run", 10, true);
        for (rows, seconds) in [(10, 1.0), (20, 2.0), (60, 12.0), (60, 13.0)] {
            state.update(&at(1, rows, seconds));
            state.sample(seconds);
        }
        let speed = state.speed.unwrap_or_default();
        assert!((4.0..4.001).contains(&speed), "{speed}");
        // The clock of the next epoch starts anew.
        state.update(&at(2, 1, 0.1));
        state.sample(14.0);
        assert_eq!(state.speed, Some(speed));
    }

    #[test]
    fn quantities_are_shown_in_turn() {
        let shown = |two| {
            let mut state = State::new("run", 10, true);
            assert_eq!(state.charts(true), [LOSS, LR]);
            let names = ["train_loss", "val_loss", "val_accuracy", "train_end_accuracy", "val_f1"];
            state.epoch(1, &names.map(|name| (name.to_owned(), 0.5)), 0.1);
            let next = |_| {
                let shown = state.charts(two).join(" ");
                state.select_next(two);
                shown
            };
            (0..6).map(next).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(true),
            ["loss accuracy", "loss f1", "loss lr", "loss rows/s", "loss", "loss accuracy"]
        );
        assert_eq!(shown(false), ["loss", "accuracy", "f1", "lr", "rows/s", "loss"]);
    }

    #[test]
    fn what_is_monitored_comes_behind_the_losses() {
        let mut state = State::new("run", 10, true);
        state.watch(&["val_mcc"]);
        let names = ["train_loss", "val_loss", "val_accuracy", "val_f1", "val_mcc"];
        state.epoch(1, &names.map(|name| (name.to_owned(), 0.5)), 0.1);
        assert_eq!(state.charts(true), [LOSS, "mcc"]);
        let rows: Vec<&str> = state.numbers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(rows, ["train_loss", "val_loss", "val_mcc", "val_accuracy", "val_f1"]);
    }

    #[test]
    fn messages_are_lines_and_not_endless() {
        let mut state = State::new("a\nb", 1, true);
        assert_eq!(state.title, "a\\nb");
        for _ in 0..MESSAGES {
            state.add_message("one\ntwo\x1b");
        }
        assert_eq!(state.messages().count(), MESSAGES);
        assert_eq!(state.messages().last(), Some("two\\u{1b}"));
    }
}
