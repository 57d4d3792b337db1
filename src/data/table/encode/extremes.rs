//! The outermost numbers of training rows: one that lies absurdly far from all others makes them one to a network.

use crate::data::table::shown::ShownCell;

/// A number is absurd where it is this many times as far from its nearest neighbour as all others lie apart. Of a million
/// log-normally distributed numbers the largest lies nearer to the next than that to the smallest.
const ABSURD: f64 = 1e3;
/// Numbers that lie closer together than this fraction of the absurd one are the same but for rounding.
const ROUNDING: f64 = 1e-13;
/// Of fewer numbers none is told to be absurd.
const FEW: u64 = 20;

/// A number of a training row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OuterNumber {
    number: f64,
    pub(super) cell: ShownCell,
}

/// The two largest numbers of training rows, and the two smallest.
#[derive(Debug, Clone)]
pub(super) struct Extremes {
    rows: u64,
    /// Numbers from the second smallest to the second largest change nothing.
    usual: [f64; 2],
    /// The largest, and the next.
    high: [Option<OuterNumber>; 2],
    /// The smallest, and the next.
    low: [Option<OuterNumber>; 2],
}

impl Default for Extremes {
    fn default() -> Self {
        let none = [const { None }; 2];
        Self { rows: 0, usual: [f64::INFINITY, f64::NEG_INFINITY], high: none.clone(), low: none }
    }
}

impl Extremes {
    /// Takes in a number, of this cell; nothing where the cell is missing and the number stands for it.
    #[inline]
    pub(super) fn see(&mut self, number: f64, cell: impl FnOnce() -> Option<ShownCell>) {
        self.rows += 1;
        if (number < self.usual[0] || number > self.usual[1])
            && let Some(cell) = cell()
        {
            self.insert(&OuterNumber { number, cell });
        }
    }

    #[cold]
    fn insert(&mut self, new: &OuterNumber) {
        for (of, sign) in [(&mut self.high, 1.0), (&mut self.low, -1.0)] {
            insert(of, sign, new.clone());
        }
        self.renew_usual();
    }

    fn renew_usual(&mut self) {
        if let ([_, Some(high)], [_, Some(low)]) = (&self.high, &self.low) {
            self.usual = [low.number, high.number];
        }
    }

    /// Takes in those of other rows.
    pub(super) fn join(&mut self, other: Self) {
        self.rows += other.rows;
        let sides = [(&mut self.high, other.high, 1.0), (&mut self.low, other.low, -1.0)];
        for (of, more, sign) in sides {
            more.into_iter().flatten().for_each(|own| insert(of, sign, own));
        }
        self.renew_usual();
    }

    /// The number that lies absurdly far from all others, if there is one.
    pub(super) fn absurd(&self) -> Option<&OuterNumber> {
        let ([Some(highest), Some(high)], [Some(lowest), Some(low)]) = (&self.high, &self.low) else {
            return None;
        };
        let is_absurd = |outer: &OuterNumber, next: &OuterNumber, last: &OuterNumber| {
            let apart = (next.number - last.number).abs();
            // Differences of rounding are none.
            apart > ROUNDING * outer.number.abs() && (outer.number - next.number).abs() > ABSURD * apart
        };
        if self.rows < FEW {
            return None;
        }
        [(highest, high, lowest), (lowest, low, highest)]
            .into_iter()
            .find(|(outer, next, last)| is_absurd(outer, next, last))
            .map(|(outer, _, _)| outer)
    }
}

/// Puts a number in its place among the two that are outermost in the direction of `sign`.
fn insert(of: &mut [Option<OuterNumber>; 2], sign: f64, new: OuterNumber) {
    let is_beyond =
        |own: &Option<OuterNumber>| own.as_ref().is_none_or(|own| sign * new.number > sign * own.number);
    if is_beyond(&of[0]) {
        of[1] = of[0].replace(new);
    } else if is_beyond(&of[1]) {
        of[1] = Some(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(numbers: impl IntoIterator<Item = f64>) -> Extremes {
        let mut extremes = Extremes::default();
        (2u64..).zip(numbers).for_each(|(line, number)| {
            extremes.see(number, || Some(ShownCell { line, text: String::new() }));
        });
        extremes
    }

    #[test]
    fn a_number_far_from_all_others_is_found_on_either_side_and_in_any_block() {
        let usual = || (0..100u8).map(f64::from);
        assert_eq!(seen(usual()).absurd(), None);
        for (absurd, is_found) in [(1e6, true), (-1e6, true), (5e4, false), (-5e4, false)] {
            let all = seen(usual().chain([absurd]).chain(usual()));
            assert_eq!(all.absurd().map(|own| own.cell.line), is_found.then_some(102), "{absurd}");
            let mut joined = seen(usual());
            joined.join(seen([absurd]));
            assert_eq!(joined.absurd().is_some(), is_found, "{absurd}");
        }
    }

    #[test]
    fn a_rare_flag_and_few_numbers_are_not_absurd() {
        assert_eq!(seen(std::iter::repeat_n(0.0, 500).chain([1.0])).absurd(), None);
        assert_eq!(seen([1.0, 2.0, 1e9]).absurd(), None);
    }
}
