//! The last pass over a table: encodes its rows, each into its part.

use std::path::Path;

use super::collect::{Collector, Duplicates, form};
use super::load::Plan;
use super::options::{Options, Test};
use super::read::Input;
use super::row::Row;
use super::{Opened, RowEncoder};
use crate::data::preprocess::{TableEncoder, Target};
use crate::data::split::{Part, Sizes};
use crate::data::{EncodedRows, Request, Task};
use crate::error::{Error, Result};

/// The encoded rows of each part.
pub(super) struct EncodedParts {
    pub(super) train: Option<EncodedRows>,
    pub(super) validation: Option<EncodedRows>,
    pub(super) test: Option<EncodedRows>,
    /// The held-out rows with the features of a training row.
    pub(super) duplicates: u64,
}

impl<'a> Plan<'a> {
    /// The test file, unless folds replace it.
    fn test_file(&self) -> Option<&'a Path> {
        match &self.layout.options.test {
            Test::File(path) if self.layout.request.plan.fold.is_none() => Some(path),
            _ => None,
        }
    }

    fn rows_of_test_file(&self) -> Result<u64> {
        let Some(path) = self.test_file() else { return Ok(0) };
        let format = Options::format_of(path, self.layout.table.format);
        let names = self.layout.table.columns();
        let table =
            Opened::new(Input::File(path.to_path_buf()), format, self.layout.options.dialect(), Some(names))?;
        let (mut records, mut row, mut rows) = (table.records()?, Row::default(), 0);
        while records.next(&mut row)? {
            rows += 1;
        }
        Ok(rows)
    }

    /// Encodes all rows.
    pub(super) fn encode(&self, fitted: &TableEncoder) -> Result<EncodedParts> {
        let targets = if self.layout.class_column().is_some() { 0 } else { fitted.target.width() };
        let form = form(fitted.features(), targets, self.layout.request.dtype);
        let Sizes { train, validation, test } = self.assigner.sizes();
        let all = self.census.rows + self.rows_of_test_file()?;
        let in_memory = Collector::fits(form, all, self.layout.options.memory);
        let mut parts = [
            Collector::new(form, train, in_memory)?,
            Collector::new(form, validation, in_memory)?,
            Collector::new(form, test, in_memory)?,
        ];
        let mut duplicates = Duplicates::new(all);
        let mut write =
            Write { fitted, request: self.layout.request, features: Vec::new(), targets: Vec::new() };
        let records = self.layout.table.records()?;
        let mut encoder = RowEncoder::new(fitted, self.layout.table.path(), &*records, true)?;
        self.pass(|row, part| {
            let place = match part {
                Part::Train => 0,
                Part::Validation => 1,
                Part::Test => 2,
                Part::Unused => return Ok(()),
            };
            write.row(&mut encoder, row, &mut parts[place])?;
            duplicates.add(&write.features, place == 0);
            Ok(())
        })?;
        encoder.unseen().iter().for_each(|said| tracing::warn!("{said}"));
        if let Some(path) = self.test_file() {
            let format = Options::format_of(path, self.layout.table.format);
            let columns: Vec<String> = self.layout.table.columns().to_vec();
            let table = Opened::new(
                Input::File(path.to_path_buf()),
                format,
                self.layout.options.dialect(),
                Some(&columns),
            )?;
            let mut records = table.records()?;
            let mut encoder = RowEncoder::new(fitted, path, &*records, true)?;
            let mut row = Row::default();
            while records.next(&mut row)? {
                write.row(&mut encoder, &row, &mut parts[2])?;
                duplicates.add(&write.features, false);
            }
            encoder.unseen().iter().for_each(|said| tracing::warn!("{said}"));
        }
        let [train, validation, test] = parts.map(Collector::finish);
        if test.as_ref().is_ok_and(Option::is_none) && self.test_file().is_some() {
            return Err(Error::key("data.test", "names a file without rows"));
        }
        Ok(EncodedParts {
            train: train?,
            validation: validation?,
            test: test?,
            duplicates: duplicates.count(),
        })
    }
}

/// Encodes rows into the collector of their part.
struct Write<'a> {
    fitted: &'a TableEncoder,
    request: &'a Request<'a>,
    features: Vec<f64>,
    targets: Vec<f64>,
}

impl Write<'_> {
    fn row(&mut self, encoder: &mut RowEncoder<'_>, row: &Row, part: &mut Collector) -> Result<()> {
        encoder.features(row, &mut self.features)?;
        if let (Target::Classes { .. }, Task::Classes { ignored, .. }) =
            (&self.fitted.target, self.request.task)
        {
            return part.add(&self.features, &[], encoder.class(row, ignored)?);
        }
        encoder.targets(row, &mut self.targets)?;
        part.add(&self.features, &self.targets, 0)
    }
}
