//! Warnings about cells that are encoded all the same: names that training did not have, and numbers far outside its own.

use super::super::read::quoted;
use super::super::row::Cells;
use super::super::shown::{ShownCell, shown};
use super::super::value::Value;
use super::extremes::{Extremes, OuterNumber};
use super::odd_cells::OddCells;
use super::{LocatedColumn, RowEncoder};
use crate::data::preprocess::Target;
use crate::names::counted;

/// Targets this many deviations from the mean of training are far outside it, whatever training has: of a million rows none has
/// such a target.
const FAR_TARGET: f64 = 1e3;

/// A way to bear numbers that are far from all others.
const BOUNDED: &str =
    "train with `data.normalize = \"robust_smooth\"`, which bounds such numbers but takes no `data.weight`";

impl LocatedColumn<'_> {
    /// Whether one of a cell's features is far outside those of training.
    pub(super) fn is_far(&self, features: &[f64]) -> bool {
        self.bound.is_finite() && features.iter().any(|feature| feature.abs() > self.bound)
    }

    /// Counts a row's cell as a number far outside those of training.
    #[cold]
    pub(super) fn see_far(&mut self, row: &impl Cells) {
        let cell = self.cell(row);
        OddCells::see(&mut self.far, || shown(cell), row.line());
    }

    /// Counts a row's cell as a name that training did not have.
    pub(super) fn see_unseen(&mut self, row: &impl Cells) {
        let cell = self.cell(row);
        OddCells::see(&mut self.unseen, || shown(cell), row.line());
    }
}

impl RowEncoder<'_> {
    /// The same encoder, which has seen no rows.
    pub(in crate::data::table) fn without_odd_cells(&self) -> Self {
        let mut fresh = self.clone();
        for located in &mut fresh.columns {
            (located.unseen, located.far, located.outer) = (None, None, Extremes::default());
        }
        fresh.far_targets.fill(None);
        fresh.outer_targets.fill(Extremes::default());
        fresh
    }

    /// Takes in that a row with these features is trained on.
    pub(in crate::data::table) fn see_training(&mut self, row: &impl Cells, features: &[f64]) {
        let mut offset = 0;
        for located in &mut self.columns {
            let own = offset..offset + located.dense_width;
            offset = own.end;
            let Some(own) = features.get(own) else { continue };
            located.trains_far |= located.is_far(own);
            if let ([number, ..], true) = (own, located.bound.is_finite()) {
                let index = located.index;
                located.outer.see(*number, || {
                    let cell = index.map_or(Value::Missing, |index| row.value(index));
                    (cell != Value::Missing).then(|| ShownCell { line: row.line(), text: shown(cell) })
                });
            }
        }
    }

    /// Looks at the targets of a row that is trained on.
    pub(in crate::data::table) fn see_trained_targets(&mut self, row: &impl Cells, targets: &[f64]) {
        let Target::Values { scale, .. } = self.target else { return };
        if !scale.is_standardized() {
            return;
        }
        for (index, (outer, target)) in self.outer_targets.iter_mut().zip(targets).enumerate() {
            let cell = || Some(ShownCell { line: row.line(), text: format!("`{target:?}`") });
            outer.see(scale.value(index, *target), cell);
        }
    }

    /// Looks at the targets of a row that is held out.
    pub(in crate::data::table) fn see_held_out(&mut self, row: &impl Cells, targets: &[f64]) {
        let Target::Values { scale, .. } = self.target else { return };
        if !scale.is_standardized() {
            return;
        }
        for (index, (far, target)) in self.far_targets.iter_mut().zip(targets).enumerate() {
            if scale.value(index, *target).abs() > FAR_TARGET {
                OddCells::see(far, || format!("`{target:?}`"), row.line());
            }
        }
    }

    /// Adds the odd cells of rows that follow, which `other` has encoded.
    pub(in crate::data::table) fn add_odd_cells(&mut self, other: Self) {
        for (own, other) in self.columns.iter_mut().zip(other.columns) {
            OddCells::join(&mut own.unseen, other.unseen);
            OddCells::join(&mut own.far, other.far);
            own.trains_far |= other.trains_far;
            own.outer.join(other.outer);
        }
        for (own, other) in self.outer_targets.iter_mut().zip(other.outer_targets) {
            own.join(other);
        }
        for (own, other) in self.far_targets.iter_mut().zip(other.far_targets) {
            OddCells::join(own, other);
        }
    }

    /// Warnings about names that training did not have, numbers far outside those that it had, and absurd ones among these: a
    /// sentence each.
    pub fn warnings(&self) -> Vec<String> {
        let of_columns = self.columns.iter().flat_map(|located| {
            let all = [located.unseen_names(), located.far_numbers(), located.absurd_number()];
            all.into_iter().flatten().map(|warning| (&located.column.name, warning))
        });
        let names = || self.target.names().iter();
        let far =
            names().zip(&self.far_targets).filter_map(|(name, far)| Some((name, far_targets(far.as_ref()?))));
        let absurd = names()
            .zip(&self.outer_targets)
            .filter_map(|(name, outer)| Some((name, absurd_target(outer.absurd()?))));
        let path = self.path.display();
        of_columns
            .chain(far)
            .chain(absurd)
            .map(|(name, warning)| format!("{path}: column {}: {warning}", quoted(name)))
            .collect()
    }
}

impl LocatedColumn<'_> {
    fn unseen_names(&self) -> Option<String> {
        let OddCells { count, ref first, line } = *self.unseen.as_ref()?;
        let values = counted(count, "value");
        Some(format!(
            "{values} that training did not have count as unknown (the first is {first} in line {line})"
        ))
    }

    fn far_numbers(&self) -> Option<String> {
        if self.trains_far {
            return None;
        }
        let OddCells { count, ref first, line } = *self.far.as_ref()?;
        let numbers = counted(count, "number");
        Some(format!(
            "{numbers} far outside those of training (the first is {first} in line {line}), for which a network's answer is \
             arbitrary: correct them, or {BOUNDED}"
        ))
    }

    fn absurd_number(&self) -> Option<String> {
        let ShownCell { line, text: shown } = &self.outer.absurd()?.cell;
        Some(format!(
            "{shown} in line {line}, which is trained on, is over a thousand times as far from all other numbers as these lie \
             apart, so that a network without `model.numerical` learns little of them: correct it, or {BOUNDED}"
        ))
    }
}

fn far_targets(far: &OddCells) -> String {
    let OddCells { count, ref first, line } = *far;
    let numbers = counted(count, "number");
    format!(
        "{numbers} far outside those of training (the first is {first} in line {line}), which alone may decide the loss and \
         the metrics of the rows held out: correct them"
    )
}

fn absurd_target(OuterNumber { cell: ShownCell { line, text: shown }, .. }: &OuterNumber) -> String {
    format!(
        "{shown} in line {line}, which is trained on, is over a thousand times as far from all other targets as these lie \
         apart, and alone decides what is learnt: correct it, or try `data.target_transform = \"quantile\"`"
    )
}
