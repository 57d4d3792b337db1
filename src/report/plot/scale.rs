//! Scales: from values to coordinates.

use crate::report::numbers::{short_exponent, tick};

/// Larger values would overflow on the way, smaller ones underflow.
const LARGEST: f64 = 1e300;
const SMALLEST: f64 = 1e-300;

/// A value's place along an axis, linear or by its logarithm.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    /// Whether `low` and `high` are logarithms to the base 10.
    pub(super) log: bool,
    pub(super) low: f64,
    pub(super) high: f64,
    /// The places of `low` and `high`.
    pub(super) from: f64,
    pub(super) to: f64,
    /// Whether it counts: epochs, updates, samples. Then there is no tick between two of them.
    pub(super) whole: bool,
}

impl Scale {
    /// A scale over all values that can be drawn, with a margin as a share of their range; 0 … 1 where there are none.
    pub(super) fn over(values: impl Iterator<Item = f64>, log: bool, margin: f64) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter_map(|value| drawn(value, log)) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        if high - low <= 1e-9 * high.abs().max(low.abs()) {
            let room = if log || low == 0.0 { 0.5 } else { low.abs() * 0.1 };
            (low, high) = (low - room, high + room);
        }
        let room = (high - low) * margin;
        // Amounts that come near 0 are seen best with it.
        let floor = if !log && low >= 0.0 && low < 0.25 * high { 0.0 } else { low - room };
        Self {
            log,
            low: if margin > 0.0 { floor } else { low },
            high: high + room,
            from: 0.0,
            to: 1.0,
            whole: false,
        }
    }

    /// The scale laid between two places.
    pub(super) fn between(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    /// The scale of counts.
    pub(super) fn of_counts(self, whole: bool) -> Self {
        Self { whole, ..self }
    }

    /// The position of a value; `None` if it cannot be drawn.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let share = (drawn(value, self.log)? - self.low) / (self.high - self.low);
        Some(self.from + share * (self.to - self.from))
    }

    /// About `most` round values, each with its place and label.
    pub(super) fn ticks(&self, most: u32) -> Vec<(f64, String)> {
        let decades = if self.log { self.decades(most) } else { Vec::new() };
        if decades.len() >= 2 {
            return decades;
        }
        let value = |at: f64| if self.log { 10_f64.powf(at) } else { at };
        let (low, high) = (value(self.low), value(self.high));
        let step = round_step((high - low) / f64::from(most));
        let step = if self.whole { step.max(1.0) } else { step };
        let first = (low / step - 1e-9).ceil();
        (0..most * 3)
            .map(|index| (first + f64::from(index)) * step)
            .take_while(|at| *at <= high + step * 1e-9)
            .filter_map(|at| Some((self.place(at).or_else(|| (at == 0.0).then_some(self.from))?, at)))
            .map(|(place, at)| (place, tick(at, step, high.abs().max(low.abs()))))
            .collect()
    }

    /// Powers of ten, or 1, 2, 5 of each where few are in sight.
    fn decades(&self, most: u32) -> Vec<(f64, String)> {
        let (low, high) = (self.low.ceil(), self.high.floor());
        let every = ((high - low) / f64::from(most)).ceil().max(1.0);
        let factors: &[f64] = if high - low < 3.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut ticks = Vec::new();
        let mut decade = low - 1.0;
        while decade <= high + 1.0 {
            for factor in factors {
                let at = decade + factor.log10();
                let wanted = factors.len() > 1 || ((decade - low) % every).abs() < 0.5;
                if wanted && (self.low..=self.high).contains(&at) {
                    let share = (at - self.low) / (self.high - self.low);
                    ticks.push((self.from + share * (self.to - self.from), power(*factor, decade)));
                }
            }
            decade += 1.0;
        }
        ticks
    }
}

/// A value as it is laid along the axis.
fn drawn(value: f64, log: bool) -> Option<f64> {
    match log {
        _ if !value.is_finite() || value.abs() > LARGEST => None,
        true if value < SMALLEST => None,
        true => Some(value.log10()),
        false if value.abs() < SMALLEST => Some(0.0),
        false => Some(value),
    }
}

/// The next of 1, 2, 5, 10, … times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= least)
        .unwrap_or(least)
}

fn power(factor: f64, decade: f64) -> String {
    let value = factor * 10_f64.powf(decade);
    if (-3.0..5.0).contains(&decade) { tick(value, value, 1.0) } else { short_exponent(value, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], log: bool, margin: f64) -> Vec<String> {
        let ticks = Scale::over(values.iter().copied(), log, margin).between(0.0, 100.0).ticks(5);
        assert!(ticks.windows(2).all(|pair| pair[0].0 < pair[1].0), "{ticks:?}");
        assert!(ticks.iter().all(|(place, _)| (-1e-6..=100.000_001).contains(place)), "{ticks:?}");
        ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&[0.0, 10.0], false, 0.0), ["0", "2", "4", "6", "8", "10"]);
        assert_eq!(labels(&[-1.0, 1.0], false, 0.0), ["−1.0", "−0.5", "0", "0.5", "1.0"]);
        assert_eq!(labels(&[1e-4, 1.0], true, 0.0), ["1e-4", "0.001", "0.01", "0.1", "1"]);
        assert_eq!(labels(&[1.0, 10.0], true, 0.0), ["1", "2", "5", "10"]);
        // Less than a factor of two: as on a linear axis.
        assert_eq!(labels(&[1.0, 1.5], true, 0.0), ["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"]);
    }

    #[test]
    fn ticks_differ_whatever_the_range() {
        let ranges = [
            (1.1e-3, 1.14e-3),
            (9.985e-4, 1e-3),
            (1e9, 1e9 + 1.0),
            (0.5, 0.500_01),
            (3e-5, 9e-5),
            (1e15, 1.01e15),
        ];
        for (low, high) in ranges {
            for log in [false, true] {
                let labels = labels(&[low, high], log, 0.0);
                assert!(labels.windows(2).all(|pair| pair[0] != pair[1]), "{low} to {high}: {labels:?}");
            }
        }
    }

    #[test]
    fn epochs_are_whole() {
        let labels = |last: f64| -> Vec<String> {
            let scale = Scale::over([1.0, last].into_iter(), false, 0.0).of_counts(true).between(0.0, 100.0);
            scale.ticks(6).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(3.0), ["1", "2", "3"]);
        assert_eq!(labels(2.0), ["1", "2"]);
        assert_eq!(labels(1.0), ["1"]);
        assert_eq!(labels(12.0), ["2", "4", "6", "8", "10", "12"]);
    }

    #[test]
    fn no_values_break_a_scale() {
        let odd =
            [f64::NAN, f64::INFINITY, f64::MAX, -f64::MAX, 0.0, 5e-324, 1e299, -1e299, 1.0, 1.0 + 2e-16];
        for (first, second) in odd.iter().flat_map(|a| odd.iter().map(move |b| (*a, *b))) {
            for log in [false, true] {
                let scale = Scale::over([first, second].into_iter(), log, 0.05).between(10.0, 90.0);
                assert!(scale.low < scale.high, "{scale:?}");
                assert!(scale.ticks(5).len() <= 15);
                for place in [first, second].into_iter().filter_map(|value| scale.place(value)) {
                    assert!((9.999..90.001).contains(&place), "{first} {second} {log}: {place}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_has_no_place() {
        let scale = Scale::over([1.0, 2.0].into_iter(), true, 0.0);
        assert_eq!([scale.place(0.0), scale.place(-1.0), scale.place(f64::NAN)], [None; 3]);
    }
}
