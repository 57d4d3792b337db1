//! Columns that tell the target, for people.

use crate::data::profile::Leak;
use crate::data::table::read::quoted;

/// The column, and what to do about it.
pub(super) fn describe_leak(leak: &Leak) -> String {
    let column = quoted(&leak.column);
    let what = if leak.is_equal {
        "has the values of the target".to_owned()
    } else {
        format!("alone predicts the target nearly perfectly ({:.2} %)", 100.0 * leak.score)
    };
    format!("column {column} {what}; ignore it, unless its value is known before the target is")
}
