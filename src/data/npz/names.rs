//! The names of the arrays of an `.npz` file.

use std::path::Path;

use crate::names::first_few;

/// The names of the arrays of a split: `x_train`, `y_train` and `w_train`; or `x`, `y` and `w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SplitNames(&'static str);

impl SplitNames {
    pub(super) const TRAIN: Self = Self("_train");
    pub(super) const VALIDATION: Self = Self("_val");
    pub(super) const TEST: Self = Self("_test");
    /// Rows of no split, as `predict` reads them.
    const PLAIN: Self = Self("");

    /// The split that is read first: that of training rows; of a file to score also others, as of one to predict.
    pub(super) fn first(names: &[String], is_scored: bool) -> Self {
        let is_there = |own: &Self| names.contains(&own.arrays()[0]);
        let others = if is_scored { &[Self::PLAIN, Self::TEST][..] } else { &[] };
        if is_there(&Self::TRAIN) {
            return Self::TRAIN;
        }
        others.iter().copied().find(is_there).unwrap_or(Self::TRAIN)
    }

    /// The names of the inputs, the targets and the weights.
    pub(super) fn arrays(self) -> [String; 3] {
        ["x", "y", "w"].map(|prefix| format!("{prefix}{}", self.0))
    }
}

/// Says which arrays are scored where all rows of a file are, and which are not.
pub(super) fn scored(names: &[String]) -> Option<String> {
    use SplitNames as Own;
    let first = Own::first(names, true);
    let all = [Own::TRAIN, Own::PLAIN, Own::VALIDATION, Own::TEST];
    let is_scored = |own: Own| own == first || (first == Own::TRAIN && own == Own::TEST);
    let listed = |wanted: bool| {
        let of = all.into_iter().filter(|own| is_scored(*own) == wanted);
        let inputs = of.map(|own| own.arrays()[0].clone()).filter(|name| names.contains(name));
        inputs.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
    };
    let (scored, others) = (listed(true), listed(false));
    let others = if others.is_empty() { others } else { format!(", and not those of {others}") };
    (!scored.is_empty()).then(|| format!("the rows of {scored} are scored{others}"))
}

/// Names the arrays that a run is not trained on.
pub(super) fn warn_of_unread(path: &Path, names: &[String]) {
    let splits = [SplitNames::TRAIN, SplitNames::VALIDATION, SplitNames::TEST];
    // Targets are read beside their inputs.
    let read: Vec<String> =
        splits.iter().map(|own| own.arrays()).filter(|own| names.contains(&own[0])).flatten().collect();
    let unread: Vec<String> = names
        .iter()
        .filter(|name| !read.contains(name))
        .map(|name| format!("`{}`", name.escape_debug()))
        .collect();
    if !unread.is_empty() {
        tracing::warn!(
            "{}: nothing reads {}; rows are `x_train` and `y_train`, and `x_val`, `y_val`, `x_test`, `y_test` where \
             they are there, with their weights in `w_train`, `w_val`, `w_test`",
            path.display(),
            first_few(unread)
        );
    }
}
