//! A column of a table that was looked at.

use crate::data::table::dates;
use crate::data::table::infer::is_id;
use crate::data::table::options::ColumnKind;
use crate::data::table::survey::ColumnSurvey;

/// A value of a column, and the number of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameCount {
    /// The value as the file writes it.
    pub name: String,
    /// Its rows.
    pub rows: u64,
}

/// The range of a column's numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NumberRange {
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
    /// Whether all of them are whole.
    pub are_whole: bool,
}

/// The range of a column's dates, in days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DateRange {
    /// The first.
    pub first: f64,
    /// The last.
    pub last: f64,
    /// Whether one of them has a time of day.
    pub has_times: bool,
}

impl DateRange {
    /// The days from the first to the last.
    pub fn days(self) -> f64 {
        self.last - self.first
    }

    /// The first and the last as people write them.
    pub fn written(self) -> [String; 2] {
        [self.first, self.last].map(dates::written)
    }
}

/// What a column holds.
#[derive(Debug, Clone)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// What it is as a feature.
    pub kind: ColumnKind,
    /// Why it is ignored, or has another kind than its values alone suggest; empty where there is nothing to say.
    pub why: String,
    /// Whether `[data.columns]` has to set the kind.
    pub setting: KindSetting,
    /// Whether the file has text, not numbers: never of a CSV, whose cells have no type.
    pub is_text: bool,
    /// What it has, where its numbers are read as text: "has values such as …", with a way out.
    pub in_disguise: Option<String>,
    /// Whether no two of the first rows have the same value.
    pub is_unique: bool,
    /// Rows with a value.
    pub present: u64,
    /// Rows without a value.
    pub missing: u64,
    /// The line of the first row without a value.
    pub first_missing: Option<u64>,
    /// The range of its values, where all are numbers.
    pub numbers: Option<NumberRange>,
    /// The first and the last of its values, where all are dates.
    pub dates: Option<DateRange>,
    /// The different values with their rows, the most frequent first; nothing where there are too many. Of a column that
    /// is no target those of the first rows.
    pub names: Option<Vec<NameCount>>,
}

impl ColumnProfile {
    /// The number of different values; nothing where there are too many to count.
    pub fn distinct(&self) -> Option<usize> {
        self.names.as_ref().map(Vec::len)
    }

    /// Whether its values are few whole numbers, which may be grades or number classes.
    pub fn has_few_whole_numbers(&self) -> bool {
        const MOST: usize = 20;
        self.numbers.is_some_and(|numbers| numbers.are_whole)
            && self.distinct().is_some_and(|count| count <= MOST)
    }

    /// Whether it has two values, 0 and 1.
    pub fn is_zero_or_one(&self) -> bool {
        let is_within = |numbers: &NumberRange| numbers.are_whole && numbers.min >= 0.0 && numbers.max <= 1.0;
        self.numbers.as_ref().is_some_and(is_within) && self.distinct() == Some(2)
    }

    /// Whether it has the name of an identifier or of a subject, and values that repeat.
    pub fn is_repeated_id(&self) -> bool {
        const FEW: usize = 10;
        let is_whole = self.numbers.is_none_or(|numbers| numbers.are_whole);
        // A key may be music's.
        (is_id(&self.name) || names_a_subject(&self.name))
            && !self.name.eq_ignore_ascii_case("key")
            && is_whole
            && !self.is_unique
            && self.distinct().is_none_or(|distinct| distinct > FEW)
    }

    /// Whether the column could be predicted.
    pub fn can_be_target(&self) -> bool {
        self.kind != ColumnKind::Ignore && self.kind != ColumnKind::Date && self.missing == 0
    }
}

/// Whether a config sets a column's kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KindSetting {
    /// Training infers it.
    Inferred,
    /// The config sets it.
    Set,
    /// The config sets it until the cells can be read otherwise: the reason says how.
    SetUntilReadable,
}

/// Whether a column of this name says whom a row is about, where there may be several rows of each: `patient`, `Subject No`.
fn names_a_subject(name: &str) -> bool {
    const SUBJECTS: [&str; 17] = [
        "patient",
        "subject",
        "participant",
        "respondent",
        "person",
        "user",
        "username",
        "customer",
        "client",
        "member",
        "household",
        "student",
        "pupil",
        "employee",
        "player",
        "driver",
        "animal",
    ];
    let name = name.to_lowercase();
    let mut words = name.split([' ', '_', '-', '.']).filter(|word| !word.is_empty());
    let is_subject = words.next().is_some_and(|word| SUBJECTS.contains(&word));
    is_subject && words.all(|word| ["no", "nr", "num", "number", "code", "key"].contains(&word))
}

/// The values of a column that were counted, the most frequent first.
pub(super) fn counted_names(column: &ColumnSurvey) -> Option<Vec<NameCount>> {
    if column.lost {
        return None;
    }
    // Numbers that were read in columns have lost their text.
    let shown = |name: &str| match name.strip_suffix(".0") {
        Some(whole) if column.no_numbers.count == 0 => whole.to_owned(),
        _ => name.to_owned(),
    };
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "each row counts once")]
    let rows = |name: String| NameCount { rows: column.names[&name] as u64, name: shown(&name) };
    let mut names: Vec<NameCount> = column.sorted_names().into_iter().map(rows).collect();
    names.sort_by_key(|own| std::cmp::Reverse(own.rows));
    Some(names)
}

/// The first and the last date of a column, where all of its values are dates.
pub(super) fn date_range(column: &ColumnSurvey) -> Option<DateRange> {
    let dates = column.dates.of(column.present);
    let (moments, has_times) = (&dates.moments, dates.has_times);
    moments.are_all_of(column.present).then_some(DateRange {
        first: moments.min,
        last: moments.max,
        has_times,
    })
}

/// The range of a column's numbers, where all of its values are numbers; `head` has the text of some.
pub(super) fn range(column: &ColumnSurvey, head: &ColumnSurvey) -> Option<NumberRange> {
    let moments = &column.numbers;
    let is_whole = |name: &String| name.parse::<f64>().is_ok_and(|number| number.fract() == 0.0);
    let names = if column.names.is_empty() { &head.names } else { &column.names };
    moments.are_all_of(column.present).then(|| NumberRange {
        min: moments.min,
        max: moments.max,
        mean: moments.mean,
        std: moments.std(),
        are_whole: names.keys().all(is_whole) && moments.min.fract() == 0.0 && moments.max.fract() == 0.0,
    })
}
