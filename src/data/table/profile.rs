//! What a table holds: the kind of every column and what its values are, for a config that is to be written for it.

mod column;
mod decide;
mod leaks;
mod order;
mod sample;

use std::path::{Path, PathBuf};

use super::infer::KindInference;
use super::options::{ColumnKind, ColumnNames, Options};
use super::read::{Format, Input, known_columns, listed, quoted};
use super::survey::{ColumnSurvey, Survey};
use super::{Opened, Row};
use crate::data::split::Part;
use crate::data::{Preparation, Request, Task};
use crate::error::{Error, Result};
use crate::names::printable;

use decide::decided;
use sample::Sample;

pub use column::{ColumnProfile, NameCount, NumberRange};
pub use leaks::Leak;

/// A file that is larger than this, in bytes, is looked at as far as [`MOST_ROWS`].
const LARGE: u64 = 1 << 30;
/// The rows of a large file that are looked at.
const MOST_ROWS: usize = 1 << 20;
/// The most different values of a target of numbers and words that are classes.
const MOST_NUMBERED: usize = 20;
/// The most words of a column of numbers or dates that are taken for missing values.
const MOST_WORDS: usize = 3;

/// A table that was looked at.
#[derive(Debug)]
pub struct TableProfile {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// The rows that were looked at.
    pub rows: u64,
    /// Whether these are all rows of the file.
    pub is_whole: bool,
    /// The columns, the targets among them, in the order of the file.
    pub columns: Vec<ColumnProfile>,
    /// How its cells are to be read, where that is not the default.
    pub reading: CellReading,
    /// The column that assigns the rows to splits.
    pub split_column: Option<String>,
    pub(super) table: Opened,
}

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
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// The survey of a file that is read with some options.
struct Surveyed {
    table: Opened,
    survey: Survey,
    rows: u64,
    is_whole: bool,
}

impl TableProfile {
    /// Looks at a table. The targets' values are all counted.
    ///
    /// # Errors
    /// The file is no table, it has no rows, or no column of a target's name.
    pub fn read(path: &Path, format: Format, targets: &[String]) -> Result<Self> {
        let mut options =
            Options { path: path.to_path_buf(), target: ColumnNames(targets.to_vec()), ..Options::default() };
        let mut found = Surveyed::read(&options, format)?;
        let mut reading = found.reading(&Sample::read(&found.table)?, format, targets);
        if reading != CellReading::default() {
            let better = Options {
                decimal: reading.decimal,
                thousands: reading.thousands,
                na_values: reading.na_values(),
                ..options.clone()
            };
            let read = Surveyed::read(&better, format)?;
            if read.count_readable() > found.count_readable() {
                (options, found) = (better, read);
            } else {
                reading = CellReading::default();
            }
        }
        Self::of(found, &options, format, reading)
    }

    fn of(found: Surveyed, options: &Options, format: Format, reading: CellReading) -> Result<Self> {
        let sample = Sample::read(&found.table)?;
        let Surveyed { table, survey, rows, is_whole } = found;
        if rows == 0 {
            return Err(Error::data(&options.path, "the table has a header and no rows"));
        }
        let inference = KindInference { path: &options.path, options, ordered: false };
        let all = table.columns().iter().zip(&survey.columns).zip(sample.columns());
        let profile = |((name, full), head): ((&String, &ColumnSurvey), &ColumnSurvey)| ColumnProfile {
            is_text: format != Format::Csv && head.first_written.is_some(),
            ..decided(name, full, head, &inference)
        };
        let mut columns: Vec<ColumnProfile> = all.map(profile).collect();
        keep_one(&mut columns, &options.target.0);
        let is_split = |column: &&ColumnProfile| {
            let named = |part: Part| {
                let mut names = column.names.iter().flatten();
                names.any(|own| Part::named(&own.name) == Some(part))
            };
            let all = column.names.iter().flatten().all(|own| Part::named(&own.name).is_some());
            let is_target = options.target.0.contains(&column.name);
            all && !is_target && column.missing == 0 && named(Part::Train) && named(Part::Test)
        };
        let split_column = columns.iter().find(is_split).map(|column| column.name.clone());
        let path = options.path.clone();
        Ok(Self { path, format, rows, is_whole, columns, reading, split_column, table })
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The columns that tell the target: the same values, or values that alone predict it nearly perfectly.
    pub fn leaks(&self, target: &str, classes: bool) -> Result<Vec<Leak>> {
        leaks::find(&self.table, &self.columns, target, classes)
    }

    /// Whether a column of numbers lies along a straight line over a target's whole numbers, as over grades or ratings.
    pub fn is_ordered(&self, target: &str) -> Result<bool> {
        order::follows(&self.table, &self.columns, target)
    }

    /// The columns of a table's file as a message lists them.
    pub fn listed(&self) -> String {
        listed(self.table.columns())
    }
}

impl Surveyed {
    /// Reads the file; its errors are those of a reader that reads row by row and knows the text of every cell.
    fn read(options: &Options, format: Format) -> Result<Self> {
        let input = || Input::File(options.path.clone());
        let plan = Preparation::default();
        let request = Request::new(Task::Values, &plan);
        let size = std::fs::metadata(&options.path).map_err(Error::io("open", &options.path))?.len();
        let kept = if size > LARGE { None } else { Opened::kept(&input(), format, options, &request).ok() };
        let open = || Opened::new(input(), format, options.dialect(Task::Values), None);
        let table = kept.flatten().map_or_else(open, Ok)?;
        let columns = table.columns();
        if let Some(unknown) = options.target.0.iter().find(|name| !columns.contains(name)) {
            return Err(no_target(&options.path, unknown, columns));
        }
        let forced: Vec<bool> = columns.iter().map(|name| options.target.0.contains(name)).collect();
        let (mut survey, mut rows) = (Survey::new(&forced, false), 0);
        let most = if size > LARGE { MOST_ROWS } else { usize::MAX };
        let mut batches = table.batches()?;
        let mut is_whole = true;
        while let Some(batch) = batches.next()? {
            let count = batch.rows().len();
            survey.see_batch(&batch, &vec![Part::Train; count], &[]);
            rows += count;
            if rows >= most {
                is_whole = false;
                break;
            }
        }
        Ok(Self { table, survey, rows: rows as u64, is_whole })
    }

    /// The number of columns of numbers alone, or of dates alone.
    fn count_readable(&self) -> usize {
        let is_readable = |column: &&ColumnSurvey| {
            let are_numbers = column.numbers.count > 0.0 && !column.is_mixed() && column.infinite.is_empty();
            are_numbers
                || (column.present > 0 && column.dates.of(column.present).moments.are_all_of(column.present))
        };
        self.survey.columns.iter().filter(is_readable).count()
    }

    /// The options by which more columns may be numbers.
    fn reading(&self, sample: &Sample, format: Format, targets: &[String]) -> CellReading {
        let mut reading = CellReading::default();
        let columns = self.table.columns().iter().zip(&self.survey.columns).zip(sample.columns());
        for ((name, column), head) in columns {
            if let (Format::Csv, Some(form)) = (format, column.number_forms.only()) {
                reading.decimal = reading.decimal.or(Some(form.decimal).filter(|decimal| *decimal != '.'));
                reading.thousands = reading.thousands.or(form.thousands);
            }
            let dates = head.words_among_dates();
            if (1..=MOST_WORDS).contains(&dates.len()) && !targets.contains(name) {
                reading.date_words.extend(dates);
            }
            let words = head.words_among_numbers();
            // Few numbers beside such a word are the names of classes: `1`, `2`, `3+`.
            let has_digit = |word: &String| word.contains(|letter: char| letter.is_ascii_digit());
            let are_few = !head.lost && head.names.len() <= MOST_NUMBERED;
            let are_classes = targets.contains(name) && are_few && words.iter().any(has_digit);
            if (1..=MOST_WORDS).contains(&words.len()) && column.is_mostly_numbers() && !are_classes {
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

/// The error of a target that is no column.
fn no_target(path: &Path, target: &str, columns: &[String]) -> Error {
    let parts: Vec<&str> = target.split(',').map(str::trim).collect();
    let is_list = parts.len() > 1 && parts.iter().all(|part| columns.iter().any(|own| own == part));
    let each = parts.iter().map(|part| format!("--target {}", printable(part))).collect::<Vec<_>>().join(" ");
    let hint = if is_list {
        format!("several targets are {each}; {}", listed(columns))
    } else {
        known_columns(target, columns)
    };
    let (path, target) = (path.display(), quoted(target));
    Error::Config(format!("--target: there is no column {target} to predict in {path}; {hint}"))
}

/// Uses the columns of numbers that were to be left out, where nothing else is left to predict from.
fn keep_one(columns: &mut [ColumnProfile], targets: &[String]) {
    let is_used =
        |column: &ColumnProfile| column.kind != ColumnKind::Ignore && !targets.contains(&column.name);
    if columns.iter().any(is_used) {
        return;
    }
    let is_number = |column: &&mut ColumnProfile| {
        column.numbers.is_some_and(|numbers| numbers.max > numbers.min) && !targets.contains(&column.name)
    };
    for column in columns.iter_mut().filter(is_number) {
        (column.kind, column.is_given, column.why) = (ColumnKind::Number, true, String::new());
    }
}

/// The column that is most likely the one to predict: one of a usual name, else the last that can be.
pub fn likely_target(profile: &TableProfile) -> Option<&str> {
    const USUAL: [&str; 12] = [
        "target",
        "label",
        "class",
        "y",
        "outcome",
        "response",
        "churn",
        "churned",
        "price",
        "species",
        "diagnosis",
        "survived",
    ];
    let can_be = |column: &&ColumnProfile| {
        column.can_be_target() && profile.split_column.as_ref() != Some(&column.name)
    };
    let usual = |name: &str| {
        let found = profile.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        found.filter(can_be)
    };
    let last = || profile.columns.iter().rev().find(can_be);
    USUAL.iter().find_map(|name| usual(name)).or_else(last).map(|column| column.name.as_str())
}
