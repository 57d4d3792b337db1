//! Dates written as a column writes them.

use jiff::civil::{DateTime, Time};

use super::dates::{self, DateForm, month_like};

/// The date that is so many days after 1970-01-01 UTC, as `like` writes one of this form: with its separators, its digits,
/// its time of day and its offset.
pub(crate) fn written_like(like: &str, form: DateForm, days: f64) -> String {
    let TextParts { date, between, time, zone } = TextParts::of(like);
    let local = days + offset(zone) / dates::SECONDS_A_DAY;
    let Some(instant) = dates::datetime(local) else { return dates::written_iso(days) };
    if let DateForm::Period(period) = form {
        return period.written_like(like, instant).unwrap_or_else(|| dates::written_iso(days));
    }
    let day = written_date(date, form, instant);
    if !time.is_empty() {
        return format!("{day}{between}{}{zone}", written_time(time, instant.time()));
    }
    if instant.time() == Time::midnight() { day } else { format!("{day} {}", instant.time()) }
}

/// The parts of a date with a time of day.
struct TextParts<'a> {
    date: &'a str,
    /// A space or `T`.
    between: &'a str,
    /// Empty where there is none.
    time: &'a str,
    /// `Z` or `+02:00`.
    zone: &'a str,
}

impl<'a> TextParts<'a> {
    fn of(text: &'a str) -> Self {
        let before = text.find(':').unwrap_or(0);
        let Some(end) = text.get(..before).and_then(|start| start.rfind([' ', 'T', 't'])) else {
            return Self { date: text, between: "", time: "", zone: "" };
        };
        let rest = &text[end + 1..];
        let time = rest.find(['Z', 'z', '+', '-', '[', ' ']).unwrap_or(rest.len());
        Self { date: &text[..end], between: &text[end..=end], time: &rest[..time], zone: &rest[time..] }
    }
}

/// The seconds of an offset such as `+02:00`; 0 of none.
fn offset(zone: &str) -> f64 {
    let sign = if zone.starts_with('-') { -1.0 } else { 1.0 };
    let digits: Vec<f64> = zone.chars().filter_map(|c| c.to_digit(10)).map(f64::from).collect();
    let two = |at: usize| digits.get(at).map_or(0.0, |tens| 10.0 * tens + digits.get(at + 1).unwrap_or(&0.0));
    if zone.starts_with(['+', '-']) { sign * (3600.0 * two(0) + 60.0 * two(2)) } else { 0.0 }
}

fn written_date(like: &str, form: DateForm, instant: DateTime) -> String {
    let separator = like.chars().find(|c| !c.is_ascii_alphanumeric()).unwrap_or('-');
    let parts: Vec<&str> = like.split(separator).collect();
    // One digit shows that none is padded; two may be of any number above 9.
    let pads = !parts.iter().any(|part| part.len() == 1);
    let two = |number: i8| if pads { format!("{number:02}") } else { number.to_string() };
    let (day, month) = (two(instant.day()), two(instant.month()));
    let long = format!("{:04}", instant.year());
    let year =
        if parts.last().is_some_and(|year| year.len() == 2) { long[2..].to_owned() } else { long.clone() };
    if parts.len() == 2 && form == DateForm::Iso && instant.day() == 1 {
        return [long, month].join(&separator.to_string());
    }
    let parts = match form {
        DateForm::Iso | DateForm::Period(_) => [long, month, day],
        DateForm::DayDots | DateForm::DaySlashes | DateForm::DayDashes => [day, month, year],
        DateForm::MonthSlashes | DateForm::MonthDashes => [month, day, year],
        DateForm::MonthName => {
            [day, month_like(parts.get(1).copied().unwrap_or("Jan"), instant.month()), year]
        }
    };
    parts.join(&separator.to_string())
}

/// A time of day with as many parts and digits of a second as another one.
fn written_time(like: &str, time: Time) -> String {
    let (clock, fraction) = like.split_once(['.', ',']).unwrap_or((like, ""));
    let mut text = format!("{:02}:{:02}", time.hour(), time.minute());
    if clock.matches(':').count() > 1 || time.second() > 0 {
        text = format!("{text}:{:02}", time.second());
    }
    if !fraction.is_empty() {
        let nanos = format!("{:09}", time.subsec_nanosecond());
        text = format!("{text}.{}", &nanos[..fraction.len().min(9)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::dates::Period;

    #[test]
    fn a_date_is_written_as_the_column_has_it() {
        let hour = 1.0 / 24.0;
        for (like, form, later, expected) in [
            ("2024-02-28", DateForm::Iso, 1.0, "2024-02-29"),
            ("2024/02/28", DateForm::Iso, 2.0, "2024/03/01"),
            ("2024-02", DateForm::Iso, 29.0, "2024-03"),
            ("2024-02", DateForm::Iso, 7.0, "2024-02-08"),
            ("2024-02-28T23:00:00", DateForm::Iso, hour, "2024-02-29T00:00:00"),
            ("2024-02-28 23:00", DateForm::Iso, hour / 2.0, "2024-02-28 23:30"),
            ("2024-02-28T23:00:00Z", DateForm::Iso, hour, "2024-02-29T00:00:00Z"),
            ("2024-02-28T23:00:00+02:00", DateForm::Iso, hour, "2024-02-29T00:00:00+02:00"),
            ("2024-02-28 23:00:00.500", DateForm::Iso, hour, "2024-02-29 00:00:00.500"),
            ("2024-02-28", DateForm::Iso, hour, "2024-02-28 01:00:00"),
            ("28.02.2024", DateForm::DayDots, 2.0, "01.03.2024"),
            ("28/2/2024", DateForm::DaySlashes, 2.0, "1/3/2024"),
            ("02/28/2024", DateForm::MonthSlashes, 2.0, "03/01/2024"),
            ("28-Feb-24", DateForm::MonthName, 2.0, "01-Mar-24"),
            ("28 FEBRUARY 2024", DateForm::MonthName, 2.0, "01 MARCH 2024"),
            ("1981 Q4", DateForm::Period(Period::Quarter), 92.0, "1982 Q1"),
            ("1981q1", DateForm::Period(Period::Quarter), 90.0, "1981q2"),
            ("Q1 1981", DateForm::Period(Period::Quarter), 90.0, "Q2 1981"),
            ("1981-Q1", DateForm::Period(Period::Quarter), 1.0, "1981-01-02"),
            ("1992 W53", DateForm::Period(Period::Week), 7.0, "1993 W01"),
            ("2024-W01", DateForm::Period(Period::Week), 7.0, "2024-W02"),
            ("2024W01", DateForm::Period(Period::Week), 1.0, "2024-01-02"),
            ("1960 Dec", DateForm::Period(Period::Month), 31.0, "1961 Jan"),
            ("MAY 1960", DateForm::Period(Period::Month), 31.0, "JUN 1960"),
            ("January 1960", DateForm::Period(Period::Month), 31.0, "February 1960"),
            ("1990M12", DateForm::Period(Period::Month), 31.0, "1991M01"),
            ("1990M12", DateForm::Period(Period::Month), 0.5, "1990-12-01T12:00:00"),
        ] {
            let days = form.days(like).unwrap();
            assert_eq!(written_like(like, form, days + later), expected);
            assert_eq!(written_like(like, form, days), like);
        }
    }
}
