//! Decides what a column is from its survey: as training infers it, but for ids, codes and columns that are of no use.

use super::column::{ColumnProfile, KindSetting, NumberRange, counted_names, date_range, range};
use crate::data::table::disguised_dates;
use crate::data::table::infer::{Inferred, KindInference, is_id, may_differ, of_names};
use crate::data::table::options::ColumnKind as Kind;
use crate::data::table::read::quoted;
use crate::data::table::survey::ColumnSurvey;
use crate::error::Error;
use crate::stats::EXACT;

/// A kind, the reason for it, and whether the config has to say so.
struct KindChoice {
    kind: Kind,
    why: String,
    setting: KindSetting,
}

impl KindChoice {
    /// As training infers it, which is given where the training rows alone may suggest another kind than all rows.
    fn inferred(Inferred { kind, why }: Inferred, full: &ColumnSurvey, are_numbers: bool) -> Self {
        let is_name = matches!(kind, Kind::Category | Kind::Embedding)
            || (kind == Kind::Ignore && full.present > 0 && !are_numbers);
        let setting = if is_name && may_differ(full) { KindSetting::Set } else { KindSetting::Inferred };
        Self { kind, why: why.to_owned(), setting }
    }

    fn given(kind: Kind, why: impl Into<String>) -> Self {
        Self { kind, why: why.into(), setting: KindSetting::Set }
    }
}

/// The profile of a column: `full` surveys all of its rows, `head` the first, as text.
pub(super) fn decided(
    name: &str,
    full: &ColumnSurvey,
    head: &ColumnSurvey,
    inference: &KindInference<'_>,
) -> ColumnProfile {
    let numbers = range(full, head);
    let KindChoice { kind, why, setting } = decision(name, full, head, numbers.as_ref(), inference);
    // Where all rows have too many different texts to keep, the first ones are an example.
    let disguise = |column| inference.numbers_in_disguise(column);
    let in_disguise = if numbers.is_none() {
        disguise(full).or_else(|| disguise(head)).or_else(|| dates_in_disguise(head))
    } else {
        None
    };
    // Codes were read as numbers; only the first rows have their text.
    let are_codes = numbers.is_some() && kind == Kind::Category && setting != KindSetting::Inferred;
    // Of numbers that are features not every value was counted.
    let is_complete = numbers.is_none() || inference.options.target.0.iter().any(|target| target == name);
    let is_counted = !are_codes && is_complete && (!full.names.is_empty() || full.lost);
    ColumnProfile {
        name: name.to_owned(),
        kind,
        why,
        setting,
        is_text: false,
        in_disguise,
        is_unique: is_unique(head),
        present: full.present,
        missing: full.missing_anywhere,
        first_missing: full.first_missing,
        numbers,
        dates: date_range(full),
        names: counted_names(if is_counted { full } else { head }),
    }
}

fn decision(
    name: &str,
    full: &ColumnSurvey,
    head: &ColumnSurvey,
    numbers: Option<&NumberRange>,
    inference: &KindInference<'_>,
) -> KindChoice {
    let inferred = match inference.kind(name, full) {
        Ok(inferred) => inferred,
        Err(_) if full.nested.is_some() => {
            return KindChoice::given(Kind::Ignore, "has lists or objects");
        }
        Err(error) => return unreadable(full, &error),
    };
    let unchanged = KindChoice::inferred(inferred, full, numbers.is_some());
    if unchanged.kind == Kind::Ignore {
        return if numbers.is_none() { with_reason(unchanged, head, inference) } else { unchanged };
    }
    let is_constant = full.missing == 0 && full.present > 1 && is_constant(full, head);
    if is_constant && head.names.len() < 2 {
        return KindChoice::given(Kind::Ignore, "every row has the same value");
    }
    let Some(numbers) = numbers else { return with_reason(unchanged, head, inference) };
    if numbers.are_whole
        && is_unique(head)
        && (is_id(name) || (is_nameless(name) && counts_rows(numbers, full)))
    {
        return KindChoice::given(Kind::Ignore, "a number of the row");
    }
    if let Some(code) = head.names.keys().filter(|name| is_code(name)).min() {
        return KindChoice::given(Kind::Category, format!("codes such as {code}"));
    }
    if is_constant && numbers.min.abs() >= EXACT {
        return KindChoice::given(Kind::Category, "different whole numbers that are one in 64 bits");
    }
    if is_constant {
        return KindChoice::given(Kind::Ignore, "every row has the same value");
    }
    unchanged
}

/// What a column of text has that people take for dates, with a way out.
fn dates_in_disguise(head: &ColumnSurvey) -> Option<String> {
    let example = disguised_dates::example(head.names.keys())?;
    Some(format!(
        "has dates such as {}, which are read as text; {}",
        quoted(example),
        disguised_dates::way_out(example)
    ))
}

/// The same choice for a column of text, which says so where most of it are dates in other forms, or numbers with signs,
/// units or marks of another form.
fn with_reason(choice: KindChoice, head: &ColumnSurvey, inference: &KindInference<'_>) -> KindChoice {
    let dates = disguised_dates::example(head.names.keys()).map(|example| {
        format!("dates such as {example}, read as text; {}", disguised_dates::way_out(example))
    });
    let reason = dates.or_else(|| Some(format!("it {}", inference.numbers_in_disguise(head)?)));
    let Some(why) = reason else { return choice };
    let setting = match choice.setting {
        KindSetting::Inferred => KindSetting::Inferred,
        _ => KindSetting::SetUntilReadable,
    };
    KindChoice { why, setting, ..choice }
}

/// A column whose values are of several kinds.
fn unreadable(full: &ColumnSurvey, error: &Error) -> KindChoice {
    let inferred = of_names(full);
    let why = match error {
        Error::Data { problem, .. } => problem.split("; ").next().unwrap_or_default().to_owned(),
        other => other.to_string(),
    };
    KindChoice::given(inferred.kind, why)
}

fn is_unique(head: &ColumnSurvey) -> bool {
    !head.lost && head.names.len() as u64 == head.present && head.present > 1
}

fn is_constant(full: &ColumnSurvey, head: &ColumnSurvey) -> bool {
    #[allow(clippy::float_cmp, reason = "the same number in every row")]
    let numbers = full.numbers.are_all_of(full.present) && full.numbers.min == full.numbers.max;
    numbers || (full.names.len() == 1 && !full.lost && head.names.len() == 1)
}

/// Whether a column has the name that R and pandas give one that was written without a name.
fn is_nameless(name: &str) -> bool {
    name.trim().is_empty() || name == "X" || name == "V1" || name.starts_with("Unnamed")
}

/// Whether whole numbers that are all different count the rows one by one.
#[allow(clippy::cast_precision_loss, reason = "a count of rows")]
fn counts_rows(numbers: &NumberRange, full: &ColumnSurvey) -> bool {
    full.ascending
        && (numbers.max - numbers.min + 1.0 - full.present as f64).abs() < 0.5
        && numbers.min <= 1.0
}

/// Whether a number is written as a code: 007.
fn is_code(name: &str) -> bool {
    name.len() > 1 && name.starts_with('0') && name.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told_from_numbers() {
        assert!(is_code("007") && !is_code("0") && !is_code("70") && !is_code("0.5"));
    }
}
