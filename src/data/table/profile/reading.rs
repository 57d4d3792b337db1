//! How the cells of a table are to be read so that more columns are numbers or dates.

use super::sample::Sample;
use super::sentinels::{Remedy, Sentinel};
use super::surveyed::Surveyed;
use crate::data::table::read::Format;
use crate::data::table::survey::ColumnSurvey;

/// The most different values of a target of numbers and words that are classes.
const MOST_NUMBERED: usize = 20;
/// The most words of a column of numbers or dates that are taken for missing values.
const MOST_WORDS: usize = 3;

/// The options by which cells are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CellReading {
    /// CSV: the decimal point of numbers.
    pub decimal: Option<char>,
    /// CSV: the separator of thousands.
    pub thousands: Option<char>,
    /// The words that the file has among numbers, each once.
    pub words: Vec<String>,
    /// The words that it has among dates, each once.
    pub date_words: Vec<String>,
    /// The infinite numbers that the file has among others, each once.
    pub infinite: Vec<String>,
    /// The numbers that stand for missing cells.
    pub sentinels: Vec<Sentinel>,
}

impl CellReading {
    /// The further words for missing values. A division by zero gives infinite numbers of both signs: the rows to predict may
    /// have the other one.
    pub fn na_values(&self) -> Vec<String> {
        let signs = |text: &String| {
            let size = text.trim_start_matches(['-', '+']);
            [text.clone(), size.to_owned(), format!("-{size}")]
        };
        let mut words: Vec<String> = self.words.iter().chain(&self.date_words).cloned().collect();
        words.extend(self.infinite.iter().flat_map(signs));
        words.extend(
            self.sentinels.iter().filter(|own| own.remedy == Remedy::Missing).map(|own| own.text.clone()),
        );
        words.sort_unstable();
        words.dedup();
        words
    }
}

impl Surveyed {
    /// Whether no other column has one of these words as a name: there it is no missing cell.
    fn are_own(&self, words: &[String], name: &str, sample: &Sample) -> bool {
        let others = self.table.columns().iter().zip(sample.columns()).filter(|(own, _)| *own != name);
        let is_name = |column: &ColumnSurvey| {
            let is_other = column.words_among_dates().is_empty() && column.words_among_numbers().is_empty();
            is_other && column.rows_of(words) > 0.0
        };
        !others.into_iter().any(|(_, column)| is_name(column))
    }

    /// The options by which more columns may be numbers.
    pub(super) fn reading(&self, sample: &Sample, format: Format, targets: &[String]) -> CellReading {
        let mut reading = CellReading::default();
        let columns = self.table.columns().iter().zip(&self.survey.columns).zip(sample.columns());
        for ((name, column), head) in columns {
            if let (Format::Csv, Some(form)) = (format, column.number_forms.only()) {
                reading.decimal = reading.decimal.or(Some(form.decimal).filter(|decimal| *decimal != '.'));
                reading.thousands = reading.thousands.or(form.thousands);
            }
            let dates = head.words_among_dates();
            if are_missing(&dates, head, false)
                && !targets.contains(name)
                && self.are_own(&dates, name, sample)
            {
                reading.date_words.extend(dates);
            }
            let words = head.words_among_numbers();
            // Few numbers beside such a word are the names of classes: `1`, `2`, `3+`.
            let has_digit = |word: &String| word.contains(|letter: char| letter.is_ascii_digit());
            let are_few = !head.lost && head.names.len() <= MOST_NUMBERED;
            let are_classes = targets.contains(name) && are_few && words.iter().any(has_digit);
            let is_column = column.is_mostly_numbers() && !are_classes;
            if is_column && are_missing(&words, head, are_few) && self.are_own(&words, name, sample) {
                reading.words.extend(words);
            }
            if column.is_mostly_numbers() {
                let texts = column.infinite.iter().map(|cell| cell.text.trim_matches('`').to_owned());
                reading.infinite.extend(texts);
            }
        }
        for words in [&mut reading.words, &mut reading.date_words, &mut reading.infinite] {
            words.sort_unstable();
            words.dedup();
        }
        reading
    }
}

/// Whether words among numbers or dates may stand for missing cells: few of them, and of several, which say more than that a
/// cell is missing, or beside numbers that are few themselves, few cells.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn are_missing(words: &[String], head: &ColumnSurvey, are_numbers_few: bool) -> bool {
    const MOST_CELLS: f64 = 0.1;
    let few = head.rows_of(words) <= MOST_CELLS * head.present as f64;
    (1..=MOST_WORDS).contains(&words.len()) && (few || (words.len() == 1 && !are_numbers_few))
}
