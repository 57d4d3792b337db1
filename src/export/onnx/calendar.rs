//! The places of times in the calendar, as nodes: the proleptic Gregorian calendar in whole numbers of f64, by Howard Hinnant's
//! `civil_from_days`, <https://howardhinnant.github.io/date_algorithms.html>.

use super::graph::Graph;
use crate::data::preprocess::CalendarPart;

const SECONDS_A_DAY: f64 = 86_400.0;

/// The sine and the cosine of each of these places of times (N, …, 1) in days since 1970-01-01; NaN of NaN.
pub(super) fn places(graph: &mut Graph, days: &str, parts: &[CalendarPart]) -> Vec<String> {
    let mut numbers = Numbers { graph };
    let Instant { day, second } = numbers.instant(days);
    let mut features = Vec::new();
    for part in parts {
        let turns = match part {
            CalendarPart::Hour => numbers.with("Div", &second, SECONDS_A_DAY),
            CalendarPart::Weekday => {
                // 1970-01-01 was a Thursday.
                let since_monday = numbers.with("Add", &day, 3.0);
                let weekday = numbers.remainder(&since_monday, 7.0);
                numbers.with("Div", &weekday, 7.0)
            }
            CalendarPart::Month => {
                let month = numbers.month(&day);
                numbers.with("Div", &month, 12.0)
            }
        };
        let angle = numbers.with("Mul", &turns, std::f64::consts::TAU);
        // Not every runtime has the cosine of f64.
        let ahead = numbers.with("Add", &angle, std::f64::consts::FRAC_PI_2);
        features.extend([&angle, &ahead].map(|angle| numbers.graph.node("Sin", &[angle], &[])));
    }
    features
}

/// A time.
struct Instant {
    /// Whole days since 1970-01-01.
    day: String,
    /// Whole seconds of the day.
    second: String,
}

/// Arithmetic with constants of f64.
struct Numbers<'a> {
    graph: &'a mut Graph,
}

impl Numbers<'_> {
    /// The value of an operator of a value and a number.
    fn with(&mut self, op: &str, value: &str, number: f64) -> String {
        let number = self.graph.double("number", number);
        self.graph.node(op, &[value, &number], &[])
    }

    /// `⌊value / by⌋`
    fn quotient(&mut self, value: &str, by: f64) -> String {
        let ratio = self.with("Div", value, by);
        self.graph.node("Floor", &[&ratio], &[])
    }

    /// `value - by ⌊value / by⌋`
    fn remainder(&mut self, value: &str, by: f64) -> String {
        let quotient = self.quotient(value, by);
        let whole = self.with("Mul", &quotient, by);
        self.graph.node("Sub", &[value, &whole], &[])
    }

    /// The day and the second, of times that are exact to the microsecond.
    fn instant(&mut self, days: &str) -> Instant {
        let whole = self.graph.node("Floor", &[days], &[]);
        let fraction = self.graph.node("Sub", &[days, &whole], &[]);
        let micros = self.with("Mul", &fraction, SECONDS_A_DAY * 1e6);
        let micros = self.graph.node("Round", &[&micros], &[]);
        let seconds = self.quotient(&micros, 1e6);
        // What is rounded up to midnight is of the next day.
        let more = self.quotient(&seconds, SECONDS_A_DAY);
        let day = self.graph.node("Add", &[&whole, &more], &[]);
        Instant { day, second: self.remainder(&seconds, SECONDS_A_DAY) }
    }

    /// The month of a day, from 0.
    fn month(&mut self, day: &str) -> String {
        // Eras are 400 years, which begin in March.
        let since_era = self.with("Add", day, 719_468.0);
        let day_of_era = self.remainder(&since_era, 146_097.0);
        let mut year = day_of_era.clone();
        for (op, leap) in [("Sub", 1_460.0), ("Add", 36_524.0), ("Sub", 146_096.0)] {
            let days = self.quotient(&day_of_era, leap);
            year = self.graph.node(op, &[&year, &days], &[]);
        }
        let year = self.quotient(&year, 365.0);
        let mut day_of_year = day_of_era;
        let days = self.with("Mul", &year, 365.0);
        for (op, days) in
            [("Sub", days), ("Sub", self.quotient(&year, 4.0)), ("Add", self.quotient(&year, 100.0))]
        {
            day_of_year = self.graph.node(op, &[&day_of_year, &days], &[]);
        }
        let fifths = self.with("Mul", &day_of_year, 5.0);
        let fifths = self.with("Add", &fifths, 2.0);
        let since_march = self.quotient(&fifths, 153.0);
        let since_january = self.with("Add", &since_march, 2.0);
        self.remainder(&since_january, 12.0)
    }
}
