//! Dates as text: ISO 8601, and the forms that people and spreadsheets write.

mod fields;
mod periods;

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

use fields::{long, short, year_of};
pub(super) use fields::{month_like, month_of};
pub(crate) use periods::Period;

pub(in crate::data) const SECONDS_A_DAY: f64 = 86_400.0;
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// The form in which a column writes dates. A time of day may follow a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum DateForm {
    /// 2023-11-20, 2023/11/20, 2023-11-20T12:30:00Z, or 2023-11 for its first day: ISO 8601.
    #[default]
    #[serde(rename = "yyyy-mm-dd")]
    Iso,
    /// 20.11.2023
    #[serde(rename = "dd.mm.yyyy")]
    DayDots,
    /// 20/11/2023
    #[serde(rename = "dd/mm/yyyy")]
    DaySlashes,
    /// 11/20/2023
    #[serde(rename = "mm/dd/yyyy")]
    MonthSlashes,
    /// 20-11-2023
    #[serde(rename = "dd-mm-yyyy")]
    DayDashes,
    /// 11-20-2023
    #[serde(rename = "mm-dd-yyyy")]
    MonthDashes,
    /// 20-Nov-23, 20-Nov-2023 or 20 November 2023
    #[serde(rename = "dd-mon-yyyy")]
    MonthName,
    /// A part of a year, for its first day.
    #[serde(untagged)]
    Period(Period),
}

impl DateForm {
    /// The forms besides ISO 8601.
    pub(super) const OTHERS: [Self; 9] = [
        Self::DayDots,
        Self::DaySlashes,
        Self::MonthSlashes,
        Self::DayDashes,
        Self::MonthDashes,
        Self::MonthName,
        Self::Period(Period::Quarter),
        Self::Period(Period::Week),
        Self::Period(Period::Month),
    ];

    /// Every form, ISO 8601 first.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        std::iter::once(Self::Iso).chain(Self::OTHERS)
    }

    /// Days since 1970-01-01 UTC, where the text is a date of this form. A time without an offset is UTC.
    pub(crate) fn days(self, text: &str) -> Option<f64> {
        match self {
            Self::Iso => iso(text),
            Self::Period(period) => {
                period.first_day(text).map(|first| days_since_epoch(first.to_datetime(Time::midnight())))
            }
            _ => self.numbered(text),
        }
    }

    /// The form as text: `dd.mm.yyyy`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Iso => "yyyy-mm-dd",
            Self::DayDots => "dd.mm.yyyy",
            Self::DaySlashes => "dd/mm/yyyy",
            Self::MonthSlashes => "mm/dd/yyyy",
            Self::DayDashes => "dd-mm-yyyy",
            Self::MonthDashes => "mm-dd-yyyy",
            Self::MonthName => "dd-mon-yyyy",
            Self::Period(Period::Quarter) => "yyyy-q",
            Self::Period(Period::Week) => "yyyy-www",
            Self::Period(Period::Month) => "yyyy-mon",
        }
    }

    /// Whether it names parts of a year and no days. Other text may look so, as `1080 W02` does: unlike days, periods are read as
    /// dates only where the column is the time of a series, or set to "date".
    pub(crate) fn is_period(self) -> bool {
        matches!(self, Self::Period(_))
    }

    /// An example of the form, for messages: "date such as 20.11.2023 (dd.mm.yyyy)".
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Iso => "date such as 2023-11-20",
            Self::DayDots => "date such as 20.11.2023 (dd.mm.yyyy)",
            Self::DaySlashes => "date such as 20/11/2023 (dd/mm/yyyy)",
            Self::MonthSlashes => "date such as 11/20/2023 (mm/dd/yyyy)",
            Self::DayDashes => "date such as 20-11-2023 (dd-mm-yyyy)",
            Self::MonthDashes => "date such as 11-20-2023 (mm-dd-yyyy)",
            Self::MonthName => "date such as 20-Nov-2023 (dd-mon-yyyy)",
            Self::Period(Period::Quarter) => "quarter such as 2023 Q4",
            Self::Period(Period::Week) => "week such as 2023 W47",
            Self::Period(Period::Month) => "month such as 2023 Nov or 2023M11",
        }
    }

    /// A date whose year comes last.
    fn numbered(self, text: &str) -> Option<f64> {
        // The shortest and the longest: 1-Jan-70, and 30 September 2023 with a time of nanoseconds.
        if !(8..=40).contains(&text.len()) || !text.is_ascii() || !text.as_bytes()[0].is_ascii_digit() {
            return None;
        }
        let (date, time) = match text.find(':') {
            None => (text, Time::midnight()),
            Some(colon) => {
                let (date, time) = text.split_at(text[..colon].rfind([' ', 'T'])?);
                (date, time[1..].parse().ok()?)
            }
        };
        let separator = match self {
            Self::DayDots => '.',
            Self::DaySlashes | Self::MonthSlashes => '/',
            Self::MonthName if date.contains(' ') => ' ',
            _ => '-',
        };
        let mut parts = date.split(separator);
        let (Some(first), Some(second), Some(year), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let (day, month, year) = match self {
            Self::MonthName => (short(first)?, month_of(second)?, year_of(year)?),
            Self::MonthSlashes | Self::MonthDashes => (short(second)?, short(first)?, long(year)?),
            _ => (short(first)?, short(second)?, long(year)?),
        };
        Some(days_since_epoch(Date::new(year, month, day).ok()?.to_datetime(time)))
    }
}

/// Days since 1970-01-01.
pub(super) fn days_since_epoch(instant: DateTime) -> f64 {
    instant.duration_since(EPOCH).as_secs_f64() / SECONDS_A_DAY
}

/// 2024-03-01, 2024/03/01, 2024-03-01 12:30, 2024-03-01T12:30:00.5Z, 2024-03-01T12:30:00+02:00, and 2024-03 for its first
/// day.
fn iso(text: &str) -> Option<f64> {
    let bytes = text.as_bytes();
    let looks = bytes.len() >= 7
        && bytes[..4].iter().all(u8::is_ascii_digit)
        && matches!(bytes[4], b'-' | b'/')
        && bytes[5].is_ascii_digit();
    if !looks {
        return None;
    }
    if let Some(date) = date_alone(bytes) {
        return Date::new(date.year, date.month, date.day)
            .ok()
            .map(|date| days_since_epoch(date.to_datetime(Time::midnight())));
    }
    let dashed;
    let text = if bytes[4] == b'/' {
        dashed = text.replacen('/', "-", 2);
        dashed.as_str()
    } else {
        text
    };
    if let Ok(instant) = text.parse::<jiff::Timestamp>() {
        return Some(instant.as_duration().as_secs_f64() / SECONDS_A_DAY);
    }
    // An instant of the last days of 9999 is none to jiff.
    let local: DateTime = text.strip_suffix('Z').unwrap_or(text).parse().ok()?;
    Some(days_since_epoch(local))
}

/// The numbers of a date.
struct DateNumbers {
    year: i16,
    month: i8,
    day: i8,
}

/// The numbers of 2024-03-01, 2024/03/01 or 2024-03 (2011/12 may be a season), if this is one without a time: most dates are.
fn date_alone(bytes: &[u8]) -> Option<DateNumbers> {
    let (year, [m1, m2], [d1, d2]) = match bytes {
        [year @ .., first @ (b'-' | b'/'), m1, m2, second, d1, d2] if year.len() == 4 && first == second => {
            (year, [m1, m2], [d1, d2])
        }
        [year @ .., b'-', m1, m2] if year.len() == 4 => (year, [m1, m2], [&b'0', &b'1']),
        _ => return None,
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i16::from(byte - b'0'));
    let two = |a: u8, b: u8| i8::try_from(10 * digit(a)? + digit(b)?).ok();
    let year = year.iter().try_fold(0, |year, byte| Some(10 * year + digit(*byte)?))?;
    Some(DateNumbers { year, month: two(*m1, *m2)?, day: two(*d1, *d2)? })
}

/// The date that is so many days after 1970-01-01, with the time of day behind a space unless it is midnight; to the
/// microsecond.
pub(crate) fn written(days: f64) -> String {
    written_iso(days).replacen('T', " ", 1)
}

/// As [`written`], with `T` before the time of day, as ISO 8601 has it.
pub(crate) fn written_iso(days: f64) -> String {
    let Some(instant) = datetime(days) else { return format!("{days} days after 1970-01-01") };
    if instant.time() == Time::midnight() { instant.date().to_string() } else { instant.to_string() }
}

/// The date and time of day that is so many days after 1970-01-01, to the microsecond; nothing beyond the years of jiff.
pub(in crate::data) fn datetime(days: f64) -> Option<DateTime> {
    let seconds = days.floor() * SECONDS_A_DAY;
    let micros = ((days - days.floor()) * SECONDS_A_DAY * 1e6).round();
    #[allow(clippy::cast_possible_truncation, reason = "seconds beyond the range of dates saturate")]
    let since =
        SignedDuration::from_secs(seconds as i64).saturating_add(SignedDuration::from_micros(micros as i64));
    EPOCH.checked_add(since).ok()
}

#[cfg(test)]
mod tests;
