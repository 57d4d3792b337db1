//! Dates that are no fixed length apart: months, quarters, years, and the working days of a week.

mod months;
mod usual;
mod weekdays;

use crate::data::preprocess::CalendarStep;

pub(super) use months::of_latest as months_of_latest;
pub(super) use usual::are_usual;

/// The rule that the dates of each series follow, in days, where they are no fixed length apart.
pub(super) fn calendar_step(series: &[Vec<f64>]) -> Option<CalendarStep> {
    months::find(series).or_else(|| weekdays::find(series).map(CalendarStep::Weekdays))
}

impl CalendarStep {
    /// How many rows a date is after another, in days each; 1 where none is missing in between.
    pub(super) fn rows_between(self, from: f64, to: f64) -> f64 {
        match self {
            Self::Weekdays(week) => weekdays::days_between(week, from, to),
            Self::Months { count, .. } => {
                months::between(from, to).map_or(f64::INFINITY, |months| real_of(months) / real_of(count))
            }
        }
    }

    /// The date so many rows after another, in days.
    pub(super) fn after(self, date: f64, rows: usize) -> Option<f64> {
        match self {
            Self::Weekdays(week) => Some(weekdays::after(week, date, rows)),
            Self::Months { count, day } => {
                months::after(date, count.checked_mul(i64::try_from(rows).ok()?)?, day)
            }
        }
    }

    /// The same on the days of the month that these dates fall on, where they are on others.
    pub(super) fn on_days_of(self, dates: &[f64]) -> Self {
        match self {
            Self::Months { count, day } => Self::Months { count, day: months::day_like(day, dates) },
            Self::Weekdays(_) => self,
        }
    }

    /// Whether dates are often on days of the week that have no rows.
    pub(super) fn misses_days_of(self, dates: impl Iterator<Item = f64>) -> bool {
        match self {
            Self::Weekdays(week) => weekdays::has_others(week, dates),
            Self::Months { .. } => false,
        }
    }

    /// The rows of a week, of dates on some days of the week alone.
    pub(super) fn rows_a_week(self) -> Option<usize> {
        match self {
            Self::Weekdays(week) => Some(weekdays::rows_a_week(week)),
            Self::Months { .. } => None,
        }
    }

    /// The most rows that may be missing between two consecutive rows where nothing else is said: as many as holidays leave
    /// out, up to a week of them.
    pub(super) fn usual_gap(self) -> usize {
        self.rows_a_week().unwrap_or(0)
    }

    /// The rule in words.
    pub(super) fn describe(self) -> String {
        match self {
            Self::Weekdays(week) => format!("1 day, {}", weekdays::describe(week)),
            Self::Months { count: 12, .. } => "1 year".to_owned(),
            Self::Months { count: 1, .. } => "1 month".to_owned(),
            Self::Months { count, .. } if count % 12 == 0 => format!("{} years", count / 12),
            Self::Months { count, .. } => format!("{count} months"),
        }
    }
}

/// A count of months as a number.
#[allow(clippy::cast_precision_loss, reason = "a count of months")]
pub(super) fn real_of(months: i64) -> f64 {
    months as f64
}
