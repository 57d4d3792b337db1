//! Advice in a table's config, on what may be meant otherwise than it is taken.

use toml::Value;

use super::document::Document;
use super::target::TargetKind;
use crate::data::profile::{ColumnProfile, TableProfile};
use crate::data::table::ColumnKind;
use crate::data::table::read::quoted;

/// Names of columns that often say how much a row counts.
const WEIGHTS: [&str; 9] = [
    "weight",
    "weights",
    "wt",
    "wts",
    "sample_weight",
    "sample_weights",
    "case_weight",
    "case_weights",
    "freq",
];

/// Says that a transformation may help where positive targets have a long tail.
pub(super) fn skewed(document: &mut Document, profile: &TableProfile, targets: &[String]) {
    /// The least largest value of a long tail, in means: of 10,000 exponentially distributed numbers it is about 10.
    const TAIL: f64 = 20.0;
    let ranges = || targets.iter().filter_map(|name| profile.column(name)?.numbers);
    if !ranges().all(|range| range.min >= 0.0) {
        return;
    }
    let longest = ranges().map(|range| range.max / range.mean).fold(0.0, f64::max);
    if longest > TAIL {
        document.note(&format!(
            "The largest target is {longest:.0} times the mean. Try target_transform = \"log1p\", which learns the logarithm of \
             1 + target; predictions and metrics stay in the target's units."
        ));
    }
}

/// Says what columns are taken for that may well be meant otherwise.
pub(super) fn doubts(document: &mut Document, profile: &TableProfile, targets: &[String], kind: &TargetKind) {
    let has_numbers = |name: &String| profile.column(name).is_some_and(|column| column.numbers.is_some());
    if let (TargetKind::Classes(names), [target]) = (kind, targets)
        && names.len() > 2
        && has_numbers(target)
    {
        document.note(
            "The target's numbers are taken for classes without an order. Where they are grades or ratings, try a model \
             of numbers: name = \"mse\" in [loss], clamp_output = true in [data], and no calibrate.",
        );
    }
    let weights = |column: &&ColumnProfile| {
        if column.kind == ColumnKind::Ignore || profile.split_column.as_ref() == Some(&column.name) {
            return false;
        }
        let name = column.name.to_lowercase().replace(['-', ' ', '.'], "_");
        let is_named = WEIGHTS.contains(&name.as_str()) && !targets.contains(&column.name);
        is_named && column.numbers.is_some_and(|numbers| numbers.min >= 0.0)
    };
    for column in profile.columns.iter().filter(weights) {
        let name = &column.name;
        document.note(&format!(
            "Column {} is taken for a feature. If it says how much a row counts, set",
            quoted(name)
        ));
        document.verbatim(&format!("weight = {}", Value::from(name.as_str())));
    }
}
