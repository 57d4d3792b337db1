//! Whether the whole numbers of a target are in an order that another column follows, as grades and ratings are, or number
//! classes.

use rustc_hash::FxHashMap;

use super::{ColumnProfile, Row};
use crate::data::table::Opened;
use crate::data::table::options::ColumnKind;
use crate::error::Result;
use crate::stats::real;

/// The rows that are read.
const ROWS: usize = 20_000;
/// A column of whose variance the target's numbers as classes explain less than this says nothing about their order.
const EXPLAINED: f64 = 0.1;
/// Of what they explain as classes, a straight line has to explain this fraction. Of the columns that the numbers explain
/// best, those of ratings, counts and grades had 0.94 or more, those of numbered classes 0.82 or less.
const LINEAR: f64 = 0.9;

/// Sums of a column, by the whole number that the target has in a row.
#[derive(Clone, Default)]
struct ColumnSums {
    /// Rows, and their sum of numbers, by the target's number, which is there in bits.
    by_target: FxHashMap<u64, LevelSums>,
    /// The sum of the squares of the numbers.
    squares: f64,
    /// The first number, which is subtracted from all: large numbers close together have no squares in f64.
    first: Option<f64>,
}

/// The rows of one number of the target.
#[derive(Clone, Copy, Default)]
struct LevelSums {
    rows: f64,
    sum: f64,
}

/// A number of the target, or its rank, with the rows that have it.
struct Level {
    at: f64,
    sums: LevelSums,
}

/// Whether the column of numbers that the target's numbers explain best lies along a straight line over them.
pub(super) fn follows(table: &Opened, columns: &[ColumnProfile], target: &str) -> Result<bool> {
    let Some(place) = columns.iter().position(|column| column.name == target) else { return Ok(false) };
    let is_number = |column: &ColumnProfile| column.kind == ColumnKind::Number && column.name != target;
    let mut all: Vec<Option<ColumnSums>> =
        columns.iter().map(|column| is_number(column).then(ColumnSums::default)).collect();
    let (mut records, mut row, mut rows) = (table.records()?, Row::default(), 0);
    while rows < ROWS && records.next(&mut row)? {
        rows += 1;
        let Some(level) = row.value(place).number() else { continue };
        for (index, sums) in all.iter_mut().enumerate() {
            if let (Some(sums), Some(number)) = (sums, row.value(index).number()) {
                sums.add(level, number);
            }
        }
    }
    let best =
        all.iter().flatten().map(ColumnSums::explained).max_by(|a, b| a.by_classes.total_cmp(&b.by_classes));
    Ok(best.is_some_and(|best| best.by_classes >= EXPLAINED && best.by_line >= LINEAR * best.by_classes))
}

/// The fractions of a column's variance that a target explains.
struct ExplainedVariance {
    by_classes: f64,
    by_line: f64,
}

impl ColumnSums {
    fn add(&mut self, level: f64, number: f64) {
        let number = number - *self.first.get_or_insert(number);
        let own = self.by_target.entry(level.to_bits()).or_default();
        own.rows += 1.0;
        own.sum += number;
        self.squares += number * number;
    }

    /// By a line over the target's numbers, or over their ranks where that explains more.
    fn explained(&self) -> ExplainedVariance {
        let mut levels: Vec<Level> = self
            .by_target
            .iter()
            .map(|(bits, sums)| Level { at: f64::from_bits(*bits), sums: *sums })
            .collect();
        levels.sort_unstable_by(|a, b| a.at.total_cmp(&b.at));
        let by_number = self.along(&levels);
        (0..).zip(&mut levels).for_each(|(rank, level)| level.at = real(rank));
        let by_rank = self.along(&levels);
        if by_rank.by_line > by_number.by_line { by_rank } else { by_number }
    }

    fn along(&self, levels: &[Level]) -> ExplainedVariance {
        let rows: f64 = levels.iter().map(|own| own.sums.rows).sum();
        let mean = levels.iter().map(|own| own.sums.sum).sum::<f64>() / rows;
        let center = levels.iter().map(|own| own.sums.rows * own.at).sum::<f64>() / rows;
        let total = self.squares - rows * mean * mean;
        let apart = |own: &Level| own.sums.sum / own.sums.rows - mean;
        let between: f64 = levels.iter().map(|own| own.sums.rows * apart(own).powi(2)).sum();
        let both: f64 = levels.iter().map(|own| own.sums.rows * apart(own) * (own.at - center)).sum();
        let spread: f64 = levels.iter().map(|own| own.sums.rows * (own.at - center).powi(2)).sum();
        // A column of one number, or a target of one, explains nothing.
        let fraction = |part: f64| if part.is_finite() && total > 0.0 { part } else { 0.0 };
        ExplainedVariance {
            by_classes: fraction(between / total),
            by_line: fraction(both * both / (spread * total)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(number: impl Fn(usize) -> f64) -> ExplainedVariance {
        let mut sums = ColumnSums::default();
        for row in 0..700 {
            let level = row % 7;
            // Noise that no level has more of than another.
            sums.add(real(level), number(level) + real(row / 7 % 10) / 10.0);
        }
        sums.explained()
    }

    #[test]
    fn grades_are_told_from_numbered_classes() {
        let grades = explained(|level| 3.0 * real(level) + 1.0);
        assert!(grades.by_classes > 0.99 && grades.by_line > 0.999 * grades.by_classes);
        let classes = explained(|level| [5.0, 1.0, 4.0, 6.0, 0.0, 3.0, 2.0][level]);
        assert!(classes.by_classes > 0.9 && classes.by_line < 0.5 * classes.by_classes);
        // Doses that are not evenly apart have an order, too.
        let doses = explained(|level| [0.0f64, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0][level].ln_1p());
        assert!(doses.by_line > 0.95 * doses.by_classes);
        let large = explained(|level| 1e12 + 3.0 * real(level));
        assert!(large.by_classes > 0.99 && large.by_classes <= 1.0 && large.by_line > 0.99);
        let nothing = explained(|_| 1.0);
        assert!(nothing.by_classes < 1e-9);
        assert!(ColumnSums::default().explained().by_classes.abs() < 1e-9);
    }
}
