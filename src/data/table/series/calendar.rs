//! The dates that follow a series: months, quarters and years have no fixed length.

use jiff::civil::{Date, DateTime};

use crate::data::table::dates;

/// So many of the last dates tell months from days.
pub(super) const TIMES: usize = 64;

/// The date so many rows after the first of these, which are the last ones of a series, the latest first, in days; `length`
/// is the usual time from a row to the next. By the calendar where they are whole months apart.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
pub(super) fn date_after(latest: &[f64], length: f64, rows: usize) -> Option<f64> {
    let last = *latest.first()?;
    let times: Vec<f64> = latest.iter().rev().copied().collect();
    match CalendarStep::of(&times) {
        Some(calendar) => calendar.after(last, rows),
        None => Some(last + in_milliseconds(length) * rows as f64),
    }
}

/// A length in days, which a difference of times knows to less than a millisecond.
fn in_milliseconds(days: f64) -> f64 {
    const MILLISECONDS: f64 = 86_400_000.0;
    let whole = (days * MILLISECONDS).round();
    if whole > 0.0 { whole / MILLISECONDS } else { days }
}

/// So many months from a row to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CalendarStep {
    months: i64,
    /// The day of a month; in shorter months the last.
    day: i8,
}

/// The months since the year 0.
fn month(date: &DateTime) -> i64 {
    12 * i64::from(date.year()) + i64::from(date.month()) - 1
}

impl CalendarStep {
    /// The step of these times in days, where each is on the same day of its month, or on its last, as many months after
    /// the one before.
    fn of(times: &[f64]) -> Option<Self> {
        let dates: Vec<DateTime> = times.iter().map(|time| dates::datetime(*time)).collect::<Option<_>>()?;
        let [first, second, ..] = dates.as_slice() else { return None };
        let months = month(second) - month(first);
        let day = dates.iter().map(|date| date.day()).max()?;
        let is_step = |pair: &[DateTime]| {
            month(&pair[1]) - month(&pair[0]) == months && pair[0].time() == pair[1].time()
        };
        let is_due = |date: &DateTime| date.day() == day.min(date.date().days_in_month());
        let fits = months > 0 && dates.windows(2).all(is_step) && dates.iter().all(is_due);
        fits.then_some(Self { months, day })
    }

    /// The time so many rows after a time, in days.
    fn after(self, time: f64, rows: usize) -> Option<f64> {
        let date = dates::datetime(time)?;
        let month = month(&date).checked_add(self.months.checked_mul(i64::try_from(rows).ok()?)?)?;
        let (year, month) =
            (i16::try_from(month.div_euclid(12)).ok()?, i8::try_from(month.rem_euclid(12) + 1).ok()?);
        let day = self.day.min(Date::new(year, month, 1).ok()?.days_in_month());
        Some(dates::days_since_epoch(Date::new(year, month, day).ok()?.to_datetime(date.time())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::DateForm;

    /// The time after some times, as text.
    fn next(times: &[&str], rows: usize) -> Option<String> {
        let days: Vec<f64> = times.iter().map(|time| DateForm::Iso.days(time).unwrap()).collect();
        let step = CalendarStep::of(&days)?;
        step.after(*days.last().unwrap(), rows).map(dates::written)
    }

    #[test]
    fn months_quarters_and_years_go_on_as_the_calendar_does() {
        for (times, rows, expected) in [
            (&["2023-11-01", "2023-12-01", "2024-01-01"][..], 2, "2024-03-01"),
            (&["2023-11-30", "2023-12-31", "2024-01-31"], 1, "2024-02-29"),
            (&["2023-09-30", "2023-12-31"], 2, "2024-06-30"),
            (&["2023-06-15 12:00", "2024-06-15 12:00"], 3, "2027-06-15 12:00:00"),
        ] {
            assert_eq!(next(times, rows).as_deref(), Some(expected));
        }
        for times in [&["2024-01-01", "2024-01-02"][..], &["2024-01-29", "2024-02-05"], &["2024-01-01"]] {
            assert_eq!(next(times, 1), None);
        }
    }
}
