//! The source: constants, functions, and the test behind `-DTEST`.

use std::fmt::Write;

use super::encode::Encoder;
use super::fields::{self, Field};
use super::network::Network;
use super::text::items;
use super::{outputs, text};
use crate::data::preprocess::PreprocessingSource;
use crate::error::Result;
use crate::export::inputs::Inputs;
use crate::export::layers;
use crate::export::model::TrainedModel;
use crate::run::Columns;

/// A model as C.
pub(super) struct Source<'a> {
    pub(super) model: &'a TrainedModel,
    pub(super) inputs: &'a Inputs<'a>,
    pub(super) columns: Columns,
    /// What its names begin with.
    pub(super) prefix: String,
    /// The columns of a table.
    pub(super) fields: Vec<Field<'a>>,
    /// The numbers of an answer.
    pub(super) outputs: usize,
    pub(super) is_int8: bool,
    pub(super) is_picture: bool,
    pub(super) weight_bytes: usize,
    pub(super) stack_bytes: usize,
    /// The layers, for people.
    pub(super) layers: String,
    /// What 8 bits cost.
    pub(super) accuracy: Option<String>,
    encoder: String,
    network: Network,
}

impl<'a> Source<'a> {
    /// The source of a model, with names that begin with `prefix`.
    ///
    /// # Errors
    /// The model has something that C source cannot have.
    pub(super) fn new(
        model: &'a TrainedModel,
        inputs: &'a Inputs<'a>,
        prefix: &str,
        is_int8: bool,
    ) -> Result<Self> {
        let fields = fields::fields(inputs.columns(), prefix);
        let mut network = Network::new(is_int8);
        let encoder = match inputs {
            Inputs::Array { .. } => Encoder::of_array(model, inputs, &mut network),
            Inputs::Table(_) | Inputs::Series { .. } => {
                Encoder::of_table(model, &fields, prefix, &mut network)
            }
        };
        add_networks(model, inputs, &encoder, &mut network)?;
        let [a, b] = network.buffers;
        let sums = if model.is_bag() { model.preprocessing().outputs } else { 0 };
        Ok(Self {
            columns: model.columns(),
            prefix: prefix.to_owned(),
            outputs: outputs::count(model),
            is_int8,
            is_picture: matches!(model.preprocessing().source, PreprocessingSource::Images { .. }),
            weight_bytes: network.constants.bytes,
            // Beside the buffers and the states of a layer: what the calls need.
            stack_bytes: 4 * (a + b + sums) + 8 * targets_kept(model) + network.state_bytes + 256,
            layers: layers::line(model),
            accuracy: None,
            encoder: encoder.text,
            model,
            inputs,
            fields,
            network,
        })
    }

    /// The argument of the function that predicts.
    pub(super) fn argument(&self) -> String {
        let Self { prefix, .. } = self;
        let upper = prefix.to_ascii_uppercase();
        match self.inputs {
            Inputs::Table(_) => format!("const {prefix}_input *row"),
            Inputs::Series { .. } => format!("const {prefix}_input window[{upper}_STEPS]"),
            Inputs::Array { .. } => format!("const float row[{upper}_INPUTS]"),
        }
    }

    /// The text of the file that includes `header` and ends with a test.
    pub(super) fn text(&self, header: &str, test: &str) -> String {
        let Self { prefix, .. } = self;
        let integers = if self.is_int8 { "#include <stdint.h>\n" } else { "" };
        let hidden = match self.network.hidden {
            0 => String::new(),
            hidden => format!("#define HIDDEN {hidden}\n\n"),
        };
        format!(
            "{} of {} {}; see {}. */\n#include {}\n\n#include <math.h>\n{integers}\n{hidden}{}{}{}{}{}{}{test}",
            text::MARK,
            env!("CARGO_CRATE_NAME"),
            env!("CARGO_PKG_VERSION"),
            text::prose(header),
            format_args!("\"{header}\""),
            self.matrix(),
            self.network.constants.text,
            self.network.helpers.text(self.is_int8),
            self.encoder,
            self.predict(),
            outputs::decisions(&self.columns, prefix)
        )
    }

    /// The type of a matrix.
    fn matrix(&self) -> &'static str {
        if self.is_int8 {
            "typedef struct {\n    int rows, columns;\n    const int8_t *weights; /* row after row */\n    const float *scale; /* of \
             each row */\n    const float *bias;\n} matrix;\n\n"
        } else {
            "typedef struct {\n    int rows, columns;\n    const float *weights; /* row after row */\n    const float \
             *bias;\n} matrix;\n\n"
        }
    }

    /// The targets' units, and the function that predicts.
    fn predict(&self) -> String {
        let Self { prefix, .. } = self;
        let mut units = String::new();
        if let Some(scale) = self.model.preprocessing().target_scale().filter(|scale| scale.mean.len() > 1) {
            for (name, values) in outputs::vectors(&scale) {
                let numbers = items(values.iter().map(|value| text::double(*value)));
                let count = values.len();
                let _ = write!(units, "static const double target_{name}[{count}] = {{\n{numbers}}};\n\n");
            }
        }
        let [a, b] = self.network.buffers;
        let outputs = self.model.preprocessing().outputs;
        let last = match targets_kept(self.model) {
            0 => String::new(),
            targets => format!("    double last[{targets}]; /* the targets of the last step */\n"),
        };
        let sum = if self.model.is_bag() { format!(", sum[{outputs}]") } else { String::new() };
        format!(
            "{units}void {prefix}_predict({}, float out[{}_OUTPUTS])\n{{\n    float a[{a}], b[{b}]{sum};\n{last}{}}}\n\n",
            self.argument(),
            prefix.to_ascii_uppercase(),
            self.network.body
        )
    }
}

/// The targets whose last values predictions are changes from; 0 where they are none.
fn targets_kept(model: &TrainedModel) -> usize {
    model.preprocessing().subtract_last().map_or(0, |subtract| subtract.targets().len())
}

/// Adds the statements of each network, and those that fill `out` from their predictions.
fn add_networks(
    model: &TrainedModel,
    inputs: &Inputs<'_>,
    encoder: &Encoder,
    network: &mut Network,
) -> Result<()> {
    for (number, ops) in model.members.iter().enumerate() {
        network.begin(shape(inputs, &model.preprocessing().row, encoder.width));
        encoder.call(model, inputs, ops, network)?;
        network.layers(model, ops)?;
        if model.is_bag() {
            outputs::add_member(model, number, network);
        }
    }
    outputs::add(model, network);
    Ok(())
}

/// The steps of the network's input, and the numbers of a step, where a row or step is encoded as `width` numbers.
fn shape(inputs: &Inputs<'_>, row: &[usize], width: usize) -> [usize; 2] {
    match (inputs, row) {
        (Inputs::Series { window, .. }, _) => [*window, width],
        (_, [steps, features]) => [*steps, *features],
        _ => [1, width],
    }
}
