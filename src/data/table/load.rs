//! From a file to encoded rows in their parts.

use super::census::Census;
use super::fit::ColumnFitter;
use super::layout::Layout;
use super::options::{ColumnKind, Options};
use super::pass::EncodedParts;
use super::read::{Format, Input};
use super::row::Row;
use super::survey::Survey;
use super::{Opened, target};
use crate::data::preprocess::{Preprocessing, PreprocessingSource, TableEncoder, TableFormat, Target};
use crate::data::split::{Assigner, Part};
use crate::data::{EncodedSplits, Loaded, Normalize, Request, Task};
use crate::error::{Error, Result};

/// Loads a table as its options say.
pub(super) fn load(options: &Options, format: Format, request: &Request<'_>) -> Result<Loaded> {
    options.check(format)?;
    let own = Format::of(&options.path).filter(|_| format != Format::Csv).unwrap_or(format);
    if own != format {
        let problem = format!(
            "the extension of {} does not match `data.name`; change one of them",
            options.path.display()
        );
        return Err(Error::key("data.path", format!("– {problem}")));
    }
    let table = Opened::new(Input::File(options.path.clone()), format, options.dialect(), None)?;
    let plan = Plan::new(Layout::new(options, &table, request)?)?;
    let encoder = match request.fitted.and_then(Preprocessing::table) {
        Some(encoder) => encoder.clone(),
        None => plan.fit()?,
    };
    let EncodedParts { train, validation, test, duplicates } = plan.encode(&encoder)?;
    if duplicates > 0 {
        tracing::warn!(
            "{}: {duplicates} held-out rows duplicate the features of a training row",
            options.path.display()
        );
    }
    let format = TableFormat { format, delimiter: options.delimiter, na_values: options.na_values.clone() };
    let train = train.ok_or_else(|| Error::data(&options.path, "there are no rows to train on"))?;
    let outputs = encoder.target.outputs();
    let source = PreprocessingSource::Table { format, encoder };
    Ok(Loaded::Encoded(Box::new(EncodedSplits { train, validation, test, outputs, source })))
}

/// How the rows of a table are assigned to parts and encoded.
pub(super) struct Plan<'a> {
    pub(super) layout: Layout<'a>,
    pub(super) census: Census,
    pub(super) assigner: Assigner,
}

impl<'a> Plan<'a> {
    fn new(layout: Layout<'a>) -> Result<Self> {
        let census = layout.count()?;
        let assigner = layout.assigner(&census)?;
        Ok(Self { layout, census, assigner })
    }

    /// Calls `see` with every row and its part.
    pub(super) fn pass(&self, mut see: impl FnMut(&Row, Part) -> Result<()>) -> Result<()> {
        let (mut records, mut row) = (self.layout.table.records()?, Row::default());
        let mut assigner = self.assigner.clone();
        while records.next(&mut row)? {
            let part = match self.layout.said(&row)? {
                None | Some(Part::Train) => assigner.assign(self.layout.stratum(&row, &self.census)),
                Some(part) => part,
            };
            see(&row, part)?;
        }
        Ok(())
    }

    /// Finds out what the training rows hold.
    fn fit(&self) -> Result<TableEncoder> {
        let Layout { options, table, request, targets, features, .. } = &self.layout;
        let (columns, classes) = (table.columns(), self.layout.class_column());
        let is_category = |column: usize| {
            let given = options.columns.get(&columns[column]);
            Some(column) == classes
                || matches!(given, Some(ColumnKind::Category | ColumnKind::Embedding))
                || (request.task == Task::Labels && targets.contains(&column))
        };
        let categories: Vec<bool> = (0..columns.len()).map(is_category).collect();
        let quantiles =
            request.plan.normalize == Normalize::Robust || options.missing == Some(super::Missing::Median);
        let mut survey = Survey::new(&categories, quantiles);
        self.pass(|row, part| {
            if part != Part::Unused {
                survey.see(row, part == Part::Train);
            }
            Ok(())
        })?;
        let pick = |places: &[usize]| -> (Vec<String>, Vec<super::survey::Column>) {
            places.iter().map(|place| (columns[*place].clone(), survey.columns[*place].clone())).unzip()
        };
        let (path, plan) = (table.path(), request.plan);
        let (names, found) = pick(targets);
        let standardize = options.standardize_target && request.standardize;
        let target = match classes {
            Some(_) => Target::Classes { name: names[0].clone(), classes: self.census.names.clone() },
            None => target::of_numbers(path, request.task, &names, &found, standardize)?,
        };
        let (names, found) = pick(features);
        let fitter = ColumnFitter { path, options, normalize: plan.normalize, ordered: false };
        Ok(TableEncoder::new(target, fitter.columns(&names, &found)?))
    }
}
