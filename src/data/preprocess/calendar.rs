//! Features of the calendar: the place of a time on the circle of a day, a week or a year.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::data::table::dates;
use crate::error::{Error, Result};

/// A circle that times go round, as the sine and the cosine of the place on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CalendarPart {
    /// The time of the day: 2π · hour / 24, with minutes and seconds.
    Hour,
    /// The day of the week: 2π · day / 7, with Monday as day 0.
    Weekday,
    /// The month of the year: 2π · (month − 1) / 12.
    Month,
}

impl CalendarPart {
    /// Checks the value of `data.calendar`.
    ///
    /// # Errors
    /// A part that it has twice.
    pub(in crate::data) fn check(parts: &[Self]) -> Result<()> {
        match parts.iter().enumerate().find(|(place, part)| parts[..*place].contains(part)) {
            Some((_, twice)) => Err(Error::key("data.calendar", format!("has \"{}\" twice", twice.name()))),
            None => Ok(()),
        }
    }

    /// Its name in a config.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Weekday => "weekday",
            Self::Month => "month",
        }
    }

    /// Sine and cosine of a time in days since 1970-01-01; nothing of one that no calendar has.
    pub(super) fn features(self, days: f64) -> Option<[f64; 2]> {
        let instant = dates::datetime(days)?;
        let turns = match self {
            Self::Hour => {
                let time = instant.time();
                let seconds =
                    3600 * i32::from(time.hour()) + 60 * i32::from(time.minute()) + i32::from(time.second());
                f64::from(seconds) / dates::SECONDS_A_DAY
            }
            Self::Weekday => f64::from(instant.weekday().to_monday_zero_offset()) / 7.0,
            Self::Month => f64::from(instant.month() - 1) / 12.0,
        };
        let angle = std::f64::consts::TAU * turns;
        Some([angle.sin(), angle.cos()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::table::DateForm;

    /// numpy.sin and numpy.cos of 2π · hour / 24, weekday / 7 and (month − 1) / 12 of pandas' `Timestamp`.
    #[test]
    fn the_features_are_those_of_pandas_dates() {
        for (text, part, expected) in [
            ("2024-02-29T06:00:00", CalendarPart::Hour, [1.0, 0.0]),
            ("2024-02-29T21:30:00", CalendarPart::Hour, [-0.608_761_429, 0.793_353_340]),
            ("2024-02-29T06:00:00", CalendarPart::Weekday, [0.433_883_739, -0.900_968_868]),
            ("1969-12-29", CalendarPart::Weekday, [0.0, 1.0]),
            ("2024-02-29", CalendarPart::Month, [0.5, 0.866_025_404]),
            ("2024-12-01", CalendarPart::Month, [-0.5, 0.866_025_404]),
        ] {
            let own = part.features(DateForm::Iso.days(text).unwrap()).unwrap();
            assert!(
                own.iter().zip(expected).all(|(own, other)| (own - other).abs() < 1e-9),
                "{text}: {own:?}"
            );
        }
        assert_eq!(CalendarPart::Hour.features(1e12), None);
    }
}
