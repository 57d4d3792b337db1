//! The preprocessing as a function of a row.

use std::fmt::Write;

use super::fields::Field;
use super::helpers::Helper;
use super::network::Network;
use super::text::double;
use super::weights::Matrix;
use crate::data::preprocess::{CalendarPart, Elements, Operation, PastTarget};
use crate::data::subtract_last::SubtractLast;
use crate::error::Result;
use crate::export::inputs::{CellKind, Inputs};
use crate::export::model::TrainedModel;
use crate::nn::{EmbeddingTable, Op};

/// The function `encode`, and the numbers that it makes of a row.
pub(super) struct Encoder {
    /// The function; empty where a row is nothing but names with learnt vectors.
    pub(super) text: String,
    /// The numbers of a row or step, vectors of names included.
    pub(super) width: usize,
    /// The numbers in front of the vectors.
    dense: usize,
    /// The fields of names with learnt vectors.
    names: Vec<String>,
}

impl Encoder {
    /// The encoder of these fields. Numbers are in double until the network, as in `descent predict`.
    pub(super) fn of_table(
        model: &TrainedModel,
        fields: &[Field<'_>],
        prefix: &str,
        network: &mut Network,
    ) -> Self {
        let (mut body, mut place) = (String::new(), 0);
        for field in fields {
            let raw = raw_value(field, network);
            dense(field, &raw, &mut place, &mut body, network);
        }
        let names = fields.iter().filter(|field| field.input.column.index_width() > 0);
        let names = names.map(|field| field.name.clone()).collect();
        let vectors = tables(&model.ops).iter().map(|table| table.length).sum::<usize>();
        let text = format!(
            "/* The numbers of a row as the network reads them: {place}. */\nstatic void encode(const {prefix}_input *row, \
             float *x)\n{{\n{body}}}\n\n"
        );
        let text = if place > 0 { text } else { String::new() };
        Self { text, width: place + vectors, dense: place, names }
    }

    /// Adds the statements that fill the buffer `a` for the network of these layers.
    ///
    /// # Errors
    /// Vectors that cannot be written.
    pub(super) fn call(
        &self,
        model: &TrainedModel,
        inputs: &Inputs<'_>,
        ops: &[Op],
        network: &mut Network,
    ) -> Result<()> {
        let Self { width, dense, names, text } = self;
        let (row, field, x, indent) = match inputs {
            Inputs::Series { .. } => ("&window[t]", "window[t].", format!("a + t * {width}"), "        "),
            Inputs::Table(_) | Inputs::Array { .. } => ("row", "row->", "a".to_owned(), "    "),
        };
        let mut lines = String::new();
        if !text.is_empty() {
            let _ = writeln!(lines, "{indent}encode({row}, {x});");
        }
        let mut place = *dense;
        for (name, EmbeddingTable { weight, length, .. }) in names.iter().zip(tables(ops)) {
            let weights = model.tensor(weight)?;
            let matrix = Matrix { name: weight, weight: &weights, factor: &[], bias: None };
            let table = network.constants.matrix(&matrix)?;
            network.helpers.add(Helper::Embed);
            let _ = writeln!(lines, "{indent}embed(&{table}, (int){field}{name}, {x} + {place});");
            place += length;
        }
        if let Inputs::Series { window, .. } = inputs {
            lines = format!("    for (int t = 0; t < {window}; t++) {{\n{lines}    }}\n");
            if let Some(subtract) = model.preprocessing().subtract_last() {
                lines += &subtract_last(&subtract, *window, *width);
            }
        }
        network.body += &lines;
        Ok(())
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
        Self { text, width, dense: width, names: Vec::new() }
    }
}

/// The statements that keep the targets of the last of so many steps of this width, and leave the changes since in `a`.
fn subtract_last(subtract: &SubtractLast, window: usize, width: usize) -> String {
    let (mut kept, mut changes) = (String::new(), String::new());
    let end = (window - 1) * width;
    for (number, PastTarget { feature, offset, scale }) in subtract.targets().iter().enumerate() {
        let place = end + feature;
        let _ = writeln!(
            kept,
            "    last[{number}] = (double)a[{place}] * {} + {};",
            double(*scale),
            double(*offset)
        );
    }
    for (feature, is_number) in subtract.numbers().iter().enumerate() {
        if *is_number > 0.0 {
            let _ = writeln!(changes, "        a[t * {width} + {feature}] -= a[{}];", end + feature);
        }
    }
    // The last step is the last to change.
    format!("{kept}    for (int t = 0; t < {window}; t++) {{\n{changes}    }}\n")
}

/// The learnt vectors of a network, in the order of their columns.
fn tables(ops: &[Op]) -> &[EmbeddingTable] {
    match ops.first() {
        Some(Op::Embeddings { tables, .. }) => tables,
        _ => &[],
    }
}

/// Adds the numbers of a field from `place` on.
fn dense(field: &Field<'_>, raw: &str, place: &mut usize, body: &mut String, network: &mut Network) {
    let (mut value, mut imputed) = (raw.to_owned(), raw.to_owned());
    let (mut indicator, mut parts) = (false, [].as_slice());
    for operation in &field.input.column.operations {
        match operation {
            Operation::Number | Operation::Boolean | Operation::DateToDays(_) => {}
            Operation::Calendar { parts: own, .. } => parts = own,
            Operation::Impute(fill) => {
                network.helpers.add(Helper::Filled);
                value = format!("filled({value}, {})", double(*fill));
                imputed.clone_from(&value);
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
    if !field.input.column.is_clock() {
        let _ = writeln!(body, "    x[{place}] = (float)({value});");
        *place += 1;
    }
    if indicator {
        let _ = writeln!(body, "    x[{place}] = isnan({raw}) ? 1.0f : 0.0f;");
        *place += 1;
    }
    calendar(parts, &imputed, place, body, network);
}

/// Adds the places of a time in the calendar from `place` on.
fn calendar(parts: &[CalendarPart], days: &str, place: &mut usize, body: &mut String, network: &mut Network) {
    for part in parts {
        network.helpers.add(Helper::Circle);
        let (helper, turns) = match part {
            CalendarPart::Hour => (Helper::Second, format!("second({days}) / 86400.0")),
            CalendarPart::Weekday => (Helper::Weekday, format!("weekday({days}) / 7.0")),
            CalendarPart::Month => (Helper::Month, format!("month({days}) / 12.0")),
        };
        network.helpers.add(helper);
        let _ = writeln!(body, "    circle({turns}, x + {place});");
        *place += 2;
    }
}

/// The number of a field before its preprocessing; NAN where it is missing.
fn raw_value(field: &Field<'_>, network: &mut Network) -> String {
    let value = format!("row->{}", field.name);
    if field.input.kind != CellKind::Boolean {
        let sentinels = field.input.sentinels().into_iter();
        let tests: Vec<String> =
            sentinels.map(|sentinel| format!("{value} == {}", double(sentinel))).collect();
        return if tests.is_empty() { value } else { format!("({} ? NAN : {value})", tests.join(" || ")) };
    }
    network.helpers.add(Helper::Boolean);
    format!("boolean({value})")
}

/// A number that is clipped smoothly.
fn smooth_clip(value: &str, network: &mut Network) -> String {
    network.helpers.add(Helper::SmoothClip);
    format!("smooth_clip({value})")
}
