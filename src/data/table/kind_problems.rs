//! Problems of columns whose values do not all fit their kind, with a way out.

use std::path::Path;

use super::dates::DateForm;
use super::shown::ShownCell;
use super::survey::ColumnSurvey;

/// The problem with a numeric column, if there is one.
pub(super) fn not_numbers(path: &Path, column: &ColumnSurvey) -> Option<String> {
    if let Some(cell) = column.infinite.first() {
        let problem = "which is not finite; correct or empty the cell";
        return Some(format!("line {} has {}, {problem}", cell.line, cell.text));
    }
    if column.no_numbers.count == 0 {
        return None;
    }
    let shown = column.no_numbers.shown();
    Some(match column.forms_of_most().hint(path) {
        Some(hint) => format!("{shown}; {hint}"),
        None => format!(
            "{shown}; correct them, name a word for missing values in `data.na_values`, of all columns or of this one, or \
             make it a \"category\" in `[data.columns]`"
        ),
    })
}

/// The problem with a column of truth values, if there is one.
pub(super) fn not_booleans(column: &ColumnSurvey) -> Option<String> {
    let infinite = column.infinite.first().cloned();
    let others = [&column.first_number, &column.first_text, &infinite];
    not_all(column, column.booleans.count, 0, &others).map(|misfits| misfits.shown("yes or no"))
}

/// The problem with a column of dates, if there is one.
pub(super) fn not_dates(column: &ColumnSurvey) -> Option<String> {
    let forms: Vec<&str> =
        column.dates.fitting(column.present).iter().map(|found| found.form.name()).collect();
    if forms.len() > 1 {
        return Some(format!("its dates may be {}; write them as 2023-11-20", forms.join(" or ")));
    }
    let most = column.dates.most_frequent_of_all();
    let dates = most.first()?;
    let infinite = column.infinite.first().cloned();
    let others = [&dates.first_misfit, &column.first_number, &column.first_boolean, &infinite];
    let misfits = not_all(column, dates.moments.count, dates.misfits, &others)?;
    Some(match dates.form {
        DateForm::Iso => misfits.shown("dates such as 2024-03-01 or 2024-03-01T12:30:00Z"),
        form => misfits.shown(&format!("dates of the form {}", form.name())),
    })
}

/// The values of a column that do not fit its kind.
struct Misfits<'a> {
    count: u64,
    first: Option<&'a ShownCell>,
}

impl Misfits<'_> {
    /// "2 of its values are not yes or no, the first is `x` in line 3; …"
    fn shown(&self, words: &str) -> String {
        let verb = if self.count == 1 { "is" } else { "are" };
        let first = self.first.map_or(String::new(), |cell| {
            let which = if self.count == 1 { "" } else { "the first is " };
            format!(": {which}{} in line {}", cell.text, cell.line)
        });
        let it = if self.count == 1 { "it" } else { "them" };
        format!(
            "{} of its values {verb} not {words}{first}; correct {it}, name a word for missing values in \
             `data.na_values`, of all columns or of this one, or set another kind in `[data.columns]`",
            self.count
        )
    }
}

/// The values of a column of which only `fitting` of the training rows fit, and at least `misfits` of any row do not, if
/// there are such values; `others` are the first cells of other kinds.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of rows"
)]
fn not_all<'a>(
    column: &'a ColumnSurvey,
    fitting: f64,
    misfits: u64,
    others: &[&'a Option<ShownCell>],
) -> Option<Misfits<'a>> {
    let count = ((column.present as f64 - fitting) as u64).max(misfits);
    let first = others.iter().filter_map(|cell| cell.as_ref()).min_by_key(|cell| cell.line);
    (count > 0).then_some(Misfits { count, first })
}
