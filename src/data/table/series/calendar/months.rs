//! Dates that are whole months apart.

use jiff::civil::{Date, DateTime, Weekday};
use rustc_hash::FxHashMap;

use super::usual::are_usual;
use crate::data::preprocess::{CalendarStep, MonthDay};
use crate::data::table::dates;

/// The months since the year 0.
fn month(date: &DateTime) -> i64 {
    12 * i64::from(date.year()) + i64::from(date.month()) - 1
}

/// The months from one date to another, in days each.
pub(super) fn between(from: f64, to: f64) -> Option<i64> {
    Some(month(&dates::datetime(to)?) - month(&dates::datetime(from)?))
}

/// The rule of dates most of which are as many months apart, and all at the same time on the same day of their months.
pub(super) fn find(series: &[Vec<f64>]) -> Option<CalendarStep> {
    // Most series have more than one row a month, which the first rows tell.
    let head = series.iter().flat_map(|times| times.windows(2)).take(64);
    if head.clone().count() == 0
        || head.clone().filter(|pair| pair[1] - pair[0] < 25.0).count() * 2 > head.count()
    {
        return None;
    }
    let series: Vec<Vec<DateTime>> = series
        .iter()
        .map(|times| times.iter().map(|time| dates::datetime(*time)).collect::<Option<_>>())
        .collect::<Option<_>>()?;
    let mut counts: FxHashMap<i64, usize> = FxHashMap::default();
    for pair in series.iter().flat_map(|dates| dates.windows(2)) {
        *counts.entry(month(&pair[1]) - month(&pair[0])).or_default() += 1;
    }
    let (count, usual) =
        counts.iter().max_by_key(|(months, count)| (**count, -**months)).map(|(a, b)| (*a, *b))?;
    let dates: Vec<DateTime> = series.into_iter().flatten().collect();
    let is_usual = count > 0 && are_usual(usual, counts.values().sum());
    let same_time = dates.iter().all(|date| date.time() == dates[0].time());
    let day = day_of(&dates).filter(|_| is_usual && same_time)?;
    Some(CalendarStep::Months { count, day })
}

/// The day of the month that most dates fall on; where several days fit as many dates, the smallest number.
fn day_of(dates: &[DateTime]) -> Option<MonthDay> {
    let rules = (1..=31).map(MonthDay::Number).chain([MonthDay::FirstWeekday, MonthDay::LastWeekday]);
    // Several series have the same dates.
    let mut counts: FxHashMap<Date, usize> = FxHashMap::default();
    for date in dates {
        *counts.entry(date.date()).or_default() += 1;
    }
    let fits = |day: MonthDay| -> usize {
        let is_on = |(date, _): &(&Date, &usize)| day.in_month(date.first_of_month()) == Some(**date);
        counts.iter().filter(is_on).map(|(_, count)| count).sum()
    };
    let (day, count) = rules.map(|day| (day, fits(day))).rev().max_by_key(|(_, count)| *count)?;
    are_usual(count, dates.len()).then_some(day)
}

/// The day of the month that most of these dates fall on, the latest first: `day` where they do, and where they are on no one
/// day that of the latest.
pub(super) fn day_like(day: MonthDay, dates: &[f64]) -> MonthDay {
    let dates: Vec<DateTime> = dates.iter().filter_map(|date| dates::datetime(*date)).collect();
    let is_on = |date: &&DateTime| day.in_month(date.date().first_of_month()) == Some(date.date());
    if are_usual(dates.iter().filter(is_on).count(), dates.len()) {
        return day;
    }
    let latest = || dates.first().map_or(day, |latest| MonthDay::Number(latest.day()));
    day_of(&dates).unwrap_or_else(latest)
}

impl MonthDay {
    /// The date in the month that begins on this day.
    fn in_month(self, first: Date) -> Option<Date> {
        match self {
            Self::Number(day) => first.with().day(day.min(first.days_in_month())).build().ok(),
            Self::FirstWeekday => working(first, 1),
            Self::LastWeekday => working(first.last_of_month(), -1),
        }
    }
}

/// The rule of the last dates of a series, the latest first, if all of them follow it.
pub(in super::super) fn of_latest(latest: &[f64]) -> Option<CalendarStep> {
    let times: Vec<f64> = latest.iter().rev().copied().collect();
    let step = find(std::slice::from_ref(&times))?;
    times.windows(2).all(|pair| step.rows_between(pair[0], pair[1]) <= 1.0).then_some(step)
}

/// The date so many months after another.
pub(super) fn after(time: f64, months: i64, day: MonthDay) -> Option<f64> {
    let date = dates::datetime(time)?;
    let month = month(&date).checked_add(months)?;
    let (year, month) =
        (i16::try_from(month.div_euclid(12)).ok()?, i8::try_from(month.rem_euclid(12) + 1).ok()?);
    let day = day.in_month(Date::new(year, month, 1).ok()?)?;
    Some(dates::days_since_epoch(day.to_datetime(date.time())))
}

/// The first day from Monday to Friday from a date on, or back.
fn working(date: Date, step: i64) -> Option<Date> {
    use jiff::ToSpan;
    let is_free = |date: &Date| matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    (0..3).map_while(|days| date.checked_add((step * days).days()).ok()).find(|date| !is_free(date))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::DateForm;

    /// The time after some times, as text.
    fn next(times: &[&str], rows: usize) -> Option<String> {
        let days: Vec<f64> = times.iter().map(|time| DateForm::Iso.days(time).unwrap()).collect();
        let step = find(std::slice::from_ref(&days))?;
        step.after(*days.last().unwrap(), rows).map(dates::written)
    }

    #[test]
    fn dates_on_no_one_day_go_on_from_the_latest() {
        let days = |dates: &[&str]| -> Vec<f64> {
            dates.iter().map(|date| DateForm::Iso.days(date).unwrap()).collect()
        };
        let varied = days(&["2021-05-15", "2021-04-14", "2021-03-16", "2021-02-15", "2021-01-14"]);
        assert_eq!(day_like(MonthDay::Number(31), &varied), MonthDay::Number(15));
        let ends = days(&["2021-04-30", "2021-03-31", "2021-02-28"]);
        assert_eq!(day_like(MonthDay::Number(31), &ends), MonthDay::Number(31));
    }

    #[test]
    fn months_quarters_and_years_go_on_as_the_calendar_does() {
        for (times, rows, expected) in [
            (&["2023-11-01", "2023-12-01", "2024-01-01"][..], 2, "2024-03-01"),
            (&["2023-11-30", "2023-12-31", "2024-01-31"], 1, "2024-02-29"),
            (&["2023-09-30", "2023-12-31"], 2, "2024-06-30"),
            (&["2023-06-15 12:00", "2024-06-15 12:00"], 3, "2027-06-15 12:00:00"),
            // pandas: date_range("2023-10-01", periods=6, freq="BME") and "BMS".
            (&["2023-10-31", "2023-11-30", "2023-12-29"], 2, "2024-02-29"),
            (&["2023-10-31", "2023-11-30", "2023-12-29"], 3, "2024-03-29"),
            (&["2023-10-02", "2023-11-01", "2023-12-01"], 1, "2024-01-01"),
            (&["2023-10-02", "2023-11-01", "2023-12-01"], 9, "2024-09-02"),
        ] {
            assert_eq!(next(times, rows).as_deref(), Some(expected));
        }
        // Releases on the 3rd, on Monday where that is a weekend; one date of many is another.
        let third = [
            "2024-01-03",
            "2024-02-05",
            "2024-03-04",
            "2024-04-03",
            "2024-05-03",
            "2024-06-03",
            "2024-07-03",
        ];
        assert_eq!(next(&third, 1).as_deref(), Some("2024-08-03"));
        let odd = ["2023-11-01", "2023-12-01", "2024-01-02", "2024-02-01", "2024-03-01"];
        assert_eq!(next(&odd, 1).as_deref(), Some("2024-04-01"));
        let odd = ["2023-10-31", "2023-11-30", "2023-12-28", "2024-01-31", "2024-02-29", "2024-03-29"];
        assert_eq!(next(&odd, 2).as_deref(), Some("2024-05-31"));
        // On the 3rd, 4th, 5th and 3rd: no day has most of them, the first working day least of all.
        assert_eq!(next(&["2024-01-03", "2024-02-04", "2024-03-05", "2024-04-03"], 1), None);
        for times in [&["2024-01-01", "2024-01-02"][..], &["2024-01-29", "2024-02-05"], &["2024-01-01"]] {
            assert_eq!(next(times, 1), None);
        }
    }

    #[test]
    fn a_month_that_is_missing_is_a_gap_of_one_row() {
        let days = |text: &str| DateForm::Iso.days(text).unwrap();
        let times = ["2023-01-31", "2023-02-28", "2023-03-31", "2023-05-31", "2023-06-30"].map(days);
        let step = find(&[times.to_vec()]).unwrap();
        assert_eq!(step, CalendarStep::Months { count: 1, day: MonthDay::Number(31) });
        assert!((step.rows_between(times[2], times[3]) - 2.0).abs() < 1e-9);
        assert!((step.rows_between(times[1], times[2]) - 1.0).abs() < 1e-9);
    }
}
