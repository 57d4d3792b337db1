//! The preprocessing as a function of a row.

use std::fmt::Write;

use super::fields::Field;
use super::helpers::Helper;
use super::network::Network;
use super::text::double;
use super::weights::Matrix;
use crate::data::preprocess::{Elements, Operation};
use crate::error::Result;
use crate::export::inputs::{CellKind, Inputs};
use crate::export::model::TrainedModel;
use crate::nn::{EmbeddingTable, Op};

/// The function `encode`, and the numbers that it makes of a row.
pub(super) struct Encoder {
    pub(super) text: String,
    /// The numbers of a row or step, vectors of names included.
    pub(super) width: usize,
}

/// The learnt vectors of a model, in the order of their columns.
pub(super) fn tables(model: &TrainedModel) -> &[EmbeddingTable] {
    match model.ops.first() {
        Some(Op::Embeddings { tables, .. }) => tables,
        _ => &[],
    }
}

impl Encoder {
    /// The encoder of these fields. Numbers are in double until the network, as in `descent predict`.
    pub(super) fn of_table(
        model: &TrainedModel,
        fields: &[Field<'_>],
        prefix: &str,
        network: &mut Network,
    ) -> Result<Self> {
        let (mut body, mut place) = (String::new(), 0);
        for field in fields {
            dense(field, &mut place, &mut body, network);
        }
        let indices = fields.iter().filter(|field| field.input.column.index_width() > 0);
        for (field, EmbeddingTable { weight, length, .. }) in indices.zip(tables(model)) {
            let weights = model.tensor(weight)?;
            let matrix = Matrix { name: weight, weight: &weights, factor: &[], bias: None };
            let table = network.constants.matrix(&matrix)?;
            network.helpers.add(Helper::Embed);
            let _ = writeln!(body, "    embed(&{table}, (int)row->{}, x + {place});", field.name);
            place += length;
        }
        let text = format!(
            "/* A row as the network reads it: {place} numbers. */\nstatic void encode(const {prefix}_input *row, float \
             *x)\n{{\n{body}}}\n\n"
        );
        Ok(Self { text, width: place })
    }

    /// The encoder of arrays and pictures.
    pub(super) fn of_array(model: &TrainedModel, inputs: &Inputs<'_>, network: &mut Network) -> Self {
        let width = match inputs {
            Inputs::Array { shape } => shape.iter().product(),
            _ => 0,
        };
        let identity = Elements::affine(1.0, 0.0);
        let elements = model.preprocessing().elements().unwrap_or(&identity);
        let value = if *elements == identity {
            "row[i]".to_owned()
        } else {
            let mut value = "(double)row[i]".to_owned();
            let features = elements.offset.len();
            if features > 0 {
                let offset = network.constants.doubles("offset", &elements.offset);
                let spread = network.constants.doubles("spread", &elements.spread);
                value = format!("({value} - {offset}[i % {features}]) / {spread}[i % {features}]");
                if elements.smooth_clip {
                    value = smooth_clip(&value, network);
                }
            }
            format!("(float)({value} * {} + {})", double(elements.scale), double(elements.shift))
        };
        let text = format!(
            "/* A row as the network reads it. */\nstatic void encode(const float *row, float *x)\n{{\n    for (int i = 0; i < \
             {width}; i++)\n        x[i] = {value};\n}}\n\n"
        );
        Self { text, width }
    }
}

/// Adds the numbers of a field from `place` on.
fn dense(field: &Field<'_>, place: &mut usize, body: &mut String, network: &mut Network) {
    let raw = raw_value(field, network);
    let mut value = raw.clone();
    let mut indicator = false;
    for operation in &field.input.column.operations {
        match operation {
            // The calendar's features are refused where the model is opened.
            Operation::Number
            | Operation::Boolean
            | Operation::DateToDays(_)
            | Operation::Calendar { .. } => {}
            Operation::Impute(fill) => {
                network.helpers.add(Helper::Filled);
                value = format!("filled({value}, {})", double(*fill));
            }
            Operation::Scale { offset, scale } => {
                value = format!("({value} - {}) / {}", double(*offset), double(*scale));
            }
            Operation::SmoothClip => value = smooth_clip(&value, network),
            Operation::MissingIndicator => indicator = true,
            Operation::OneHot(names) => {
                network.helpers.add(Helper::OneHot);
                let _ =
                    writeln!(body, "    one_hot((int)row->{}, {}, x + {place});", field.name, names.len());
                *place += names.len();
                return;
            }
            // Quantiles are refused before.
            Operation::CategoryIndex { .. } | Operation::QuantileToNormal(_) => return,
        }
    }
    let _ = writeln!(body, "    x[{place}] = (float)({value});");
    *place += 1;
    if indicator {
        let _ = writeln!(body, "    x[{place}] = isnan({raw}) ? 1.0f : 0.0f;");
        *place += 1;
    }
}

/// The number of a field before its preprocessing.
fn raw_value(field: &Field<'_>, network: &mut Network) -> String {
    let value = format!("row->{}", field.name);
    if field.input.kind != CellKind::Boolean {
        return value;
    }
    network.helpers.add(Helper::Boolean);
    format!("boolean({value})")
}

/// A number that is clipped smoothly.
fn smooth_clip(value: &str, network: &mut Network) -> String {
    network.helpers.add(Helper::SmoothClip);
    format!("smooth_clip({value})")
}
