//! Dates on some days of the week alone, such as Monday to Friday.

use super::usual::are_usual;
use crate::stats::real;

/// A day of the week with less than this fraction of the rows of the fullest one is an exception.
const RARE: f64 = 0.1;
/// So many days tell the days of a week.
const LEAST: f64 = 21.0;

/// The day of the week of a day since 1970-01-01, a Thursday; Monday is 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 6")]
fn weekday(day: f64) -> usize {
    (day.floor() + 3.0).rem_euclid(7.0) as usize
}

/// The days of the week that have rows, where some never have one.
pub(super) fn find(series: &[Vec<f64>]) -> Option<[bool; 7]> {
    let is_same_day = |pair: &[f64]| pair[1].floor() <= pair[0].floor();
    if series.iter().any(|times| times.windows(2).any(is_same_day)) {
        return None;
    }
    let mut counts = [0usize; 7];
    let mut longest = 0.0f64;
    for times in series {
        for time in times {
            counts[weekday(*time)] += 1;
        }
        longest = longest.max(times.last()? - times.first()?);
    }
    let most = counts.iter().copied().max().map_or(0.0, real);
    let week = counts.map(|count| real(count) > RARE * most);
    let days = rows_a_week(week);
    if longest < LEAST || !(2..7).contains(&days) {
        return None;
    }
    let due = |times: &Vec<f64>| Some(days_between(week, times.first()? - 1.0, *times.last()?));
    let due: f64 = series.iter().filter_map(due).sum();
    let rows: usize = counts.iter().zip(week).filter(|(_, has)| *has).map(|(count, _)| count).sum();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of days")]
    are_usual(rows, due as usize).then_some(week)
}

/// Whether a day of the week without rows has more than one of these dates, and is none of a few exceptions.
pub(super) fn has_others(week: [bool; 7], dates: impl Iterator<Item = f64>) -> bool {
    let mut counts = [0usize; 7];
    dates.for_each(|date| counts[weekday(date)] += 1);
    let most = counts.iter().copied().max().map_or(0.0, real);
    let others: usize = counts.iter().zip(week).filter(|(_, has)| !has).map(|(count, _)| count).sum();
    others > 1 && real(others) > RARE * most
}

/// The rows of a week: so many may be missing as holidays, a week of them.
pub(super) fn rows_a_week(week: [bool; 7]) -> usize {
    week.iter().filter(|has| **has).count()
}

/// How many of these days of the week come after one date and up to another.
pub(super) fn days_between(week: [bool; 7], from: f64, to: f64) -> f64 {
    let (first, last) = (from.floor() + 1.0, to.floor());
    let weeks = ((last - first + 1.0) / 7.0).floor().max(0.0);
    let mut count = weeks * real(rows_a_week(week));
    let mut day = first + 7.0 * weeks;
    while day <= last {
        count += f64::from(u8::from(week[weekday(day)]));
        day += 1.0;
    }
    count
}

/// The date that is so many of these days after another, at the same time of day.
pub(super) fn after(week: [bool; 7], date: f64, rows: usize) -> f64 {
    let each = rows_a_week(week).max(1);
    let weeks = rows.saturating_sub(1) / each;
    let (mut date, mut left) = (date + 7.0 * real(weeks), rows - weeks * each);
    while left > 0 {
        date += 1.0;
        left -= usize::from(week[weekday(date)]);
    }
    date
}

/// The days in words: "Monday to Friday".
pub(super) fn describe(week: [bool; 7]) -> String {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let days: Vec<usize> = (0..7).filter(|day| week[*day]).collect();
    match (days.first(), days.last()) {
        (Some(first), Some(last)) if last - first + 1 == days.len() && days.len() > 2 => {
            format!("{} to {}", NAMES[*first], NAMES[*last])
        }
        _ => days.iter().map(|day| NAMES[*day]).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::DateForm;
    use crate::data::table::dates;

    const WORKING: [bool; 7] = [true, true, true, true, true, false, false];

    fn days(first: &str, count: u16, is_there: impl Fn(usize, usize) -> bool) -> Vec<f64> {
        let first = DateForm::Iso.days(first).unwrap();
        let all = (0..count).map(|day| first + f64::from(day)).enumerate();
        all.filter(|(number, day)| is_there(*number, weekday(*day))).map(|(_, day)| day).collect()
    }

    #[test]
    fn the_days_of_a_week_that_have_rows_are_found() {
        // 2024-01-01 is a Monday.
        let working = days("2024-01-01", 60, |_, day| day < 5);
        assert_eq!(find(&[working]), Some(WORKING));
        let holidays = days("2024-01-01", 90, |number, day| day < 5 && ![2, 17, 18].contains(&number));
        assert_eq!(find(&[holidays]), Some(WORKING));
        let shop = days("2024-01-01", 60, |_, day| day < 6);
        assert_eq!(find(&[shop]).map(describe).as_deref(), Some("Monday to Saturday"));
        // Every day, every second day, once a week, too few weeks, most days missing.
        for there in [
            days("2024-01-01", 60, |_, _| true),
            days("2024-01-01", 60, |number, _| number % 2 == 0),
            days("2024-01-01", 60, |number, _| number % 7 == 0),
            days("2024-01-01", 15, |_, day| day < 5),
            days("2024-01-01", 300, |number, day| day < 5 && number % 5 < 2),
        ] {
            assert_eq!(find(&[there]), None);
        }
    }

    /// `numpy.busday_count` and `numpy.busday_offset`.
    #[test]
    fn working_days_are_counted_and_added_as_numpy_does() {
        let day = |text: &str| DateForm::Iso.days(text).unwrap();
        for (from, to, expected) in [
            ("2024-01-05", "2024-01-08", 1.0),
            ("2024-01-05", "2024-01-09", 2.0),
            ("2024-01-01", "2024-03-01", 44.0),
            ("2024-01-06", "2024-01-07", 0.0),
        ] {
            assert!((days_between(WORKING, day(from), day(to)) - expected).abs() < 1e-9, "{from} {to}");
        }
        for (from, rows, expected) in [
            ("2024-01-05", 1, "2024-01-08"),
            ("2024-01-05", 5, "2024-01-12"),
            ("2024-01-03", 43, "2024-03-04"),
        ] {
            assert_eq!(dates::written(after(WORKING, day(from), rows)), expected);
        }
    }
}
