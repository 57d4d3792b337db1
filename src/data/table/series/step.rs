//! The time from one row of a series to the next.

use crate::data::preprocess::CalendarStep;

/// The rounding error of a difference of times, as a fraction of the times.
const ROUNDING: f64 = 1e-14;

/// The usual step of times; differences that rounding alone tells apart are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct TimeStep {
    /// The usual difference.
    pub(super) length: f64,
    /// Its rounding error.
    rounding: f64,
    /// The rule of dates that are no fixed length apart.
    pub(super) frequency: Option<CalendarStep>,
}

impl TimeStep {
    /// The most frequent difference; of several the one nearest to their median. Nothing where there are none.
    pub(super) fn most_frequent(mut differences: Vec<f64>, largest_time: f64) -> Option<Self> {
        differences.sort_unstable_by(f64::total_cmp);
        let median = *differences.get(differences.len() / 2)?;
        let rounding = (largest_time.abs() * ROUNDING).max(f64::MIN_POSITIVE);
        let equal = differences.chunk_by(|a, b| b - a <= rounding);
        let middle = |equal: &[f64]| equal[equal.len() / 2];
        let best = equal.max_by(|a, b| {
            let far = |equal: &[f64]| (middle(equal) - median).abs();
            a.len().cmp(&b.len()).then_with(|| far(b).total_cmp(&far(a)))
        });
        best.map(|equal| Self { length: middle(equal), rounding, frequency: None })
    }

    /// A step that is known.
    pub(super) fn known(length: f64, largest_time: f64) -> Self {
        Self { length, rounding: largest_time.abs() * ROUNDING, frequency: None }
    }

    /// The same by a rule of dates.
    pub(super) fn with(self, frequency: Option<CalendarStep>) -> Self {
        Self { frequency, ..self }
    }

    /// The rows that are missing between two times of rows.
    pub(super) fn missing_between(self, from: f64, to: f64) -> usize {
        let missing = match self.frequency {
            Some(frequency) => frequency.rows_between(from, to) - 1.0,
            None => (to - from - self.rounding) / self.length - 1.5,
        };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a number of rows, which saturates"
        )]
        let rows = (missing - 1e-9).ceil().max(0.0) as usize;
        rows
    }

    /// Whether the difference of two times is another one.
    pub(super) fn is_irregular(self, from: f64, to: f64) -> bool {
        match self.frequency {
            Some(frequency) => (frequency.rows_between(from, to) - 1.0).abs() > 1e-9,
            None => (to - from - self.length).abs() > self.rounding,
        }
    }

    /// The step in words; `is_dated` where times are days.
    pub(super) fn describe(self, is_dated: bool) -> String {
        match self.frequency {
            Some(frequency) => frequency.describe(),
            None if is_dated => describe_days(self.length),
            None => self.length.to_string(),
        }
    }
}

/// A length in days, which a difference of times knows to less than a millisecond.
pub(super) fn in_milliseconds(days: f64) -> f64 {
    const MILLISECONDS: f64 = 86_400_000.0;
    let whole = (days * MILLISECONDS).round();
    if whole > 0.0 { whole / MILLISECONDS } else { days }
}

/// "1 h", "7 days": a length of days for people.
pub(super) fn describe_days(days: f64) -> String {
    let seconds = days * 86_400.0;
    let units = [(86_400.0, "days"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms")];
    let whole = |unit: f64| ((seconds / unit).round() - seconds / unit).abs() < 1e-3 && seconds / unit > 0.5;
    let (unit, name) = units.into_iter().find(|(unit, _)| whole(*unit)).unwrap_or((1.0, "s"));
    let count = seconds / unit;
    let count = if whole(unit) { count.round() } else { count };
    match (count, name) {
        (1.0, "days") => "1 day".to_owned(),
        (count, name) => format!("{count} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_is_the_most_frequent_difference() {
        let step = |differences: &[f64]| TimeStep::most_frequent(differences.to_vec(), 20_000.0).unwrap();
        let hour = 1.0 / 24.0;
        let hourly = step(&[hour, hour + 3e-12, 5.0 * hour, hour, hour * 2.0]);
        assert!((hourly.length - hour).abs() < 1e-10);
        let missing = |step: TimeStep, length: f64| step.missing_between(0.0, length);
        assert_eq!(
            [2.0 * hour, hour + 1e-11, 1.5 * hour, 5.0 * hour].map(|own| missing(hourly, own)),
            [1, 0, 0, 4]
        );
        assert!(hourly.is_irregular(0.0, hour + 1e-4) && !hourly.is_irregular(0.0, hour - 3e-12));
        // Of differences that are all different the median.
        assert!(!step(&[0.9, 1.2, 1.0, 1.1, 0.8]).is_irregular(0.0, 1.0));
        assert!(TimeStep::most_frequent(Vec::new(), 1.0).is_none());
    }

    #[test]
    fn steps_are_shown_in_units_of_time() {
        for (days, text) in [
            (1.0, "1 day"),
            (31.0, "31 days"),
            (1.0 / 24.0, "1 h"),
            (15.0 / 1440.0, "15 min"),
            (0.5 / 86_400.0, "500 ms"),
        ] {
            assert_eq!(describe_days(days), text);
        }
    }
}
