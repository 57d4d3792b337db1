//! The preprocessing as nodes. Numbers are in f64 until the network, as in `descent predict`.

use super::calendar;
use super::graph::Graph;
use super::proto::{Attribute, Constant, Dim, ElementType};
use crate::data::preprocess::{
    Categories, Elements, MissingName, Operation, PastTarget, Preprocessing, TableEncoder,
};
use crate::export::inputs::{CellKind, ColumnInput, Inputs, TENSOR};

/// What the network reads.
pub(super) struct Encoded {
    /// The numbers in f32, (N, …, F); none where all columns are numbers of names.
    pub(super) dense: Option<String>,
    /// The numbers of names, (N, …) each.
    pub(super) indices: Vec<String>,
    /// The targets at a window's last step, (N, K), where predictions are changes since.
    pub(super) last: Option<String>,
}

/// Features on their way, (N, …, 1) and more each.
#[derive(Default)]
struct Parts {
    dense: Vec<String>,
    indices: Vec<String>,
}

/// Adds the inputs and what the preprocessing makes of them.
pub(super) fn add(graph: &mut Graph, preprocessing: &Preprocessing, inputs: &Inputs<'_>) -> Encoded {
    let mut parts = Parts::default();
    match inputs {
        Inputs::Array { shape } => return array(graph, preprocessing, shape),
        Inputs::Table(columns) => {
            // All inputs come first, so that their names are theirs.
            let cells: Vec<String> = columns
                .iter()
                .map(|input| graph.input(&input.name, kind(input), &[Dim::Batch, Dim::Size(1)]))
                .collect();
            for (input, cell) in columns.iter().zip(&cells) {
                parts.column(graph, input, cell);
            }
        }
        Inputs::Series { window, columns } => {
            let cells = windows(graph, *window, columns);
            for (input, cell) in columns.iter().zip(&cells) {
                parts.column(graph, input, cell);
            }
        }
    }
    let dense: Vec<&str> = parts.dense.iter().map(String::as_str).collect();
    let mut dense = (!dense.is_empty()).then(|| graph.node("Concat", &dense, &[Attribute::int("axis", -1)]));
    let mut last = None;
    if let (Some(windows), Some(subtract)) = (&dense, preprocessing.subtract_last()) {
        let mask = &subtract.numbers()[..preprocessing.table().map_or(0, TableEncoder::dense_width)];
        let targets = subtract.targets().repeat(preprocessing.horizon().len());
        let changes = subtract_last(graph, windows, mask, &targets);
        (dense, last) = (Some(changes.windows), Some(changes.last));
    }
    let dense = dense.map(|dense| graph.cast(&dense, ElementType::Float));
    Encoded { dense, indices: parts.indices, last }
}

/// Windows as changes since their last step.
struct Changes {
    /// (N, T, F)
    windows: String,
    /// The targets at the last step, for each step that is predicted, in their own units: (N, K).
    last: String,
}

/// What `data.subtract_last` makes of windows (N, T, F): `mask` is 1 for each feature that is subtracted, `targets` are those of
/// the last step, for each step that is predicted.
fn subtract_last(graph: &mut Graph, windows: &str, mask: &[f64], targets: &[PastTarget]) -> Changes {
    let end = graph.ints("last_step", &[-1]);
    let step = graph.node("Gather", &[windows, &end], &[Attribute::int("axis", 1)]);
    let mask = graph.constant("numbers", &[mask.len()], &Constant::Doubles(mask));
    let numbers = graph.node("Mul", &[&step, &mask], &[]);
    let changes = graph.node("Sub", &[windows, &numbers], &[]);
    let features: Vec<i64> =
        targets.iter().map(|target| i64::try_from(target.feature).unwrap_or(i64::MAX)).collect();
    let features = graph.ints("targets", &features);
    let axes = graph.ints("step_axis", &[1]);
    let step = graph.node("Squeeze", &[&step, &axes], &[]);
    let mut last = graph.node("Gather", &[&step, &features], &[Attribute::int("axis", 1)]);
    let (scales, offsets): (Vec<f64>, Vec<f64>) =
        targets.iter().map(|target| (target.scale, target.offset)).unzip();
    for (op, numbers) in [("Mul", scales), ("Add", offsets)] {
        let numbers = graph.constant("of_targets", &[numbers.len()], &Constant::Doubles(&numbers));
        last = graph.node(op, &[&last, &numbers], &[]);
    }
    Changes { windows: changes, last }
}

fn kind(input: &ColumnInput<'_>) -> ElementType {
    if input.kind.is_text() { ElementType::String } else { ElementType::Double }
}

/// The cells (N, T, 1) of each column of windows.
fn windows(graph: &mut Graph, window: usize, columns: &[ColumnInput<'_>]) -> Vec<String> {
    let numbers = columns.iter().filter(|input| !input.kind.is_text()).count();
    let dims = [Dim::Batch, Dim::Size(window)];
    let tensor = (numbers > 0)
        .then(|| graph.input(TENSOR, ElementType::Double, &[dims[0], dims[1], Dim::Size(numbers)]));
    let texts: Vec<Option<String>> = columns
        .iter()
        .map(|input| input.kind.is_text().then(|| graph.input(&input.name, ElementType::String, &dims)))
        .collect();
    let mut place = 0;
    let mut cells = Vec::new();
    for text in texts {
        cells.push(match (text, &tensor) {
            (Some(text), _) => {
                let axes = graph.ints("last_axis", &[-1]);
                graph.node("Unsqueeze", &[&text, &axes], &[])
            }
            (None, Some(tensor)) => {
                let index = graph.ints("column", &[place]);
                place += 1;
                graph.node("Gather", &[tensor, &index], &[Attribute::int("axis", 2)])
            }
            (None, None) => String::new(),
        });
    }
    cells
}

impl Parts {
    /// Adds the features of a column's cells, (N, …, 1).
    fn column(&mut self, graph: &mut Graph, input: &ColumnInput<'_>, cell: &str) {
        let mut number = cell.to_owned();
        if input.kind == CellKind::Boolean {
            number = boolean(graph, cell);
        }
        number = without(graph, number, &input.sentinels());
        let raw = number.clone();
        let mut imputed = number.clone();
        let (mut indicator, mut places) = (None, Vec::new());
        for operation in &input.column.operations {
            match operation {
                Operation::Impute(fill) => {
                    number = filled(graph, &number, *fill);
                    imputed.clone_from(&number);
                }
                Operation::Scale { offset, scale } => number = scaled(graph, &number, *offset, *scale),
                Operation::SmoothClip => number = smooth_clip(graph, &number),
                Operation::MissingIndicator => {
                    let missing = graph.node("IsNaN", &[&raw], &[]);
                    indicator = Some(graph.cast(&missing, ElementType::Double));
                }
                Operation::OneHot(names) => {
                    return self.dense.push(one_hot(graph, cell, names, &input.missing.words));
                }
                Operation::CategoryIndex { names, .. } => {
                    let numbering = Numbering { first: 1, unknown: 0, missing: &input.missing.words };
                    let index = lookup(graph, cell, names, numbering);
                    let axes = graph.ints("last_axis", &[-1]);
                    return self.indices.push(graph.node("Squeeze", &[&index, &axes], &[]));
                }
                Operation::Calendar { parts, .. } => places = calendar::places(graph, &imputed, parts),
                // Numbers are read already; quantiles are refused before.
                _ => {}
            }
        }
        self.dense.extend((!input.column.is_clock()).then_some(number));
        self.dense.extend(indicator.into_iter().chain(places));
    }
}

/// `(x - offset) / scale`
fn scaled(graph: &mut Graph, x: &str, offset: f64, scale: f64) -> String {
    let (offset, scale) = (graph.double("offset", offset), graph.double("scale", scale));
    let centred = graph.node("Sub", &[x, &offset], &[]);
    graph.node("Div", &[&centred, &scale], &[])
}

/// `x / √(1 + (x/3)²)`
fn smooth_clip(graph: &mut Graph, x: &str) -> String {
    let (limit, one) = (graph.double("limit", 3.0), graph.double("one", 1.0));
    let part = graph.node("Div", &[x, &limit], &[]);
    let square = graph.node("Mul", &[&part, &part], &[]);
    let sum = graph.node("Add", &[&square, &one], &[]);
    let root = graph.node("Sqrt", &[&sum], &[]);
    graph.node("Div", &[x, &root], &[])
}

/// Numbers with NaN in place of these.
fn without(graph: &mut Graph, number: String, sentinels: &[f64]) -> String {
    sentinels.iter().fold(number, |number, sentinel| {
        let (sentinel, missing) = (graph.double("sentinel", *sentinel), graph.double("missing", f64::NAN));
        let is_missing = graph.node("Equal", &[&number, &sentinel], &[]);
        graph.node("Where", &[&is_missing, &missing, &number], &[])
    })
}

/// Numbers with a number in place of NaN.
fn filled(graph: &mut Graph, number: &str, fill: f64) -> String {
    let (missing, fill) = (graph.node("IsNaN", &[number], &[]), graph.double("fill", fill));
    graph.node("Where", &[&missing, &fill, number], &[])
}

/// Words for yes and no to 1 and 0; all else is missing, NaN.
fn boolean(graph: &mut Graph, cell: &str) -> String {
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    for (value, words) in
        [(1.0, ["true", "yes", "t", "y", "1", "1.0"]), (0.0, ["false", "no", "f", "n", "0", "0.0"])]
    {
        for word in words {
            let upper = word.to_uppercase();
            let title = format!("{}{}", &upper[..1], &word[1..]);
            let mut forms = vec![word.to_owned(), title, upper];
            forms.dedup();
            values.extend(vec![value; forms.len()]);
            keys.extend(forms);
        }
    }
    let attributes = [
        Attribute::strings("keys_strings", keys),
        Attribute::floats("values_floats", values),
        Attribute::float("default_float", f32::NAN),
    ];
    let number = graph.label_encoder(cell, &attributes);
    graph.cast(&number, ElementType::Double)
}

/// How names are numbered.
#[derive(Clone, Copy)]
struct Numbering<'a> {
    first: i64,
    unknown: i64,
    /// The words for a missing cell.
    missing: &'a [String],
}

/// The numbers of names.
fn lookup(graph: &mut Graph, cell: &str, names: &Categories, numbering: Numbering<'_>) -> String {
    let Numbering { first, unknown, missing: words } = numbering;
    let mut keys: Vec<String> = names.names().to_vec();
    let mut values: Vec<i64> = (first..).take(keys.len()).collect();
    let missing = match names.missing() {
        MissingName::Own => Some(first + i64::try_from(keys.len()).unwrap_or(i64::MAX)),
        MissingName::As(name) => keys.iter().position(|own| own == name).map(|place| values[place]),
        MissingName::Error | MissingName::Unknown => None,
    };
    if let Some(missing) = missing {
        let words = words.iter().filter(|word| !names.names().contains(word));
        keys.extend(words.cloned());
        values.resize(keys.len(), missing);
    }
    // An encoder needs a key.
    if keys.is_empty() {
        keys.push(String::new());
        values.push(unknown);
    }
    let attributes = [
        Attribute::strings("keys_strings", keys),
        Attribute::ints("values_int64s", &values),
        Attribute::int("default_int64", unknown),
    ];
    graph.label_encoder(cell, &attributes)
}

/// (N, …, 1) to (N, …, C): a 1 in a name's place, by comparison with all numbers.
fn one_hot(graph: &mut Graph, cell: &str, names: &Categories, missing: &[String]) -> String {
    let index = lookup(graph, cell, names, Numbering { first: 0, unknown: -1, missing });
    let numbers: Vec<i64> = (0..).take(names.len()).collect();
    let numbers = graph.ints("categories", &numbers);
    let is_one = graph.node("Equal", &[&index, &numbers], &[]);
    graph.cast(&is_one, ElementType::Double)
}

/// Arrays and pictures: one tensor of f32.
fn array(graph: &mut Graph, preprocessing: &Preprocessing, shape: &[usize]) -> Encoded {
    let dims: Vec<Dim> =
        std::iter::once(Dim::Batch).chain(shape.iter().map(|size| Dim::Size(*size))).collect();
    let input = graph.input(TENSOR, ElementType::Float, &dims);
    let identity = Elements::affine(1.0, 0.0);
    let elements = preprocessing.elements().unwrap_or(&identity);
    if *elements == identity {
        return Encoded { dense: Some(input), indices: Vec::new(), last: None };
    }
    let mut value = graph.cast(&input, ElementType::Double);
    if !elements.offset.is_empty() {
        let mut vector =
            |name, numbers: &[f64]| graph.constant(name, &[numbers.len()], &Constant::Doubles(numbers));
        let (offset, spread) = (vector("offset", &elements.offset), vector("spread", &elements.spread));
        value = graph.node("Sub", &[&value, &offset], &[]);
        value = graph.node("Div", &[&value, &spread], &[]);
        if elements.smooth_clip {
            value = smooth_clip(graph, &value);
        }
    }
    let (scale, shift) = (graph.double("scale", elements.scale), graph.double("shift", elements.shift));
    value = graph.node("Mul", &[&value, &scale], &[]);
    value = graph.node("Add", &[&value, &shift], &[]);
    Encoded { dense: Some(graph.cast(&value, ElementType::Float)), indices: Vec::new(), last: None }
}
