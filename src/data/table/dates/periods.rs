//! Quarters, weeks and months of a year as text, each read as its first day.

use jiff::civil::{Date, DateTime, ISOWeekDate, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::fields::{long, month_like, month_of, short};

/// A part of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Period {
    /// 1981 Q1, 1981-Q1, 1981Q1, Q1 1981
    #[serde(rename = "yyyy-q")]
    Quarter,
    /// 1991 W06, 1991-W06, 1991W06, W06 1991: a week of ISO 8601, which begins on a Monday.
    #[serde(rename = "yyyy-www")]
    Week,
    /// 1960 Jan, 1960-Jan, January 1960, 1960M01
    #[serde(rename = "yyyy-mon")]
    Month,
}

/// The two parts of a text such as 1981 Q1.
struct YearAndPart<'a> {
    /// Four characters.
    year: &'a str,
    part: &'a str,
}

impl<'a> YearAndPart<'a> {
    /// Splits a text whose year comes first, with a separator behind it or without, or last, behind a separator.
    fn of(text: &'a str) -> Option<Self> {
        const SEPARATORS: [char; 4] = [' ', '-', '/', '.'];
        // The shortest and the longest: 1981Q1, and September 1960.
        if !(6..=14).contains(&text.len()) || !text.is_ascii() {
            return None;
        }
        let (year, rest) = text.split_at(4);
        if long(year).is_some() {
            return Some(Self { year, part: rest.strip_prefix(SEPARATORS).unwrap_or(rest) });
        }
        let (rest, year) = text.split_at(text.len() - 4);
        Some(Self { year, part: rest.strip_suffix(SEPARATORS)? })
    }
}

impl Period {
    /// The first day of the period that a text names.
    pub(super) fn first_day(self, text: &str) -> Option<Date> {
        let YearAndPart { year, part } = YearAndPart::of(text)?;
        let year = long(year)?;
        let first = match self {
            Self::Quarter => {
                let quarter = numbered(part, 'q', 1).filter(|quarter| (1..=4).contains(quarter))?;
                Date::new(year, 3 * quarter - 2, 1)
            }
            Self::Week => {
                let week = numbered(part, 'w', 2)?;
                ISOWeekDate::new(year, week, Weekday::Monday).map(ISOWeekDate::date)
            }
            Self::Month => {
                let month = month_of(part).or_else(|| numbered(part, 'm', 2))?;
                Date::new(year, month, 1)
            }
        };
        first.ok()
    }

    /// The period that begins at this instant, as `like` writes one; nothing where none begins.
    pub(in crate::data::table) fn written_like(self, like: &str, instant: DateTime) -> Option<String> {
        let parts = YearAndPart::of(like)?;
        let mark = parts.part.get(..1)?;
        let (date, is_midnight) = (instant.date(), instant.time() == Time::midnight());
        let (year, part, begins) = match self {
            Self::Quarter => {
                let begins = date.day() == 1 && date.month() % 3 == 1;
                (date.year(), format!("{mark}{}", (date.month() + 2) / 3), begins)
            }
            Self::Week => {
                let week = date.iso_week_date();
                (week.year(), format!("{mark}{:02}", week.week()), week.weekday() == Weekday::Monday)
            }
            Self::Month if month_of(parts.part).is_some() => {
                (date.year(), month_like(parts.part, date.month()), date.day() == 1)
            }
            Self::Month => (date.year(), format!("{mark}{:02}", date.month()), date.day() == 1),
        };
        let written = like.replacen(parts.year, &format!("{year:04}"), 1).replacen(parts.part, &part, 1);
        (begins && is_midnight).then_some(written)
    }
}

/// The number of so many digits behind this letter.
fn numbered(part: &str, letter: char, digits: usize) -> Option<i8> {
    let number = part.strip_prefix([letter, letter.to_ascii_uppercase()])?;
    short(number).filter(|_| number.len() == digits)
}
