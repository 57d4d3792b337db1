//! Numbers that stand for a missing cell, such as -999 or 9999, by their digits and their distance from all others.

use super::surveyed::Surveyed;
use crate::data::table::row::Cells;
use crate::error::Result;

/// A number that stands for a missing cell in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentinel {
    /// The column.
    pub column: String,
    /// The number as a file writes it.
    pub text: String,
    /// Its rows.
    pub rows: u64,
    /// Whether it is an amount in another column or in a target, so that `na_values`, which are of all columns, cannot have it.
    pub is_shared: bool,
}

/// A column whose smallest or largest number may be one.
struct Candidate {
    index: usize,
    /// The numbers that may be.
    numbers: Vec<f64>,
    /// Their rows.
    rows: Vec<u64>,
    /// The least and the largest of the other numbers.
    others: [f64; 2],
}

impl Candidate {
    fn see(&mut self, number: f64) {
        match self.numbers.iter().position(|own| is_same(*own, number)) {
            Some(place) => self.rows[place] += 1,
            None => self.others = [self.others[0].min(number), self.others[1].max(number)],
        }
    }

    /// The numbers that lie far from all others, with their rows.
    fn far(&self) -> impl Iterator<Item = (f64, u64)> {
        let largest = self.others[0].abs().max(self.others[1].abs());
        let is_far =
            move |number: f64| largest.is_finite() && number.abs() > least_ratio(number) * largest.max(0.5);
        self.numbers.iter().copied().zip(self.rows.iter().copied()).filter(move |(number, _)| is_far(*number))
    }
}

/// The numbers of a file that stand for missing cells, but for those of targets.
pub(super) fn find(found: &Surveyed, targets: &[String]) -> Result<Vec<Sentinel>> {
    let mut candidates = candidates(found, targets);
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    for_each_number(found, |column, number| {
        if let Some(candidate) = candidates.iter_mut().find(|candidate| candidate.index == column) {
            candidate.see(number);
        }
    })?;
    let far = candidates.iter().flat_map(|own| own.far().map(|(number, rows)| (own.index, number, rows)));
    let far: Vec<(usize, f64, u64)> = far.collect();
    let mut shared = Vec::new();
    for_each_number(found, |column, number| {
        let mut same = far.iter().filter(|(_, own, _)| is_same(*own, number)).peekable();
        if same.peek().is_some() && !same.any(|(index, ..)| *index == column) {
            shared.push(number);
        }
    })?;
    let sentinel = |(index, number, rows): (usize, f64, u64)| Sentinel {
        column: found.table.columns()[index].clone(),
        text: number.to_string(),
        rows,
        is_shared: shared.iter().any(|own| is_same(*own, number)),
    };
    Ok(far.into_iter().map(sentinel).collect())
}

/// The columns of numbers that are no targets and whose smallest or largest number looks like a code.
fn candidates(found: &Surveyed, targets: &[String]) -> Vec<Candidate> {
    let columns = found.table.columns().iter().zip(&found.survey.columns).enumerate();
    let columns = columns
        .filter(|(_, (name, column))| !targets.contains(name) && column.numbers.are_all_of(column.present));
    columns
        .filter_map(|(index, (_, column))| {
            let outer = [column.numbers.min, column.numbers.max];
            let numbers: Vec<f64> = outer.into_iter().filter(|number| is_code(*number)).collect();
            let (rows, others) = (vec![0; numbers.len()], [f64::INFINITY, f64::NEG_INFINITY]);
            (!numbers.is_empty()).then_some(Candidate { index, numbers, rows, others })
        })
        .collect()
}

/// Calls `see` with the column of every number in the rows that were looked at, and the number.
fn for_each_number(found: &Surveyed, mut see: impl FnMut(usize, f64)) -> Result<()> {
    let (mut batches, mut rows) = (found.table.batches()?, 0);
    while let Some(batch) = batches.next()? {
        for row in batch.rows() {
            let numbers = (0..found.table.columns().len()).map(|column| row.value(column).number());
            (0..)
                .zip(numbers)
                .for_each(|(column, number)| number.into_iter().for_each(|own| see(column, own)));
        }
        rows += batch.rows().len() as u64;
        if rows >= found.rows {
            break;
        }
    }
    Ok(())
}

/// Whether people write a number for a missing one: two nines or more and nothing else, 666, 777 or 888, or a hundred thousand
/// or more with zeros alone behind the 1; nines that single precision has rounded, too.
fn is_code(number: f64) -> bool {
    let size = number.abs();
    let is_run = |digit: char, least: usize| {
        let text = size.trunc().to_string();
        text.len() >= least && text.chars().all(|own| own == digit)
    };
    let is_whole = size.fract() == 0.0;
    is_run('9', if is_whole { 2 } else { 5 })
        || (is_whole && ['6', '7', '8'].into_iter().any(|digit| is_run(digit, 3)))
        || is_power(size)
}

/// Whether it is a power of ten, from a hundred thousand on.
fn is_power(size: f64) -> bool {
    size >= 1e5 && size.log10().fract() == 0.0
}

/// How many times as large as all others a number is at least that stands for a missing one. A power of ten may be an amount.
fn least_ratio(number: f64) -> f64 {
    if is_power(number.abs()) { 100.0 } else { 10.0 }
}

#[allow(clippy::float_cmp, reason = "a number that is written in a file")]
fn is_same(a: f64, b: f64) -> bool {
    a == b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_by_their_digits() {
        for code in [99.0, -999.0, 9999.0, 666.0, 888.0, -777.0, 999_999.375, 99_999.9, 1e5, 1e6, -1e6] {
            assert!(is_code(code), "{code}");
        }
        for other in [9.0, -1.0, 0.0, 66.0, 998.0, 99.5, 1000.0, 10_000.0, 123.0, 100_001.0, 990.0] {
            assert!(!is_code(other), "{other}");
        }
    }

    #[test]
    fn a_code_is_far_from_all_others() {
        let far = |number: f64, others: &[f64]| {
            let [min, max] = [f64::INFINITY, f64::NEG_INFINITY];
            let mut candidate =
                Candidate { index: 0, numbers: vec![number], rows: vec![0], others: [min, max] };
            others.iter().chain([&number, &number]).for_each(|other| candidate.see(*other));
            candidate.far().collect::<Vec<_>>()
        };
        assert_eq!(far(666.0, &[0.0, 1.0]), [(666.0, 2)]);
        assert_eq!(far(-999.0, &[-20.5, 41.0]), [(-999.0, 2)]);
        assert!(far(99.0, &[18.0, 97.0]).is_empty());
        assert!(far(999.0, &[0.0, 130.0]).is_empty());
        assert!(far(1e6, &[0.0, 20_000.0]).is_empty());
        assert_eq!(far(1e6, &[0.0, 8650.0]), [(1e6, 2)]);
        // Nothing but the number: there is nothing that it is far from.
        assert!(far(999.0, &[]).is_empty());
    }
}
