//! Warnings about cells that are encoded all the same: names that training did not have, and numbers far outside its own.

use super::super::read::quoted;
use super::super::row::Cells;
use super::super::shown::shown;
use super::odd_cells::OddCells;
use super::{FAR, LocatedColumn, RowEncoder};
use crate::data::preprocess::Target;
use crate::names::counted;

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
        fresh.columns.iter_mut().for_each(|located| (located.unseen, located.far) = (None, None));
        fresh.far_targets.fill(None);
        fresh
    }

    /// Takes in that a row with these features is trained on.
    pub(in crate::data::table) fn see_training(&mut self, features: &[f64]) {
        let mut offset = 0;
        for located in &mut self.columns {
            let own = offset..offset + located.dense_width;
            offset = own.end;
            located.trains_far |= features.get(own).is_some_and(|own| located.is_far(own));
        }
    }

    /// Looks at the targets of a row that is held out.
    pub(in crate::data::table) fn see_held_out(&mut self, row: &impl Cells, targets: &[f64]) {
        let Target::Values { scale, .. } = self.target else { return };
        if !scale.is_standardized() {
            return;
        }
        for (index, (far, target)) in self.far_targets.iter_mut().zip(targets).enumerate() {
            if scale.value(index, *target).abs() > FAR {
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
        }
        for (own, other) in self.far_targets.iter_mut().zip(other.far_targets) {
            OddCells::join(own, other);
        }
    }

    /// Warnings about names that training did not have, and numbers far outside those that it had: a sentence per column.
    pub fn warnings(&self) -> Vec<String> {
        let unseen = |located: &LocatedColumn<'_>| {
            let OddCells { count, ref first, line } = *located.unseen.as_ref()?;
            let values = counted(count, "value");
            Some(format!(
                "{values} that training did not have count as unknown (the first is {first} in line {line})"
            ))
        };
        let far = |located: &LocatedColumn<'_>| {
            if located.trains_far {
                return None;
            }
            let OddCells { count, ref first, line } = *located.far.as_ref()?;
            let numbers = counted(count, "number");
            Some(format!(
                "{numbers} far outside those of training (the first is {first} in line {line}), for which a network's \
                 answer is arbitrary: correct them, or train with `data.normalize = \"robust_smooth\"`, which bounds \
                 them but takes no `data.weight`"
            ))
        };
        let of_columns = self.columns.iter().flat_map(|located| {
            let all = [unseen(located), far(located)].into_iter().flatten();
            all.map(|warning| (&located.column.name, warning))
        });
        let of_targets = self.target.names().iter().zip(&self.far_targets).filter_map(|(name, far)| {
            let OddCells { count, ref first, line } = *far.as_ref()?;
            let numbers = counted(count, "number");
            let warning = format!(
                "{numbers} far outside those of training (the first is {first} in line {line}), which alone may decide \
                 the loss and the metrics of the rows held out: correct them"
            );
            Some((name, warning))
        });
        let path = self.path.display();
        of_columns
            .chain(of_targets)
            .map(|(name, warning)| format!("{path}: column {}: {warning}", quoted(name)))
            .collect()
    }
}
