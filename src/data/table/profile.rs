//! What a table holds: the kind of every column and what its values are, for a config that is to be written for it.

mod best;
mod column;
mod decide;
mod given;
mod leaks;
mod order;
mod reading;
mod sample;
mod sentinels;
mod surveyed;

use std::path::{Path, PathBuf};

use super::infer::KindInference;
use super::options::{ColumnKind, Options};
use super::read::{Format, listed};
use super::survey::ColumnSurvey;
use super::{Opened, Row};
use crate::data::split::Part;
use crate::error::{Error, Result};

use decide::decided;
use sample::Sample;
use surveyed::Surveyed;

pub use column::{ColumnProfile, DateRange, KindSetting, NameCount, NumberRange};
pub use given::GivenReading;
pub use leaks::Leak;
pub use reading::{CellReading, MissingWord};
pub use sentinels::{Remedy, Sentinel};

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
    /// The options by which its cells are read, as far as they were given.
    pub given: GivenReading,
    pub(super) table: Opened,
}

impl TableProfile {
    /// Looks at a table, whose cells are read as `given` says. The targets' values are all counted.
    ///
    /// # Errors
    /// The file is no table, it has no rows, or no column of a target's name.
    pub fn read(path: &Path, format: Format, targets: &[String], given: &GivenReading) -> Result<Self> {
        let mut options = given.options(path, targets);
        let mut reading = CellReading::default();
        let mut found = best::read(&mut options, format, &mut reading)?;
        if found.rows == 0 {
            return Err(Error::data(&options.path, "the table has a header and no rows"));
        }
        let mut columns = profiles(&found, &options, format)?;
        let is_numeric = |column: &&ColumnProfile| {
            matches!(column.kind, ColumnKind::Number | ColumnKind::Date) && !targets.contains(&column.name)
        };
        reading.columns = columns.iter().filter(is_numeric).map(|column| column.name.clone()).collect();
        reading.sentinels = sentinels::find(&found, targets, &columns)?;
        if !given.na_values.is_empty() {
            // What was given is all.
            reading.sentinels.retain(|own| !own.is_missing());
        }
        if reading.sentinels.iter().any(Sentinel::is_missing) {
            options.na_values = reading.na_values();
            found = Surveyed::read(&options, format)?;
            columns = profiles(&found, &options, format)?;
        }
        Ok(Self { given: given.clone(), ..Self::of(found, columns, &options, format, reading) })
    }

    fn of(
        found: Surveyed,
        mut columns: Vec<ColumnProfile>,
        options: &Options,
        format: Format,
        reading: CellReading,
    ) -> Self {
        let Surveyed { table, rows, is_whole, .. } = found;
        let na_values = reading.na_values();
        let is_named =
            |own: &&Sentinel| own.remedy == Remedy::Names && !na_values.of(&own.column).contains(&own.text);
        for own in reading.sentinels.iter().filter(is_named) {
            take_for_names(&mut columns, own);
        }
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
        let given = GivenReading::default();
        Self { path, format, rows, is_whole, columns, reading, split_column, given, table }
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

    /// The words of a column that are taken for missing cells, since pandas takes them for some: `None`, `NA`.
    pub fn known_words(&self, column: &str) -> Result<Vec<String>> {
        best::known_words(&self.table, column)
    }

    /// The columns of a table's file as a message lists them.
    pub fn listed(&self) -> String {
        listed(self.table.columns())
    }
}

/// The columns of a file that is read with these options.
fn profiles(found: &Surveyed, options: &Options, format: Format) -> Result<Vec<ColumnProfile>> {
    let sample = Sample::read(&found.table)?;
    let inference = KindInference { path: &options.path, options, ordered: false };
    let all = found.table.columns().iter().zip(&found.survey.columns).zip(sample.columns());
    let profile = |((name, full), head): ((&String, &ColumnSurvey), &ColumnSurvey)| ColumnProfile {
        is_text: format != Format::Csv && head.first_written.is_some(),
        ..decided(name, full, head, &inference)
    };
    Ok(all.map(profile).collect())
}

/// Takes a column of few numbers for names, since one of them stands for a missing cell.
fn take_for_names(columns: &mut [ColumnProfile], sentinel: &Sentinel) {
    let is_own =
        |column: &&mut ColumnProfile| column.name == sentinel.column && column.kind == ColumnKind::Number;
    for column in columns.iter_mut().filter(is_own) {
        column.kind = ColumnKind::Category;
        column.setting = KindSetting::Set;
        column.why =
            format!("{} lies far from its other numbers, as one for a missing cell does", sentinel.text);
    }
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
        (column.kind, column.setting, column.why) = (ColumnKind::Number, KindSetting::Set, String::new());
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
