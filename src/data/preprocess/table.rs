//! The fitted preprocessing of a table: its columns and its target.

use serde::{Deserialize, Serialize};

use super::column::{Column, Operation};
use super::name_rule::NameRule;
use super::step::Step;
use super::target::Target;
use crate::data::table::read::quoted;

/// The size of an embedding's table. In files it is a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(usize, usize)", into = "(usize, usize)")]
pub struct EmbeddingSize {
    /// The number of names, one for unknown.
    pub names: usize,
    /// The length of a name's vector.
    pub length: usize,
}

impl From<(usize, usize)> for EmbeddingSize {
    fn from((names, length): (usize, usize)) -> Self {
        Self { names, length }
    }
}

impl From<EmbeddingSize> for (usize, usize) {
    fn from(EmbeddingSize { names, length }: EmbeddingSize) -> Self {
        (names, length)
    }
}

/// A feature that is a target's own past: `feature · scale + offset` is the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PastTarget {
    /// Its place among the features.
    pub feature: usize,
    /// Added.
    pub offset: f64,
    /// Multiplied by.
    pub scale: f64,
}

/// Preprocessing of a table, fitted on its training rows.
#[derive(Debug, Clone, PartialEq)]
pub struct TableEncoder {
    /// The target.
    pub target: Target,
    /// The naming rule of its classes.
    pub names: NameRule,
    /// A step a column, in the order of the training table, the target left aside.
    steps: Vec<Step>,
}

impl TableEncoder {
    /// An encoder of these columns.
    pub fn new(target: Target, columns: Vec<Column>) -> Self {
        let names = NameRule::default();
        Self { target, names, steps: columns.into_iter().map(Step::Column).collect() }
    }

    /// Its steps.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The columns.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.steps.iter().filter_map(|step| match step {
            Step::Column(column) => Some(column),
            Step::Elements(_) => None,
        })
    }

    /// The number of a row's numeric features; the indices of embeddings follow them.
    pub fn dense_width(&self) -> usize {
        self.columns().map(Column::dense_width).sum()
    }

    /// The number of a row's features.
    pub fn features(&self) -> usize {
        self.dense_width() + self.columns().map(Column::index_width).sum::<usize>()
    }

    /// The embeddings of its columns.
    pub fn embeddings(&self) -> Vec<EmbeddingSize> {
        let operations = self.columns().flat_map(|column| &column.operations);
        let size = |operation: &Operation| match operation {
            Operation::CategoryIndex { names, dimension } => {
                Some(EmbeddingSize { names: names.len() + 1, length: *dimension })
            }
            _ => None,
        };
        operations.filter_map(size).collect()
    }

    /// The places of the numbers and dates among the numeric features.
    pub fn numerical(&self) -> Vec<usize> {
        let (mut places, mut start) = (Vec::new(), 0);
        for column in self.columns() {
            let is_number = |operation: &Operation| matches!(operation, Operation::Scale { .. });
            if column.operations.iter().any(is_number) {
                places.push(start);
            }
            start += column.dense_width();
        }
        places
    }

    /// The number of numeric features of each column, in order: a number and the sign that it was missing are two columns.
    pub fn column_widths(&self) -> Vec<usize> {
        let widths = |column: &Column| {
            let width = column.dense_width();
            if column.has_names() { vec![width] } else { vec![1; width] }
        };
        self.columns().flat_map(widths).filter(|width| *width > 0).collect()
    }

    /// Of each numeric feature, in order, whether it is the 0 or 1 of a name.
    pub fn one_hot_features(&self) -> impl Iterator<Item = bool> {
        self.columns().flat_map(|column| std::iter::repeat_n(column.has_names(), column.dense_width()))
    }

    /// The names of the columns whose cells are names, which are compared as text.
    pub(in crate::data) fn named_columns(&self) -> impl Iterator<Item = &String> {
        self.columns().filter(|column| column.has_names()).map(|column| &column.name)
    }

    /// The features that are numbers.
    pub(in crate::data) fn number_features(&self) -> impl Iterator<Item = usize> {
        let mut next = 0;
        self.columns().filter_map(move |column| {
            let first = next;
            next += column.dense_width();
            column.operations.first().is_some_and(|first| *first == Operation::Number).then_some(first)
        })
    }

    /// The features that are the targets' own past; nothing where a target is no feature.
    pub(in crate::data) fn past_targets(&self) -> Option<Vec<PastTarget>> {
        let of = |name: &String| {
            let mut features = self.number_features();
            let numbers =
                self.columns().filter(|column| column.operations.first() == Some(&Operation::Number));
            let (feature, column) =
                features.by_ref().zip(numbers).find(|(_, column)| column.name == *name)?;
            let scale = column.operations.iter().find_map(|operation| match operation {
                Operation::Scale { offset, scale } => {
                    Some(PastTarget { feature, offset: *offset, scale: *scale })
                }
                _ => None,
            });
            Some(scale.unwrap_or(PastTarget { feature, offset: 0.0, scale: 1.0 }))
        };
        self.target.names().iter().map(of).collect()
    }

    /// The names of the features, in their order.
    pub fn feature_names(&self) -> Vec<String> {
        let dense = self.columns().flat_map(Column::dense_names);
        let indices = self.columns().filter(|column| column.index_width() > 0);
        dense.chain(indices.map(|column| column.name.clone())).collect()
    }

    /// The name and a description of each target and column.
    pub fn describe(&self) -> Vec<(String, String)> {
        let target = self.target.describe();
        let targets = self.target.names().iter().map(|name| (quoted(name), target.clone()));
        let columns = self.columns().map(|column| (quoted(&column.name), column.describe()));
        targets.chain(columns).collect()
    }
}
