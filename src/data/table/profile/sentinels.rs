//! Numbers that stand for a missing cell, such as -999 or 9999, by their digits and their distance from all others.

use super::column::ColumnProfile;
use super::surveyed::Surveyed;
use crate::data::table::options::ColumnKind;
use crate::data::table::row::Cells;
use crate::data::table::survey::ColumnSurvey;
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
    /// What can be done about it.
    pub remedy: Remedy,
}

impl Sentinel {
    /// Whether `na_values` has it.
    pub fn is_missing(&self) -> bool {
        matches!(self.remedy, Remedy::Missing | Remedy::MissingHere)
    }

    /// Whether it is missing in its column alone.
    pub fn is_missing_here(&self) -> bool {
        self.remedy == Remedy::MissingHere
    }
}

/// What can be done about a number that stands for a missing cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The column, of few numbers, is one of names.
    Names,
    /// `na_values` has it.
    Missing,
    /// `na_values` has it for its column alone: it may be an amount in another one.
    MissingHere,
    /// The column is a target, whose rows cannot be without one.
    Target,
}

/// The most different codes of a column.
const MOST_CODES: usize = 4;

/// A column with numbers that look like codes.
struct Candidate {
    index: usize,
    /// The codes.
    numbers: Vec<f64>,
    /// Their rows.
    rows: Vec<u64>,
    /// The least and the largest of the other numbers.
    others: [f64; 2],
    /// The other numbers, as long as they are few.
    different: Vec<f64>,
}

impl Candidate {
    fn new(index: usize) -> Self {
        let others = [f64::INFINITY, f64::NEG_INFINITY];
        Self { index, numbers: Vec::new(), rows: Vec::new(), others, different: Vec::new() }
    }

    fn see(&mut self, number: f64) {
        if let Some(place) = self.numbers.iter().position(|own| is_same(*own, number)) {
            self.rows[place] += 1;
        } else if is_code(number) && self.numbers.len() < MOST_CODES {
            self.numbers.push(number);
            self.rows.push(1);
        } else {
            self.others = [self.others[0].min(number), self.others[1].max(number)];
            if self.different.len() <= FEW && !self.different.iter().any(|own| is_same(*own, number)) {
                self.different.push(number);
            }
        }
    }

    fn has_few(&self) -> bool {
        self.different.len() + self.numbers.len() <= FEW
    }

    /// Whether a number is an amount of the column: one among the others, or a code that is not far from them.
    fn has_amount(&self, number: f64) -> bool {
        let [least, largest] = self.others;
        let is_code = self.far().any(|(code, _)| is_same(code, number));
        let is_own = self.numbers.iter().any(|own| is_same(*own, number));
        (least..=largest).contains(&number) || (is_own && !is_code)
    }

    /// The codes that lie far from all other numbers, with their rows; also the only number below 0, if several rows have it.
    fn far(&self) -> impl Iterator<Item = (f64, u64)> {
        let [least, largest] = self.others;
        let size = least.abs().max(largest.abs());
        let has_others = size.is_finite();
        let is_far = move |number: f64| number.abs() > least_ratio(number) * size.max(0.5);
        let negatives = self.numbers.iter().filter(|number| **number < 0.0).count();
        let is_below =
            move |number: f64, rows: u64| number < 0.0 && least >= 0.0 && negatives == 1 && rows > 2;
        let codes = self.numbers.iter().copied().zip(self.rows.iter().copied());
        codes.filter(move |(number, rows)| has_others && (is_far(*number) || is_below(*number, *rows)))
    }
}

/// The most different numbers of a column that becomes one of names.
const FEW: usize = 20;

/// Whether a column's smallest or largest number looks like a code.
fn has_code(column: &ColumnSurvey) -> bool {
    let numbers = &column.numbers;
    numbers.are_all_of(column.present) && (is_code(numbers.min) || is_code(numbers.max))
}

/// The numbers of a file with these columns that stand for missing cells.
pub(super) fn find(found: &Surveyed, targets: &[String], columns: &[ColumnProfile]) -> Result<Vec<Sentinel>> {
    let mut candidates = candidates(found, columns);
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    see_rows(found, &mut candidates)?;
    let search = Search { found, targets, columns, candidates };
    let codes = search.candidates.iter().flat_map(|own| own.far().map(|code| (own.index, code)));
    let sentinel = |(index, (number, rows)): (usize, (f64, u64))| Sentinel {
        column: columns[index].name.clone(),
        text: number.to_string(),
        rows,
        remedy: search.remedy(index, number),
    };
    Ok(codes.map(sentinel).collect())
}

/// The columns of numbers that are used and whose smallest or largest one looks like a code.
fn candidates(found: &Surveyed, columns: &[ColumnProfile]) -> Vec<Candidate> {
    let all = (0..).zip(&found.survey.columns).zip(columns);
    let is_candidate = |((_, column), profile): &((usize, &ColumnSurvey), &ColumnProfile)| {
        profile.kind != ColumnKind::Ignore && has_code(column)
    };
    all.filter(is_candidate).map(|((index, _), _)| Candidate::new(index)).collect()
}

/// A search for remedies.
struct Search<'a> {
    found: &'a Surveyed,
    targets: &'a [String],
    columns: &'a [ColumnProfile],
    candidates: Vec<Candidate>,
}

impl Search<'_> {
    /// What can be done about a number in a column.
    fn remedy(&self, index: usize, number: f64) -> Remedy {
        let column = &self.columns[index];
        if self.targets.contains(&column.name) {
            Remedy::Target
        } else if self.candidates.iter().any(|own| own.index == index && own.has_few()) {
            Remedy::Names
        } else if self.is_code_of_target(number) || self.is_amount(number) {
            Remedy::MissingHere
        } else {
            Remedy::Missing
        }
    }

    fn is_code_of_target(&self, number: f64) -> bool {
        let is_target = |own: &&Candidate| self.targets.contains(&self.columns[own.index].name);
        let mut targets = self.candidates.iter().filter(is_target);
        targets.any(|own| own.far().any(|(code, _)| is_same(code, number)))
    }

    /// Whether a column that is used has numbers around this one, which its rows to come may have, too.
    fn is_amount(&self, number: f64) -> bool {
        let has_amount = |index: usize, column: &ColumnSurvey| {
            let own = self.candidates.iter().find(|candidate| candidate.index == index);
            let (min, max) = (column.numbers.min, column.numbers.max);
            own.map_or((min..=max).contains(&number), |own| own.has_amount(number))
        };
        let mut used = (0..).zip(&self.found.survey.columns).zip(self.columns);
        used.any(|((index, column), profile)| profile.kind != ColumnKind::Ignore && has_amount(index, column))
    }
}

/// Shows the candidates the rows that were looked at.
fn see_rows(found: &Surveyed, candidates: &mut [Candidate]) -> Result<()> {
    let (mut batches, mut rows) = (found.table.batches()?, 0);
    while let Some(batch) = batches.next()? {
        for row in batch.rows() {
            for candidate in &mut *candidates {
                if let Some(number) = row.value(candidate.index).number() {
                    candidate.see(number);
                }
            }
        }
        rows += batch.rows().len() as u64;
        if rows >= found.rows {
            break;
        }
    }
    Ok(())
}

/// Whether people write a number for a missing one: two nines, eights or sevens or more and nothing else, three sixes or more,
/// or -9; nines that single precision has rounded, too.
fn is_code(number: f64) -> bool {
    let size = number.abs();
    let is_run = |digit: char, least: usize| {
        let text = size.trunc().to_string();
        text.len() >= least && text.chars().all(|own| own == digit)
    };
    let is_whole = size.fract() == 0.0;
    let least = if number < 0.0 { 1 } else { 2 };
    is_run('9', if is_whole { least } else { 5 })
        || (is_whole && (is_run('6', 3) || is_run('7', 2) || is_run('8', 2)))
}

/// How many times as large as all others a number is at least that stands for a missing one.
fn least_ratio(number: f64) -> f64 {
    if number.abs() < 100.0 { 10.0 } else { 5.0 }
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
        for code in [99.0, 88.0, -9.0, -999.0, 9999.0, 666.0, 888.0, -777.0, 999_999.375, 99_999.9] {
            assert!(is_code(code), "{code}");
        }
        for other in [9.0, -1.0, -8.0, 0.0, 66.0, 998.0, 99.5, 1000.0, 10_000.0, 123.0, 1e5, 1e6, 990.0] {
            assert!(!is_code(other), "{other}");
        }
    }

    #[test]
    fn a_code_at_the_end_of_a_column_is_one_of_its_amounts() {
        let of = |numbers: &[f64]| {
            let mut candidate = Candidate::new(0);
            for number in numbers {
                candidate.see(*number);
            }
            candidate
        };
        let (prices, ages) = (of(&[900.0, 998.0, 999.0]), of(&[18.0, 79.0, 999.0]));
        assert!(prices.has_amount(999.0) && prices.has_amount(950.0) && !prices.has_amount(777.0));
        assert!(!ages.has_amount(999.0) && ages.has_amount(77.0));
    }

    #[test]
    fn a_code_is_far_from_all_others() {
        let far = |number: f64, others: &[f64]| {
            let mut candidate = Candidate::new(0);
            others.iter().chain([&number, &number]).for_each(|other| candidate.see(*other));
            candidate.far().collect::<Vec<_>>()
        };
        assert_eq!(far(666.0, &[0.0, 1.0]), [(666.0, 2)]);
        assert_eq!(far(-999.0, &[-20.5, 41.0]), [(-999.0, 2)]);
        assert!(far(99.0, &[18.0, 97.0]).is_empty());
        assert!(far(999.0, &[0.0, 230.0]).is_empty());
        // Two codes beside grades, and a negative one beside amounts, which no number below 0 is.
        assert_eq!(far(99.0, &[1.0, 7.0, 88.0]), [(88.0, 1), (99.0, 2)]);
        assert!(far(-99.0, &[0.0, 60_000.0]).is_empty());
        assert_eq!(far(-99.0, &[0.0, 60_000.0, -99.0]), [(-99.0, 3)]);
        assert_eq!(far(-9.0, &[0.0, 60_000.0, -9.0]), [(-9.0, 3)]);
        assert!(far(-99.0, &[-5.0, 60_000.0]).is_empty());
        assert_eq!(far(999.0, &[18.0, 79.0, 777.0]), [(777.0, 1), (999.0, 2)]);
        // Nothing but the number: there is nothing that it is far from.
        assert!(far(999.0, &[]).is_empty());
    }
}
