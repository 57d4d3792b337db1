//! The preprocessing as Python.

use std::fmt::Write;

use super::cells;
use super::series;
use super::text::{list, number, quoted};
use crate::data::preprocess::{Categories, Column, MissingName, Operation, Target, TargetCurve, TargetScale};
use crate::export::inputs::{ColumnInput, Inputs, TENSOR};
use crate::export::model::TrainedModel;

/// What maps numbers by their quantiles.
const QUANTILES: &str = include_str!("quantiles.py");

/// What places times in the calendar.
const CALENDAR: &str = include_str!("calendar.py");

/// `preprocess`, `targets` and `test_inputs`, with what they need.
pub(super) fn functions(model: &TrainedModel, inputs: &Inputs<'_>) -> String {
    let row = format!("ROW = {:?}  # the shape that the network reads\n", model.preprocessing().row);
    match inputs {
        Inputs::Array { .. } => row + "\n\n" + &of_arrays(model),
        Inputs::Table(columns) => {
            let preprocess = "def preprocess(df):\n    \"\"\"A table as the network reads it.\"\"\"\n    return \
                              features(df).reshape(-1, *ROW)\n\n\n";
            row + &of_table(model, columns) + &targets(model) + preprocess + &test_inputs(columns, None)
        }
        Inputs::Series { window, columns } => {
            let series = series::functions(model.preprocessing());
            row + &of_table(model, columns) + &series + &targets(model) + &test_inputs(columns, Some(*window))
        }
    }
}

fn of_arrays(model: &TrainedModel) -> String {
    let (mut lines, identity) = (String::new(), crate::data::preprocess::Elements::affine(1.0, 0.0));
    let elements = model.preprocessing().elements().unwrap_or(&identity);
    if !elements.offset.is_empty() {
        lines = format!("    x = (x - {}) / {}\n", numbers(&elements.offset), numbers(&elements.spread));
    }
    if elements.smooth_clip {
        lines += "    x = x / np.sqrt(1 + (x / 3) ** 2)\n";
    }
    if !elements.quantiles.is_empty() {
        let all = list(elements.quantiles.iter().map(|quantiles| numbers(quantiles.numbers())));
        let _ = writeln!(
            lines,
            "    x = np.stack([to_normal(x[..., i], q) for i, q in enumerate({all})], axis=-1)"
        );
    }
    let helpers = if uses_quantiles(model) { QUANTILES } else { "" };
    let helpers = if helpers.is_empty() { String::new() } else { format!("{helpers}\n\n") };
    format!(
        "{helpers}def preprocess(x):\n    \"\"\"Raw rows as the network reads them; pixels are 0 to 255.\"\"\"\n    x = np.asarray(x, \
         np.float64).reshape(-1, *ROW)\n{lines}    return (x * {} + {}).astype(np.float32)\n\n\ndef test_inputs(batch):\n    \
         return preprocess(batch[{}])\n",
        number(elements.scale),
        number(elements.shift),
        quoted(TENSOR)
    )
}

/// Numbers as a literal.
fn numbers(numbers: &[f64]) -> String {
    list(numbers.iter().map(|x| number(*x)))
}

/// Whether inputs or targets are mapped by quantiles.
fn uses_quantiles(model: &TrainedModel) -> bool {
    model.require_no_quantiles("").is_err()
}

fn of_table(model: &TrainedModel, columns: &[ColumnInput<'_>]) -> String {
    let cells = cells::functions(model.preprocessing());
    let (mut dense, mut indices) = (String::new(), String::new());
    for input in columns {
        let line = format!("        {},\n", feature(input.column));
        if input.column.index_width() > 0 { &mut indices } else { &mut dense }.push_str(&line);
    }
    let quantiles = if uses_quantiles(model) { format!("{QUANTILES}\n\n") } else { String::new() };
    let calendar = if columns.iter().any(|input| input.column.has_calendar()) {
        format!("{CALENDAR}\n\n")
    } else {
        String::new()
    };
    format!(
        "{cells}\n\n{quantiles}{calendar}def features(df):\n    \"\"\"The rows of a table (N, F): numbers, and behind them \
         the numbers of names.\"\"\"\n    df = stripped(df)\n    parts = [\n{dense}{indices}    ]\n    return np.concatenate(parts, \
         axis=1).astype(np.float32)\n\n\n",
    )
}

/// The features of a column.
fn feature(column: &Column) -> String {
    let cells = format!("df[{}]", quoted(&column.name));
    let mut values = format!("numbers({cells})");
    let (mut options, mut fill, mut places) = (String::new(), String::new(), String::new());
    for operation in &column.operations {
        match operation {
            Operation::Number => {}
            Operation::Calendar { form, parts } => {
                let parts = list(parts.iter().map(|part| quoted(part.name())));
                places = format!("calendar(days({cells}, {}), {parts}{fill})", quoted(form.name()));
            }
            Operation::Boolean => values = format!("booleans({cells})"),
            Operation::DateToDays(form) => values = format!("days({cells}, {})", quoted(form.name())),
            Operation::Impute(own) => {
                fill = format!(", fill={}", number(*own));
                options += &fill;
            }
            Operation::Scale { offset, scale } => {
                let _ = write!(options, ", offset={}, scale={}", number(*offset), number(*scale));
            }
            Operation::SmoothClip => options += ", clip=True",
            Operation::QuantileToNormal(quantiles) => {
                let _ = write!(options, ", quantiles={}", numbers(quantiles.numbers()));
            }
            Operation::MissingIndicator => options += ", indicator=True",
            Operation::OneHot(names) => {
                return format!("one_hot({cells}, {}, {}{})", texts(names), names.len(), missing(names));
            }
            Operation::CategoryIndex { names, .. } => {
                return format!("category({cells}, {}{})", texts(names), missing(names));
            }
        }
    }
    let number = format!("scaled({values}{options})");
    match places {
        places if places.is_empty() => number,
        places if column.is_clock() => places,
        places => format!("np.concatenate([{number}, {places}], axis=1)"),
    }
}

fn texts(names: &Categories) -> String {
    list(names.names().iter().map(|name| quoted(name)))
}

fn missing(names: &Categories) -> String {
    let place = match names.missing() {
        MissingName::Own => Some(names.names().len()),
        MissingName::As(name) => names.names().iter().position(|own| own == name),
        MissingName::Error | MissingName::Unknown => None,
    };
    place.map_or_else(String::new, |place| format!(", missing={place}"))
}

/// `targets(df)`: the targets of a table as the loss reads them.
fn targets(model: &TrainedModel) -> String {
    let Some(encoder) = model.preprocessing().table() else { return String::new() };
    let columns = list(encoder.target.names().iter().map(|name| quoted(name)));
    let body = match &encoder.target {
        Target::Classes { name, classes, .. } => {
            let classes = list(classes.iter().map(|class| quoted(class)));
            format!("    return places(df[{}], {classes}, -100, -100)\n", quoted(name))
        }
        Target::Values { scale: TargetScale { mean, std, curve, .. }, .. } => {
            format!(
                "    values = np.stack([numbers(df[name]) for name in {columns}], axis=1)\n{}    values = ((values - {}) / \
                 {}).astype(np.float32)\n{}",
                bent(curve),
                numbers(mean),
                numbers(std),
                series::returned_targets(model.preprocessing())
            )
        }
        Target::Probabilities { .. } => {
            format!(
                "    return np.stack([numbers(df[name]) for name in {columns}], axis=1).astype(np.float32)\n"
            )
        }
        Target::Labels { words, .. } => {
            let words = list(words.iter().map(|[no, yes]| list([quoted(no), quoted(yes)])));
            format!(
                "    columns = zip({columns}, {words})\n    return np.stack([places(df[name], words, -1, -1) for name, words in \
                 columns], axis=1).astype(np.float32)\n"
            )
        }
    };
    format!(
        "def targets(df):\n    \"\"\"The targets of a table as the loss reads them.\"\"\"\n    df = stripped(df)\n{body}\n\n"
    )
}

/// `values` by the curve of `target_transform`.
fn bent(curve: &TargetCurve) -> String {
    match curve {
        TargetCurve::Identity => String::new(),
        TargetCurve::Log1p => "    values = np.log1p(values)\n".to_owned(),
        TargetCurve::Quantile(all) => format!(
            "    values = np.stack([to_normal(y, q) for y, q in zip(values.T, {})], axis=1)\n",
            list(all.iter().map(|own| numbers(own.numbers())))
        ),
    }
}

/// `test_inputs(batch)`: what the network reads of the test batch.
fn test_inputs(columns: &[ColumnInput<'_>], window: Option<usize>) -> String {
    let mut place = 0;
    let cells = columns.iter().map(|input| {
        let array = if window.is_some() && !input.kind.is_text() {
            place += 1;
            format!("batch[{}][..., {}]", quoted(TENSOR), place - 1)
        } else {
            format!("batch[{}]", quoted(&input.name))
        };
        format!("{}: {array}.reshape(-1)", quoted(&input.column.name))
    });
    let cells: Vec<String> = cells.collect();
    format!(
        "def test_inputs(batch):\n    return features(pd.DataFrame({{{}}})).reshape(-1, *ROW)\n",
        cells.join(", ")
    )
}
