//! From a file to encoded rows in their parts.

use super::census::Census;
use super::learn::Learner;
use super::options::{Options, Test};
use super::read::{Format, Input, quoted};
use super::recipe::{Kind, Recipe};
use super::row::{Row, Value};
use super::survey::Survey;
use super::target::Target;
use super::{Opened, encode, target};
use crate::data::learnt::{How, Learnt, TableFormat};
use crate::data::split::{Dealer, Part, Shares};
use crate::data::{Dealt, Loaded, Normalize, Request, Want};
use crate::error::{Error, Result};

/// Loads a table as its options say.
pub(super) fn load(options: &Options, format: Format, request: &Request<'_>) -> Result<Loaded> {
    options.check(format)?;
    let own = Format::of(&options.path).filter(|_| format != Format::Csv).unwrap_or(format);
    if own != format {
        let problem = format!(
            "{} is no file of this format by its ending; set `data.name` to fit",
            options.path.display()
        );
        return Err(Error::key("data.path", format!("– {problem}")));
    }
    let table = Opened::new(Input::File(options.path.clone()), format, options.dialect(), None)?;
    let plan = Plan::new(options, &table, request)?;
    let recipe = match request.learnt.and_then(Learnt::recipe) {
        Some(recipe) => recipe.clone(),
        None => plan.learn()?,
    };
    let (dealt, duplicates) = plan.encode(&recipe)?;
    if duplicates > 0 {
        tracing::warn!(
            "{}: {duplicates} of the rows that are held out have the features of a row that is trained on",
            options.path.display()
        );
    }
    let format = TableFormat { format, delimiter: options.delimiter, na_values: options.na_values.clone() };
    let [train, validation, test] = dealt;
    let train = train.ok_or_else(|| Error::data(&options.path, "there are no rows to train on"))?;
    let outputs = recipe.target.outputs();
    let how = How::Table { table: format, recipe };
    Ok(Loaded::Dealt(Box::new(Dealt { train, validation, test, outputs, how })))
}

/// How the rows of a table are dealt and encoded.
pub(super) struct Plan<'a> {
    pub(super) options: &'a Options,
    pub(super) table: &'a Opened,
    pub(super) request: &'a Request<'a>,
    targets: Vec<usize>,
    /// The column that says what a row is for.
    split: Option<usize>,
    /// The columns of features.
    features: Vec<usize>,
    pub(super) census: Census,
    pub(super) dealer: Option<Dealer>,
}

impl<'a> Plan<'a> {
    fn new(options: &'a Options, table: &'a Opened, request: &'a Request<'a>) -> Result<Self> {
        let (path, columns) = (table.path(), table.columns());
        if let Some(unknown) = options.columns.keys().find(|name| !columns.contains(name)) {
            let problem = format!("is not a column of {}; {}", path.display(), encode::has(columns));
            return Err(Error::key(format!("data.columns.{unknown}"), problem));
        }
        let targets = target::places(path, &options.target.0, columns)?;
        let split = match &options.split_column {
            None => None,
            Some(name) => Some(columns.iter().position(|own| own == name).ok_or_else(|| {
                let problem =
                    format!("there is no column {} to split by; {}", quoted(name), encode::has(columns));
                Error::data(path, problem)
            })?),
        };
        let features =
            (0..columns.len()).filter(|column| !targets.contains(column) && split != Some(*column));
        let features = features.collect();
        let mut plan = Self {
            options,
            table,
            request,
            targets,
            split,
            features,
            census: Census::default(),
            dealer: None,
        };
        plan.census = plan.count()?;
        plan.dealer = plan.dealer()?;
        Ok(plan)
    }

    /// The column of the classes, where the loss compares classes by their names.
    pub(super) fn class_column(&self) -> Option<(usize, &str, i64)> {
        match (self.request.want, self.targets.as_slice()) {
            (Want::Classes { ignored, .. }, [place]) => {
                Some((*place, &self.table.columns()[*place], ignored))
            }
            _ => None,
        }
    }

    fn class_of(&self, row: &Row) -> usize {
        self.census.class(self.class_column().map(|(place, ..)| row.value(place)))
    }

    fn count(&self) -> Result<Census> {
        if let (Want::Classes { probabilities: false, .. }, [_, _, ..]) =
            (self.request.want, self.targets.as_slice())
        {
            let problem = "has several columns, but the loss compares one class a row; name one column";
            return Err(Error::key("data.target", problem));
        }
        let mut records = self.table.records()?;
        Census::take(self.table.path(), self.class_column(), |row| records.next(row))
    }

    fn dealer(&self) -> Result<Option<Dealer>> {
        let plan = self.request.plan;
        let test = if let Test::Share(share) = self.options.test { share } else { 0.0 };
        let limit = plan.limit.map(|limit| limit as u64);
        let shares = Shares { test, validation: plan.validation, fold: plan.fold, limit };
        if self.split.is_some() && plan.fold.is_none() {
            return self.dealer_of_training_rows(Shares { test: 0.0, ..shares });
        }
        // Rows without a class have a place of their own.
        let mut counts = self.census.counts.clone();
        counts.push(self.census.rows - counts.iter().sum::<u64>());
        Dealer::new(&shares, &counts, self.request.seed, |see| {
            let (mut records, mut row) = (self.table.records()?, Row::default());
            while records.next(&mut row)? && see(self.class_of(&row)) {}
            Ok(())
        })
        .map(Some)
    }

    /// Where a column says what rows are for, what is held out for validation is of those to train on, and only where
    /// no row is said to be for that.
    fn dealer_of_training_rows(&self, shares: Shares) -> Result<Option<Dealer>> {
        let mut counts = vec![0; self.census.counts.len() + 1];
        let (mut records, mut row, mut validated) = (self.table.records()?, Row::default(), false);
        while records.next(&mut row)? {
            match self.said(&row)? {
                Some(Part::Train) => counts[self.class_of(&row)] += 1,
                Some(Part::Validation) => validated = true,
                _ => {}
            }
        }
        if counts.iter().sum::<u64>() == 0 {
            return Err(Error::key("data.split_column", "has no row for \"train\""));
        }
        if validated && shares.validation > 0.0 {
            let problem = "cannot be used where `data.split_column` has rows for validation; remove it";
            return Err(Error::key("data.validation", problem));
        }
        Dealer::new(&shares, &counts, self.request.seed, |see| {
            let (mut records, mut row) = (self.table.records()?, Row::default());
            while records.next(&mut row)? {
                if self.said(&row)? == Some(Part::Train) && !see(self.class_of(&row)) {
                    break;
                }
            }
            Ok(())
        })
        .map(Some)
    }

    /// What the split column says of a row.
    fn said(&self, row: &Row) -> Result<Option<Part>> {
        let Some(place) = self.split.filter(|_| self.request.plan.fold.is_none()) else { return Ok(None) };
        let value = row.value(place);
        let word = match value {
            Value::Text(text) => text.to_ascii_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "train" | "training" => Ok(Some(Part::Train)),
            "validation" | "valid" | "val" | "dev" => Ok(Some(Part::Validation)),
            "test" | "testing" => Ok(Some(Part::Test)),
            _ => {
                let name = self.options.split_column.as_deref().unwrap_or_default();
                let problem = format!(
                    "line {}, column {}: {} is none of train, validation and test",
                    row.line,
                    quoted(name),
                    super::survey::shown(value)
                );
                Err(Error::data(self.table.path(), problem))
            }
        }
    }

    /// Calls `see` with every row and its part.
    pub(super) fn pass(&self, mut see: impl FnMut(&Row, Part) -> Result<()>) -> Result<()> {
        let (mut records, mut row, mut dealer) = (self.table.records()?, Row::default(), self.dealer.clone());
        while records.next(&mut row)? {
            let said = self.said(&row)?;
            let part = match (said, &mut dealer) {
                (None | Some(Part::Train), Some(dealer)) => dealer.deal(self.class_of(&row)),
                (Some(part), _) => part,
                (None, None) => Part::Train,
            };
            see(&row, part)?;
        }
        Ok(())
    }

    /// Finds out what the training rows hold.
    fn learn(&self) -> Result<Recipe> {
        let columns = self.table.columns();
        let classes = self.class_column().map(|(place, ..)| place);
        let is_category = |column: usize| {
            let given = self.options.columns.get(&columns[column]);
            Some(column) == classes
                || matches!(given, Some(Kind::Category | Kind::Embedding))
                || (self.request.want == Want::Labels && self.targets.contains(&column))
        };
        let categories: Vec<bool> = (0..columns.len()).map(is_category).collect();
        let quantiles = self.request.plan.normalize == Normalize::Robust
            || self.options.missing == Some(super::Missing::Median);
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
        let (path, plan) = (self.table.path(), self.request.plan);
        let (names, found) = pick(&self.targets);
        let standardize = self.options.standardize_target && self.request.standardize;
        let target = match classes {
            Some(_) => Target::Classes { name: names[0].clone(), classes: self.census.names.clone() },
            None => target::of_numbers(path, self.request.want, &names, &found, standardize)?,
        };
        let (names, found) = pick(&self.features);
        let learner = Learner { path, options: self.options, normalize: plan.normalize, ordered: false };
        Ok(Recipe { target, columns: learner.encodings(&names, &found)? })
    }
}
