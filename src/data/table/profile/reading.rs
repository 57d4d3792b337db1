//! How the cells of a table are to be read so that more columns are numbers or dates.

use std::collections::BTreeMap;

use super::sample::Sample;
use super::sentinels::Sentinel;
use super::surveyed::Surveyed;
use crate::data::table::na_values::NaValues;
use crate::data::table::number_forms::DecimalMarks;
use crate::data::table::read::Format;
use crate::data::table::survey::{ColumnSurvey, MOST_WORDS};

/// The most different values of a target of numbers and words that are classes.
const MOST_NUMBERED: usize = 20;

/// The most cells of a column that are such words, as a fraction.
const MOST_CELLS: f64 = 0.1;

/// A word that stands for a missing cell in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingWord {
    /// The column.
    pub column: String,
    /// The word as the file writes it.
    pub text: String,
    /// Whether another column has it as a name, so that it is missing in this one alone.
    pub is_elsewhere: bool,
}

/// The options by which cells are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CellReading {
    /// CSV: the decimal point of numbers.
    pub decimal: Option<char>,
    /// CSV: the separator of thousands.
    pub thousands: Option<char>,
    /// The words that the file has among numbers.
    pub words: Vec<MissingWord>,
    /// The words that it has among dates.
    pub date_words: Vec<MissingWord>,
    /// The marks that it has among the classes of a target: `?`, `-`.
    pub marks: Vec<MissingWord>,
    /// The infinite numbers that the file has among others.
    pub infinite: Vec<MissingWord>,
    /// The numbers that stand for missing cells.
    pub sentinels: Vec<Sentinel>,
    /// The features of numbers or dates, where they are known: they may have such a word in other rows.
    pub columns: Vec<String>,
}

impl CellReading {
    /// The further words for missing values: of all columns, unless one of them is a value in another column. Those that are
    /// nowhere a value are then of all columns of numbers and dates: other rows may have them in another one.
    pub fn na_values(&self) -> NaValues {
        let once = |mut words: Vec<String>| {
            words.sort_unstable();
            words.dedup();
            words
        };
        if !self.is_by_column() {
            return NaValues::All(once(self.missing().map(|own| own.text).collect()));
        }
        let mut columns = BTreeMap::<String, Vec<String>>::new();
        for own in self.missing() {
            let others = self.columns.iter().filter(|other| !own.is_elsewhere && **other != own.column);
            for column in others.chain([&own.column]) {
                columns.entry(column.clone()).or_default().push(own.text.clone());
            }
        }
        NaValues::Columns(columns.into_iter().map(|(column, words)| (column, once(words))).collect())
    }

    /// Whether a word is missing in its column alone.
    fn is_by_column(&self) -> bool {
        self.all_words().any(|own| own.is_elsewhere) || self.sentinels.iter().any(Sentinel::is_missing_here)
    }

    /// The words that stand for missing cells.
    pub fn all_words(&self) -> impl Iterator<Item = &MissingWord> {
        self.words.iter().chain(&self.date_words).chain(&self.marks).chain(&self.infinite)
    }

    /// The words and numbers that stand for missing cells. A division by zero gives infinite numbers of both signs: the rows to
    /// predict may have the other one.
    fn missing(&self) -> impl Iterator<Item = MissingWord> {
        let infinite = self
            .infinite
            .iter()
            .flat_map(|own| signs(&own.text).map(|text| MissingWord { text, ..own.clone() }));
        let sentinels = self.sentinels.iter().filter(|own| own.is_missing()).map(|own| MissingWord {
            column: own.column.clone(),
            text: own.text.clone(),
            is_elsewhere: own.is_missing_here(),
        });
        let words = self.words.iter().chain(&self.date_words).chain(&self.marks);
        words.cloned().chain(infinite).chain(sentinels)
    }
}

/// An infinite number as the file writes it, and with either sign.
fn signs(text: &str) -> [String; 3] {
    let size = text.trim_start_matches(['-', '+']);
    [text.to_owned(), size.to_owned(), format!("-{size}")]
}

impl Surveyed {
    /// Words of a column that stand for missing cells, each with whether another column has it as a name. Infinite numbers are
    /// names only in a column that has no numbers.
    fn missing_words(&self, column: &str, mut texts: Vec<String>, sample: &Sample) -> Vec<MissingWord> {
        let others = self.table.columns().iter().zip(sample.columns());
        let others = others.filter(|(own, _)| *own != column).map(|(_, other)| other);
        let is_other = |other: &&ColumnSurvey| {
            other.words_among_dates().is_empty() && other.words_among_numbers(self.number_form).is_empty()
        };
        let others: Vec<&ColumnSurvey> = others.filter(is_other).collect();
        texts.sort_unstable();
        let word = |text: String| {
            let is_infinite = text.parse().is_ok_and(f64::is_infinite);
            let forms = if is_infinite { signs(&text).to_vec() } else { vec![text.clone()] };
            let mut named = others.iter().filter(|other| !(is_infinite && other.is_mostly_numbers()));
            let is_elsewhere = named.any(|other| other.rows_of(&forms) > 0.0);
            MissingWord { column: column.to_owned(), text, is_elsewhere }
        };
        texts.into_iter().map(word).collect()
    }

    /// The decimal point and the separator of thousands by which more columns may be numbers, but for a few words.
    pub(super) fn other_form(&self, sample: &Sample, format: Format) -> CellReading {
        let mut reading = CellReading::default();
        if format != Format::Csv {
            return reading;
        }
        let mut marks = DecimalMarks::default();
        sample.columns().iter().flat_map(|head| head.names.keys()).for_each(|name| marks.see(name));
        for (column, head) in self.survey.columns.iter().zip(sample.columns()) {
            let all = column.number_forms.only(marks);
            if let Some(form) = all.or_else(|| head.forms_of_most().only(marks)) {
                reading.decimal = reading.decimal.or(Some(form.decimal).filter(|decimal| *decimal != '.'));
                reading.thousands = reading.thousands.or(form.thousands);
            }
        }
        if reading.decimal == Some(',') && reading.thousands.is_none() && marks.are_points_thousands() {
            reading.thousands = Some('.');
        }
        reading
    }

    /// Adds the words and infinite numbers that stand for missing cells.
    pub(super) fn add_words(&self, reading: &mut CellReading, sample: &Sample, targets: &[String]) {
        let columns = self.table.columns().iter().zip(&self.survey.columns).zip(sample.columns());
        for ((name, column), head) in columns {
            let dates = head.words_among_dates();
            if are_missing(&dates, head, false) && !targets.contains(name) {
                reading.date_words.extend(self.missing_words(name, dates, sample));
            }
            let words = head.words_among_numbers(self.number_form);
            // Few numbers beside such a word are the names of classes: `1`, `2`, `3+`.
            let has_digit = |word: &String| word.contains(|letter: char| letter.is_ascii_digit());
            let are_few = !head.lost && head.names.len() <= MOST_NUMBERED;
            let are_classes = targets.contains(name) && are_few && words.iter().any(has_digit);
            let is_column = column.is_mostly_numbers() && !are_classes;
            if is_column && are_missing(&words, head, are_few) {
                let words = self.missing_words(name, words, sample);
                // A target has no missing cells; a word that has a meaning elsewhere may be a class.
                let are_classes = targets.contains(name) && words.iter().any(|own| own.is_elsewhere);
                reading.words.extend(words.into_iter().filter(|_| !are_classes));
            }
            if targets.contains(name) {
                reading.marks.extend(self.missing_words(name, marks(head), sample));
            }
            if column.is_mostly_numbers() {
                let texts = column.infinite.iter().map(|cell| cell.text.trim_matches('`').to_owned());
                reading.infinite.extend(self.missing_words(name, texts.collect(), sample));
            }
        }
    }
}

/// The names of a column without a letter or a digit, where two others or more have one: `+` and `-` alone are classes.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn marks(head: &ColumnSurvey) -> Vec<String> {
    let is_mark = |name: &&String| !name.contains(char::is_alphanumeric);
    let marks: Vec<String> = head.names.keys().filter(is_mark).cloned().collect();
    let are_others_enough = head.names.len() >= marks.len() + 2;
    let are_few = marks.len() <= MOST_WORDS && head.rows_of(&marks) <= MOST_CELLS * head.present as f64;
    if head.lost || head.is_mostly_numbers() || !are_others_enough || !are_few {
        return Vec::new();
    }
    marks
}

/// Whether words among numbers or dates may stand for missing cells: few of them, and of several, which say more than that a
/// cell is missing, or beside numbers that are few themselves, few cells.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn are_missing(words: &[String], head: &ColumnSurvey, are_numbers_few: bool) -> bool {
    let few = head.rows_of(words) <= MOST_CELLS * head.present as f64;
    (1..=MOST_WORDS).contains(&words.len()) && (few || (words.len() == 1 && !are_numbers_few))
}
