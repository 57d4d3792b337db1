//! The order of a series' rows.

use serde::{Deserialize, Serialize};

use crate::data::table::dates::DateForm;

/// The most months from a row to the next: the years that dates have.
const MOST_MONTHS: i64 = 12 * 9999;

/// The order of a series' rows, as fitted on the training rows. By default rows are in the order of the file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesOrder {
    /// The column of the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The time from a row to the next: in days for dates, else in the column's own unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<f64>,
    /// The rule that dates follow, where they are no fixed length apart: pandas' `freq`. Earlier runs have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frequency: Option<CalendarStep>,
    /// Whether the rows that were trained on are not evenly spaced: rows of any step continue them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uneven: bool,
    /// The most rows that may be missing between two consecutive rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_gap: Option<usize>,
    /// The form of its dates, where it has dates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<DateForm>,
    /// The number of rows of a season, where one was found or set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub season_length: Option<usize>,
    /// The columns that tell several series apart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub group: Vec<String>,
    /// Whether rows are sorted by time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub sort: bool,
    /// The rule that fills missing cells from the rows around them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fill: Option<Fill>,
}

/// The rule by which dates follow each other where they are no fixed length apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CalendarStep {
    /// The days of the week that have rows, from Monday on: pandas' `CustomBusinessDay(weekmask=…)`.
    Weekdays([bool; 7]),
    /// Whole months.
    Months {
        /// The months from a row to the next.
        count: i64,
        /// The day of the month.
        day: MonthDay,
    },
}

/// The day of a month that dates fall on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MonthDay {
    /// This one; in shorter months the last.
    Number(i8),
    /// The first from Monday to Friday.
    FirstWeekday,
    /// The last from Monday to Friday.
    LastWeekday,
}

/// A rule that fills a missing cell from the rows around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// With the last value before it: pandas' `ffill`.
    Previous,
    /// Between the values around it, linear in time; after the last value with that value, as pandas' `interpolate`
    /// does.
    Interpolate,
}

impl SeriesOrder {
    /// Checks that rows can follow each other by it.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(step) = self.step.filter(|step| !step.is_finite() || *step <= 0.0) {
            return Err(format!("its rows are {step} apart"));
        }
        match self.frequency {
            Some(CalendarStep::Weekdays(week)) if !week.contains(&true) => {
                Err("its rows are on no day of the week".to_owned())
            }
            Some(CalendarStep::Months { count, .. }) if !(1..=MOST_MONTHS).contains(&count) => {
                Err(format!("its rows are {count} months apart"))
            }
            Some(CalendarStep::Months { day: MonthDay::Number(day), .. }) if !(1..=31).contains(&day) => {
                Err(format!("its rows are on day {day} of a month"))
            }
            _ => Ok(()),
        }
    }

    /// Whether rows follow each other as they stand in the file.
    pub(super) fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}
