//! Infers the kind of a column from its training rows.

use std::path::Path;

use super::date_survey::looks_like_a_date;
use super::kind_problems::{not_booleans, not_dates, not_numbers};
use super::number_forms::{grouped_by_points, is_number_of_any_form};
use super::options::{ColumnKind as Kind, Options};
use super::read::quoted;
use super::shown::nested;
use super::survey::{ColumnSurvey, MOST_CATEGORIES};
use super::{disguise, disguised_dates};
use crate::error::{Error, Result};

/// A category with more names than this gets an embedding instead of one-hot encoding.
const MOST_ONE_HOT: usize = 32;

/// The kind of a column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inferred {
    pub(super) kind: Kind,
    /// Why it is ignored, if it is.
    pub(super) why: &'static str,
}

impl Inferred {
    fn of(kind: Kind) -> Self {
        Self { kind, why: "" }
    }

    fn ignored(why: &'static str) -> Self {
        Self { kind: Kind::Ignore, why }
    }
}

/// Infers the kinds of a table's columns.
pub(super) struct KindInference<'a> {
    pub(super) path: &'a Path,
    pub(super) options: &'a Options,
    /// Whether the rows are a time series, whose dates are not features.
    pub(super) ordered: bool,
}

impl KindInference<'_> {
    /// The kind of a column: given in `[data.columns]`, or inferred.
    pub(super) fn kind(&self, name: &str, column: &ColumnSurvey) -> Result<Inferred> {
        if let Some(kind) = self.options.columns.get(name) {
            return self.given(name, *kind, column);
        }
        self.check_nested(name, column)?;
        let present = column.present;
        #[allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "counts of rows")]
        let numbers = present > 0 && column.numbers.count + column.infinities == present as f64;
        if numbers {
            if is_row_number(name) && column.ascending && present > 1 {
                return Ok(Inferred::ignored("a number of the row"));
            }
            self.check_given(name, Kind::Number, column)?;
            return Ok(Inferred::of(Kind::Number));
        }
        if present == 0 {
            return Ok(Inferred::ignored("no value in the training rows"));
        }
        if column.booleans.are_all_of(present) {
            return Ok(Inferred::of(Kind::Boolean));
        }
        let dates = column.dates.of(present);
        if dates.moments.are_all_of(present) && !dates.form.is_period() {
            // The time orders the rows of a series.
            return Ok(if self.ordered { Inferred::ignored("the time") } else { Inferred::of(Kind::Date) });
        }
        self.check_frequent(name, column)?;
        self.warn_of_numbers_in_disguise(name, column);
        self.warn_of_dates_in_disguise(name, column);
        Ok(of_names(column))
    }

    /// Checks a column of which half the values or more are numbers, or dates of one form.
    fn check_frequent(&self, name: &str, column: &ColumnSurvey) -> Result<()> {
        let numbers = column.numbers.count + column.infinities;
        let dates = match column.dates.most_frequent().as_slice() {
            [only] => only.moments.count,
            _ => 0.0,
        };
        for (kind, count) in [(Kind::Number, numbers), (Kind::Date, dates)] {
            #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
            if 2.0 * count >= column.present as f64 {
                self.check_given(name, kind, column)?;
            }
        }
        Ok(())
    }

    /// A kind that `[data.columns]` sets.
    fn given(&self, name: &str, kind: Kind, column: &ColumnSurvey) -> Result<Inferred> {
        self.check_given(name, kind, column)?;
        let kind = match kind {
            Kind::Category if column.names.len() > MOST_ONE_HOT => Kind::Embedding,
            kind => kind,
        };
        Ok(Inferred { kind, why: "as `[data.columns]` says" })
    }

    /// Checks that the values fit the kind.
    fn check_given(&self, name: &str, kind: Kind, column: &ColumnSurvey) -> Result<()> {
        if kind != Kind::Ignore {
            self.check_nested(name, column)?;
        }
        let problem = match kind {
            Kind::Number => not_numbers(self.path, column),
            Kind::Boolean => not_booleans(column),
            Kind::Date => not_dates(column),
            Kind::Category | Kind::Onehot | Kind::Embedding if column.lost => {
                Some(format!("it has more than {MOST_CATEGORIES} distinct values; \"ignore\" it"))
            }
            Kind::Category | Kind::Onehot | Kind::Embedding | Kind::Ignore => None,
        };
        problem.map_or(Ok(()), |problem| {
            Err(Error::data(self.path, format!("column {}: {problem}", quoted(name))))
        })
    }

    /// Checks that no value is a list or an object.
    fn check_nested(&self, name: &str, column: &ColumnSurvey) -> Result<()> {
        column.nested.map_or(Ok(()), |line| {
            Err(Error::data(self.path, format!("column {}: {}", quoted(name), nested(line))))
        })
    }

    /// Warns if most names of a column look like dates, of which the form is not known.
    fn warn_of_dates_in_disguise(&self, name: &str, column: &ColumnSurvey) {
        let is_date = |name: &&String| looks_like_a_date(name) || disguised_dates::is_date(name);
        let mut dates: Vec<&String> = column.names.keys().filter(is_date).collect();
        if dates.is_empty() || 2 * dates.len() < column.names.len() {
            return;
        }
        dates.sort_unstable();
        let forms: Vec<&str> =
            column.dates.fitting(column.present).iter().map(|found| found.form.name()).collect();
        let why = if forms.len() < 2 {
            String::new()
        } else {
            format!(", because they may be {}", forms.join(" or "))
        };
        tracing::warn!(
            "{}: column {} has dates such as {}, which are read as text{why}; {}",
            self.path.display(),
            quoted(name),
            quoted(dates[0]),
            disguised_dates::way_out(dates[0])
        );
    }

    /// Warns if most names of a column would be numbers but for `%`, currency signs, separators and units.
    fn warn_of_numbers_in_disguise(&self, name: &str, column: &ColumnSurvey) {
        if let Some(problem) = self.numbers_in_disguise(column) {
            let ignored = match of_names(column) {
                Inferred { kind: Kind::Ignore, why } => {
                    format!("; as text the column is ignored, since {why}")
                }
                _ => String::new(),
            };
            tracing::warn!("{}: column {} {problem}{ignored}", self.path.display(), quoted(name));
        }
    }

    /// What a column has whose numbers are read as text: "has numbers such as …", with a way out.
    pub(super) fn numbers_in_disguise(&self, column: &ColumnSurvey) -> Option<String> {
        let is_as_usual = self.options.decimal.is_none() && self.options.thousands.is_none();
        let hint = is_as_usual.then(|| column.forms_of_most().hint(self.path)).flatten();
        if let Some(hint) = hint {
            let numbers = column.names.keys().filter(|name| is_number_of_any_form(name)).min();
            let first = || column.no_numbers.first().map_or(String::new(), |cell| cell.text.clone());
            let example = numbers.map_or_else(first, |name| quoted(name));
            return Some(format!("has numbers such as {example}, which are read as text; {hint}"));
        }
        let has_commas = self.options.decimal == Some(',') && self.options.thousands.is_none();
        if let Some(example) = has_commas.then(|| grouped_by_points(&column.names)).flatten() {
            let example = quoted(example);
            return Some(format!(
                "has numbers such as {example}, which are read as text; where these are thousands, set `data.thousands = \".\"`"
            ));
        }
        let example = quoted(disguise::example(column.names.keys())?);
        Some(format!(
            "has values such as {example}, which are read as text; write numbers as 0.5 and 1000, without signs and units"
        ))
    }
}

/// The kind of a column of names.
pub(super) fn of_names(column: &ColumnSurvey) -> Inferred {
    if column.lost {
        return Inferred::ignored("nearly every row has a different value");
    }
    of_counts(column.names.len() as u64, column.present)
}

/// The kind of a column with so many different names in so many rows.
fn of_counts(different: u64, present: u64) -> Inferred {
    let are_many = different > MOST_ONE_HOT as u64;
    match different {
        all if all > MOST_CATEGORIES as u64 => Inferred::ignored("nearly every row has a different value"),
        all if all >= present && present > 1 => Inferred::ignored("every row has a different value"),
        most if are_many && 2 * most > present => Inferred::ignored("nearly every row has a different value"),
        _ if are_many => Inferred::of(Kind::Embedding),
        _ => Inferred::of(Kind::Category),
    }
}

/// Whether a column of names may be of another kind by its training rows alone: by half of its rows, or of its names.
pub(super) fn may_differ(column: &ColumnSurvey) -> bool {
    let (different, present) = (column.names.len() as u64, column.present);
    // Where numbers or dates are more than half of the training rows, the others are refused.
    let has_dates = column.dates.most_frequent().iter().any(|form| form.moments.count > 0.0);
    if column.is_mixed() || has_dates {
        return true;
    }
    if column.lost || different == present {
        return false;
    }
    let kind = |different: u64, present: u64| of_counts(different, present).kind;
    let (few_rows, few_names) = (present.div_ceil(2), different.div_ceil(2));
    let all = kind(different, present);
    [(different, few_rows), (few_names, few_rows), (few_names, present)]
        .into_iter()
        .any(|(different, present)| kind(different, present) != all)
}

/// Whether an increasing column of this name is a row number.
fn is_row_number(name: &str) -> bool {
    let name = name.to_lowercase().replace([' ', '.', '-'], "_");
    // pandas' index is `Unnamed: 0` in a CSV, and has the last name in a Parquet file.
    ["id", "index", "row", "no", "nr", "unnamed:_0", "__index_level_0__"].contains(&name.as_str())
        || name.ends_with("_id")
}

/// Whether a column of this name tells rows apart.
pub(super) fn is_id(name: &str) -> bool {
    let lower = name.to_lowercase();
    is_row_number(name)
        || ["rownames", "uuid", "guid", "key", "row_number", "rowid"].contains(&lower.as_str())
        || name.ends_with("Id")
        // customerID, and no BID.
        || name.strip_suffix("ID").is_some_and(|stem| stem.ends_with(char::is_lowercase))
}
