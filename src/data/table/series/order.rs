//! The options of a series as those of a table, and the order of its rows.

use super::TimeSeries;
use crate::data::preprocess::{Fill, PreprocessingSource, SeriesOrder};
use crate::data::table::Opened;
use crate::data::table::named::{self, Named};
use crate::data::table::options::{ColumnKind, Missing, Options};
use crate::error::Result;

impl TimeSeries {
    /// As the options of a table.
    pub(super) fn options(&self) -> Options {
        Options {
            path: self.path.clone(),
            target: self.target.clone(),
            test: self.test.clone(),
            columns: self.columns.clone(),
            missing: self.missing,
            na_values: self.na_values.clone(),
            keep_na: self.keep_na,
            delimiter: self.delimiter,
            decimal: self.decimal,
            thousands: self.thousands,
            standardize_target: self.standardize_target,
            memory: self.memory,
            ..Options::default()
        }
    }

    /// The order of the rows of a run's series, else as far as the options determine it.
    pub(super) fn order_of(&self, fitted: Option<&PreprocessingSource>) -> SeriesOrder {
        match fitted {
            Some(PreprocessingSource::Series { order, .. }) => order.clone(),
            _ => self.order(),
        }
    }

    /// The steps that a run predicts, else those of the options.
    pub(super) fn steps_of(&self, fitted: Option<&PreprocessingSource>) -> Vec<usize> {
        match fitted {
            Some(PreprocessingSource::Series { steps, .. }) => steps.clone(),
            _ => self.horizon.steps(),
        }
    }

    /// The order of the rows, as far as the options determine it.
    fn order(&self) -> SeriesOrder {
        let fill = match self.missing {
            Some(Missing::Previous) => Some(Fill::Previous),
            Some(Missing::Interpolate) => Some(Fill::Interpolate),
            _ => None,
        };
        SeriesOrder {
            uneven: false,
            time: self.time.clone(),
            step: None,
            frequency: None,
            max_gap: self.max_gap,
            form: None,
            season_length: self.season_length,
            group: self.group.0.clone(),
            sort: self.sort,
            fill,
        }
    }

    /// The columns that may be the time where none is named.
    ///
    /// # Errors
    /// A column that is named for the order is not there.
    pub(super) fn candidates(&self, table: &Opened) -> Result<Vec<usize>> {
        let columns = table.columns();
        let time = self.time.iter().map(|name| Named::time(name));
        for named in time.chain(self.group.0.iter().map(|name| Named::group(name))) {
            named::place(table.path(), columns, named, false)?;
        }
        let taken = |name: &String| {
            self.target.0.contains(name)
                || self.group.0.contains(name)
                || self.columns.get(name).is_some_and(|kind| *kind != ColumnKind::Date)
        };
        Ok((0..columns.len()).filter(|column| !taken(&columns[*column])).collect())
    }
}
