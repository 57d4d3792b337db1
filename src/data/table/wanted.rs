//! How the cells of a table are read: its dialect, and the columns that keep their text or are left out.

use super::options::{ColumnKind, Options};
use super::read::{Dialect, WantedColumns};
use crate::data::preprocess::{Preprocessing, TableEncoder};
use crate::data::{Request, Task};

impl Options {
    /// How the cells of the file are read for targets of this task.
    pub(super) fn dialect(&self, task: Task) -> Dialect {
        let names = self.columns.iter().filter(|(_, kind)| kind.is_names()).map(|(name, _)| name.clone());
        let classes = self.target.0.iter().filter(|_| task.classes() && self.target.0.len() == 1);
        Dialect {
            delimiter: self.delimiter,
            decimal: self.decimal,
            thousands: self.thousands,
            na_values: self.na_values.clone(),
            copied_columns: Vec::new(),
            required_columns: if self.drop_missing_target { self.target.0.clone() } else { Vec::new() },
            keep_na: self.keep_na,
            text_columns: names.chain(classes.cloned()).collect(),
        }
    }

    /// How the columns are kept: names, classes, labels, splits and groups are compared as text.
    pub(super) fn wanted(&self, request: &Request<'_>) -> WantedColumns {
        let mut text = self.dialect(request.task).text_columns;
        if request.task.classes() || request.task == Task::Labels {
            text.extend(self.target.0.iter().cloned());
        }
        text.extend(self.split_column.clone());
        text.extend(self.group.0.iter().cloned());
        let encoder = request.fitted.and_then(Preprocessing::table);
        text.extend(encoder.into_iter().flat_map(TableEncoder::named_columns).cloned());
        let given = self.columns.iter().filter(|(_, kind)| **kind == ColumnKind::Ignore);
        let given = given.map(|(name, _)| name.clone());
        let fitted = encoder.into_iter().flat_map(TableEncoder::columns);
        let unused = fitted.filter(|column| column.ignored.is_some()).map(|column| column.name.clone());
        let is_used = |name: &String| {
            let is_named = self.target.0.contains(name) || self.group.0.contains(name);
            is_named || [&self.split_column, &self.weight].contains(&&Some(name.clone()))
        };
        let ignored = given.chain(unused).filter(|name| !is_used(name)).collect();
        WantedColumns { text, ignored }
    }
}
