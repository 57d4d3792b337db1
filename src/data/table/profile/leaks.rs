//! Columns that tell the target: the same values, or values that alone predict it nearly perfectly.

use rustc_hash::FxHashMap;

use super::{ColumnProfile, Row};
use crate::data::table::Opened;
use crate::data::table::options::ColumnKind;
use crate::error::Result;

/// The rows that are read.
const ROWS: usize = 20_000;
/// Fewer rows than this prove nothing.
const LEAST: usize = 60;
/// Of the rows whose class a column alone has to tell, and of the variance of numbers.
const ACCURACY: f64 = 0.995;
const EXPLAINED: f64 = 0.999;
/// Of the variance of the numbers without the most extreme ones: a single one may make nearly all of the variance.
const USUAL_EXPLAINED: f64 = 0.99;
/// The fraction of the numbers at each end that are extreme.
const EXTREME: f64 = 0.01;

/// Of the errors of guessing the most frequent class, which are few where the others are rare, at most this fraction is
/// left; and fewer rows of other classes than this prove nothing.
const ERRORS_LEFT: f64 = 0.1;
const LEAST_OTHERS: usize = 5;

/// A column that tells the target.
#[derive(Debug, Clone, PartialEq)]
pub struct Leak {
    /// The column.
    pub column: String,
    /// Whether its values are those of the target; else it predicts them.
    pub is_equal: bool,
    /// Of the rows the fraction whose class it predicts, or of the variance the fraction that it explains.
    pub score: f64,
}

/// The cells of a column as numbers: their own, or one for each name.
#[derive(Default)]
struct Numbered {
    values: Vec<f64>,
    names: FxHashMap<String, u32>,
    are_names: bool,
}

/// The columns that tell the target.
pub(super) fn find(
    table: &Opened,
    columns: &[ColumnProfile],
    target: &str,
    classes: bool,
) -> Result<Vec<Leak>> {
    let Some(place) = columns.iter().position(|column| column.name == target) else { return Ok(Vec::new()) };
    let are_names = |column: &ColumnProfile| column.numbers.is_none() && column.kind != ColumnKind::Date;
    let new = |column| Numbered { are_names: are_names(column), ..Numbered::default() };
    let mut all: Vec<Numbered> = columns.iter().map(new).collect();
    all[place].are_names |= classes;
    let mut equal = vec![true; columns.len()];
    let (mut records, mut row, mut rows) = (table.records()?, Row::default(), 0);
    while rows < ROWS && records.next(&mut row)? {
        let own = row.value(place).name();
        for (index, column) in all.iter_mut().enumerate() {
            let value = row.value(index);
            equal[index] = equal[index] && value.name() == own;
            column.add(if column.are_names { None } else { value.number() }, || value.name());
        }
        rows += 1;
    }
    if rows < LEAST {
        return Ok(Vec::new());
    }
    let ys = &all[place].values;
    let found = columns
        .iter()
        .enumerate()
        .filter(|(index, column)| *index != place && (column.kind != ColumnKind::Ignore || equal[*index]));
    let leak = |(index, column): (usize, &ColumnProfile)| {
        let own = &all[index];
        let Judged { score, is_leak } = if classes { accuracy(own, ys) } else { explained(own, ys) };
        let is_equal = equal[index];
        (is_equal || is_leak).then(|| Leak { column: column.name.clone(), is_equal, score })
    };
    Ok(found.filter_map(leak).collect())
}

impl Numbered {
    fn add(&mut self, number: Option<f64>, name: impl Fn() -> Option<String>) {
        let value = match (number, self.are_names) {
            (Some(number), _) => number,
            (None, true) => name().map_or(f64::NAN, |name| {
                let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
                f64::from(*self.names.entry(name).or_insert(next))
            }),
            (None, false) => f64::NAN,
        };
        self.values.push(value);
    }

    /// For each odd row the even rows of the same value, or of the nearest where the values are numbers.
    fn neighbours(&self) -> Vec<Vec<usize>> {
        let mut even: Vec<usize> =
            (0..self.values.len()).step_by(2).filter(|row| !self.values[*row].is_nan()).collect();
        even.sort_by(|a, b| self.values[*a].total_cmp(&self.values[*b]));
        #[allow(clippy::float_cmp, reason = "the same cell")]
        let groups: Vec<&[usize]> = even.chunk_by(|a, b| self.values[*a] == self.values[*b]).collect();
        let value = |group: &[usize]| self.values[group[0]];
        let near = |x: f64| {
            let behind = groups.partition_point(|group| value(group) < x);
            let candidates = [behind.checked_sub(1), Some(behind).filter(|place| *place < groups.len())];
            let far = |place: &usize| (value(groups[*place]) - x).abs();
            let nearest = candidates.into_iter().flatten().min_by(|a, b| far(a).total_cmp(&far(b)));
            nearest.filter(|place| !self.are_names || far(place) == 0.0).map(|place| groups[place].to_vec())
        };
        (1..self.values.len()).step_by(2).map(|row| near(self.values[row]).unwrap_or_default()).collect()
    }
}

/// How well a column alone predicts the target.
struct Judged {
    score: f64,
    is_leak: bool,
}

/// The fraction of the odd rows whose class is the most frequent one among their neighbours.
#[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "counts of rows, and numbers of names")]
fn accuracy(column: &Numbered, ys: &[f64]) -> Judged {
    let most = |rows: &[usize]| {
        let mut classes: Vec<f64> = rows.iter().map(|row| ys[*row]).collect();
        classes.sort_by(f64::total_cmp);
        classes.chunk_by(|a, b| a == b).max_by_key(|same| same.len()).map(|same| same[0])
    };
    let common = most(&(0..ys.len()).collect::<Vec<_>>());
    let (mut wrong, mut others, mut rows) = (0usize, 0usize, 0usize);
    for (row, neighbours) in (1..ys.len()).step_by(2).zip(column.neighbours()) {
        wrong += usize::from(most(&neighbours).or(common) != Some(ys[row]));
        others += usize::from(common != Some(ys[row]));
        rows += 1;
    }
    let score = 1.0 - wrong as f64 / rows.max(1) as f64;
    let leaves_few = others >= LEAST_OTHERS && wrong as f64 <= ERRORS_LEFT * others as f64;
    Judged { score, is_leak: score >= ACCURACY && leaves_few }
}

/// The fraction of the variance that a column explains, of all rows and of those without extreme targets.
fn explained(column: &Numbered, ys: &[f64]) -> Judged {
    let score = fraction_explained(column, ys);
    let is_usual = usual(ys);
    let kept = |values: &[f64]| {
        values.iter().zip(&is_usual).filter(|(_, kept)| **kept).map(|(value, _)| *value).collect()
    };
    let others =
        Numbered { values: kept(&column.values), are_names: column.are_names, ..Numbered::default() };
    let is_leak = score >= EXPLAINED && fraction_explained(&others, &kept(ys)) >= USUAL_EXPLAINED;
    Judged { score, is_leak }
}

/// Whether each number is none of the most extreme ones.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of rows"
)]
fn usual(ys: &[f64]) -> Vec<bool> {
    let mut sorted = ys.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let left_out = (EXTREME * ys.len() as f64).ceil() as usize;
    let (low, high) = (sorted[left_out], sorted[sorted.len() - 1 - left_out]);
    ys.iter().map(|y| (low..=high).contains(y)).collect()
}

/// The fraction of the variance of the odd rows that the mean of their neighbours explains, or a straight line that of all rows.
#[allow(clippy::cast_precision_loss, reason = "counts of rows")]
fn fraction_explained(column: &Numbered, ys: &[f64]) -> f64 {
    let mean = ys.iter().sum::<f64>() / ys.len().max(1) as f64;
    let (mut error, mut spread) = (0.0, 0.0);
    for (row, neighbours) in (1..ys.len()).step_by(2).zip(column.neighbours()) {
        let sum: f64 = neighbours.iter().map(|row| ys[*row]).sum();
        let guess = if neighbours.is_empty() { mean } else { sum / neighbours.len() as f64 };
        error += (ys[row] - guess).powi(2);
        spread += (ys[row] - mean).powi(2);
    }
    let nearest = if spread > 0.0 { 1.0 - error / spread } else { 0.0 };
    if column.are_names { nearest } else { nearest.max(linear(&column.values, ys)) }
}

/// The fraction of the variance that a straight line explains; 0 where a value is missing.
#[allow(clippy::cast_precision_loss, reason = "counts of rows")]
fn linear(xs: &[f64], ys: &[f64]) -> f64 {
    let count = ys.len().max(1) as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (x, y) = (mean(xs), mean(ys));
    let product = |a: &[f64], b: &[f64], x: f64, y: f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| (a - x) * (b - y)).sum()
    };
    let (own, both, of_target) = (product(xs, xs, x, x), product(xs, ys, x, y), product(ys, ys, y, y));
    let score = both * both / (own * of_target);
    if score.is_finite() { score } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(values: impl Iterator<Item = f64>, are_names: bool) -> Numbered {
        Numbered { values: values.collect(), are_names, ..Numbered::default() }
    }

    #[test]
    fn a_column_that_tells_the_target_is_told_from_one_that_helps() {
        let noise = |i: usize| f64::from(u32::try_from(i * 7919 % 101).unwrap());
        // Of another period, so that neither tells the other.
        let other = |i: usize| f64::from(u32::try_from(i * i * 31 % 97).unwrap());
        let ys: Vec<f64> = (0..400).map(|i| noise(i) * other(i)).collect();
        let twice = column(ys.iter().map(|y| 2.0 * y + 1.0), false);
        assert!(explained(&twice, &ys).is_leak);
        let part = column((0..400).map(noise), false);
        assert!(!explained(&part, &ys).is_leak);
        // One extreme row, which both have, makes nearly all of the variance.
        let with_one = |values: &[f64]| -> Vec<f64> { values.iter().copied().chain([1e9]).collect() };
        let outlier = column(with_one(&part.values).into_iter(), false);
        assert!(explained(&outlier, &with_one(&ys)).score > EXPLAINED);
        assert!(!explained(&outlier, &with_one(&ys)).is_leak);
        assert!(explained(&column(with_one(&twice.values).into_iter(), false), &with_one(&ys)).is_leak);
        let classes: Vec<f64> = (0..400).map(|i| f64::from(u8::from(noise(i) > 50.0))).collect();
        assert!(accuracy(&column((0..400).map(noise), false), &classes).is_leak);
        assert!(!accuracy(&column((0..400).map(other), false), &classes).is_leak);
        // Names that never repeat tell nothing, nor does anything where hardly a row is of another class.
        assert!(!accuracy(&column((0..400).map(f64::from), true), &classes).is_leak);
        let rare: Vec<f64> = (0..400).map(|i| f64::from(u8::from(i % 100 == 0))).collect();
        assert!(!accuracy(&column((0..400).map(noise), false), &rare).is_leak);
    }

    #[test]
    fn a_column_that_tells_a_rare_class_is_told_from_ids() {
        // 63 of 5 000 rows are of the rare class.
        let is_rare = |i: usize| i % 79 == 1 && i < 79 * 63;
        let rare: Vec<f64> = (0..5000).map(|i| f64::from(u8::from(is_rare(i)))).collect();
        assert!((rare.iter().sum::<f64>() - 63.0).abs() < 0.5);
        let number = |i: usize| f64::from(u32::try_from(i).unwrap());
        let status = |i: usize| f64::from(u8::from(is_rare(i)));
        let amount = |i: usize| number(i * 7919 % 5003) + if is_rare(i) { 6000.0 } else { 0.0 };
        assert!(accuracy(&column((0..5000).map(status), true), &rare).is_leak);
        assert!(accuracy(&column((0..5000).map(amount), false), &rare).is_leak);
        // One of five rare rows cannot be told.
        let hint = |i: usize| f64::from(u8::from(is_rare(i) && !i.is_multiple_of(5)));
        assert!(!accuracy(&column((0..5000).map(hint), true), &rare).is_leak);
        for are_names in [false, true] {
            assert!(!accuracy(&column((0..5000).map(number), are_names), &rare).is_leak);
            let mixed = column((0..5000).map(|i| number(i * 7919 % 5003)), are_names);
            assert!(!accuracy(&mixed, &rare).is_leak);
        }
    }
}
