//! The model card: what the model is, its data, its use and limits, its metrics, and how to load it.

use std::fmt::Write;

use super::front_matter::{HubTask, data_name, front_matter};
use super::loading;
use super::markdown::{plain, table};
use super::results::{Metric, Results};
use crate::data::preprocess::{Categories, MissingName, Operation};
use crate::export::batch::TestBatch;
use crate::export::inputs::{ColumnInput, Inputs};
use crate::export::layers;
use crate::export::model::TrainedModel;
use crate::names::counted;
use crate::run::Columns;

/// The most names that a card lists.
const SHOWN: usize = 50;

/// What a card tells of.
pub(super) struct Card<'a> {
    pub(super) model: &'a TrainedModel,
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) batch: &'a TestBatch,
    pub(super) results: Results,
}

impl Card<'_> {
    /// The text of README.md.
    pub(super) fn text(&self) -> String {
        let task = HubTask::of(self.model, self.inputs);
        let title = plain(&self.model.name());
        format!(
            "{}\n# {title}\n\n{}\n## Data\n\n{}\n## Use and limits\n\n{}\n## Metrics\n\n{}\n## How to load it\n\n{}",
            front_matter(self.model, task, &self.results),
            self.summary(),
            self.data(),
            self.limits(),
            self.metrics(),
            loading::sections(self.model, self.inputs, self.batch)
        )
    }

    /// What the model is.
    fn summary(&self) -> String {
        let kind = match self.model.config.model.name() {
            "mlp" => "A multilayer perceptron",
            "linear" => "A linear model",
            "lstm" => "An LSTM",
            "gru" => "A GRU",
            _ => "A recurrent network (RNN)",
        };
        let kind = match self.model.members.len() {
            0 | 1 => kind.to_owned(),
            count => {
                format!("The mean of {count} networks, each trained without one fold of the rows,")
            }
        };
        let count = counted(self.model.predictor.network().params().count(), "trained value");
        let reads = match self.inputs {
            Inputs::Table(columns) => format!("a row of {}", counted(columns.len(), "column")),
            Inputs::Series { window, columns } => {
                format!(
                    "the last {} of a series with {}",
                    counted(*window, "row"),
                    counted(columns.len(), "column")
                )
            }
            Inputs::Array { shape } => format!("an array of shape {shape:?}"),
        };
        format!(
            "{kind} with {count}. It reads {reads} and gives {}.\n\nLayers: {} It was trained by {} {} with \
             `config.toml`.\n",
            self.answer(),
            layers::line(self.model),
            env!("CARGO_CRATE_NAME"),
            env!("CARGO_PKG_VERSION")
        )
    }

    /// What the model gives.
    fn answer(&self) -> String {
        let targets = self.model.preprocessing().table().map(|encoder| encoder.target.names().to_vec());
        let of = targets.map_or_else(String::new, |names| format!(" of {}", listed(&names)));
        match self.model.columns() {
            Columns::Classes { names, .. } => {
                format!("the probability of each class{of}: {}", listed(&names))
            }
            Columns::Labels { .. } => format!("the probability of each label{of}"),
            Columns::Values { .. } => format!("the value{of}, in the units of the data"),
        }
    }

    /// The data, and the columns of a table.
    fn data(&self) -> String {
        let source = self.model.config.source.name();
        let mut text = format!("Source: {} (`{source}`).", plain(&data_name(self.model)));
        if let Some(rows) = &self.results.rows {
            let _ = write!(text, " Rows: {} for training", rows.train.rows);
            let others = [("validation", &rows.validation), ("the test", &rows.test)];
            for (name, split) in others {
                if let Some(split) = split {
                    let _ = write!(text, ", {} for {name}", split.rows);
                }
            }
            text.push('.');
        }
        text.push('\n');
        let columns = self.inputs.columns();
        if columns.is_empty() {
            return text;
        }
        let row = |input: &ColumnInput<'_>| {
            vec![plain(&input.column.name), input.kind.name().to_owned(), plain(&input.column.describe())]
        };
        let rows: Vec<_> = columns.iter().take(SHOWN).map(row).collect();
        let _ = write!(text, "\n{}", table(&["column", "kind", "preprocessing"], &rows));
        if let Some(more) = columns.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            let _ = writeln!(text, "\nand {}, which `data.toml` lists.", counted(more, "further column"));
        }
        text
    }

    /// What the model is for, and what is not known of it.
    fn limits(&self) -> String {
        let mut text = "<!-- Say here what the model is for, who may use it, and what it must not decide. -->\n\nIt answers \
                        for rows like those that it was trained on: the same columns, units and source. For other rows \
                        its accuracy is not known. Whether it is fair to groups of people, and how it behaves under \
                        inputs that were chosen to mislead it, was not measured.\n"
            .to_owned();
        let operations = self.inputs.columns().iter().flat_map(|input| &input.column.operations);
        let names: Vec<&Categories> = operations.filter_map(categories).collect();
        if !names.is_empty() {
            text += "A name that training has not seen counts as unknown.\n";
        }
        if names.iter().any(|names| *names.missing() == MissingName::Error) {
            text += "A name must not be missing: `descent predict` refuses such a row, other tools take it for unknown.\n";
        }
        text
    }

    /// The metrics as a table.
    fn metrics(&self) -> String {
        let Results { metrics, split, rows } = &self.results;
        if metrics.is_empty() {
            return "No rows were held out, or the run's log is missing: nothing is known of the accuracy.\n"
                .to_owned();
        }
        let held_out = rows.as_ref().and_then(|rows| match *split {
            "test" => rows.test.as_ref(),
            "out-of-fold" => Some(&rows.train),
            _ => rows.validation.as_ref(),
        });
        let count = held_out.map_or_else(String::new, |split| format!("{} ", split.rows));
        let about = match *split {
            "test" => "which were not trained on",
            "out-of-fold" => {
                "each predicted by the one member that was not trained on it, and whose best epoch was chosen on it"
            }
            _ => "which were not trained on, on which the best epoch was chosen",
        };
        let row = |metric: &Metric| vec![plain(&metric.name), format!("{:.6}", metric.value)];
        let rows: Vec<_> = metrics.iter().map(row).collect();
        format!("On the {count}{split} rows, {about}:\n\n{}", table(&["metric", "value"], &rows))
    }
}

fn categories(operation: &Operation) -> Option<&Categories> {
    match operation {
        Operation::OneHot(names) | Operation::CategoryIndex { names, .. } => Some(names),
        _ => None,
    }
}

/// Names in a row; of many the first ones.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| plain(name)).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(", and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}
