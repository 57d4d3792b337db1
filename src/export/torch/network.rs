//! The layers as an `nn.Module`.

use std::fmt::Write;

use super::sequential;
use super::text::{number, python, quoted};
use crate::kernels::recurrent::CellKind;
use crate::nn::{Activation, EmbeddingTable, NumericalOp, Op};

/// The lines of `__init__` and `forward`.
#[derive(Default)]
struct Module {
    init: String,
    forward: String,
    dropouts: usize,
}

/// The class `Model` of these layers, for rows of this shape.
pub(in crate::export) fn module(ops: &[Op], row: &[usize]) -> String {
    class("Model", ops, row)
}

/// A class of these layers.
pub(super) fn class(name: &str, ops: &[Op], row: &[usize]) -> String {
    if let Some(modules) = sequential::modules(ops) {
        let modules = modules.iter().fold(String::new(), |all, module| all + "            " + module + ",\n");
        return format!(
            "class {name}(nn.Sequential):\n    def __init__(self):\n        super().__init__(\n{modules}        )\n"
        );
    }
    let mut module = Module::default();
    let described = ops;
    let mut ops = ops.iter().peekable();
    while let Some(op) = ops.next() {
        if let Op::Recurrent { .. } = op {
            let mut stack = vec![op];
            let mut dropout = 0.0;
            // torch.nn has a stack of recurrent layers, and the dropout between them, as one module.
            while let Some(next) =
                ops.next_if(|next| matches!(next, Op::Recurrent { .. } | Op::Dropout { .. }))
            {
                match next {
                    Op::Dropout { p } => dropout = *p,
                    layer => stack.push(layer),
                }
            }
            module.recurrent(&stack, dropout);
        } else {
            module.layer(op, row);
        }
    }
    format!(
        "{}class {name}(nn.Module):\n    def __init__(self):\n        super().__init__()\n{}\n    def forward(self, x):\n{}        \
         return x\n",
        classes(described),
        module.init,
        module.forward
    )
}

/// The layers that torch.nn does not have, where they are some of these.
fn classes(ops: &[Op]) -> String {
    let has = |is: fn(&Op) -> bool| ops.iter().any(is);
    let own = [
        (has(|op| matches!(op, Op::Numerical { .. })), include_str!("numerical.py")),
        (has(|op| matches!(op, Op::EnsembleScale { .. })), include_str!("ensemble.py")),
        (has(|op| matches!(op, Op::Scale { .. })), include_str!("scale.py")),
        (has(|op| matches!(op, Op::ParametricActivation { .. })), include_str!("parametric.py")),
    ];
    own.into_iter().filter(|(used, _)| *used).flat_map(|(_, text)| [text, "\n\n"]).collect()
}

impl Module {
    fn add(&mut self, name: &str, module: &str) -> String {
        // A name that is no attribute of Python, such as the "5" of a layer's prefix.
        if name.starts_with(|first: char| first.is_ascii_digit()) {
            let _ = writeln!(self.init, "        self.add_module({}, {module})", quoted(name));
            return format!("getattr(self, {})", quoted(name));
        }
        let _ = writeln!(self.init, "        self.{name} = {module}");
        format!("self.{name}")
    }

    fn apply(&mut self, line: &str) {
        let _ = writeln!(self.forward, "        x = {line}");
    }

    fn layer(&mut self, op: &Op, row: &[usize]) {
        match op {
            Op::Linear { weight, inputs, outputs, activation, .. } => {
                let layer = self.add(prefix(weight), &format!("nn.Linear({inputs}, {outputs})"));
                self.apply(&format!("{layer}(x)"));
                if let Some(activation) = activation {
                    self.apply(activate(*activation));
                }
            }
            Op::BatchNorm { weight, channels, eps, momentum, .. } => {
                let options = format!("eps={}, momentum={}", number(*eps), number(*momentum));
                let layer = self.add(prefix(weight), &format!("nn.BatchNorm1d({channels}, {options})"));
                self.apply(&format!("{layer}(x)"));
            }
            Op::LayerNorm { weight, width, eps, .. } => {
                let layer = self.add(prefix(weight), &format!("nn.LayerNorm({width}, eps={})", number(*eps)));
                self.apply(&format!("{layer}(x)"));
            }
            Op::Numerical { .. }
            | Op::EnsembleScale { .. }
            | Op::EnsembleLinear { .. }
            | Op::Scale { .. }
            | Op::ParametricActivation { .. } => self.part(op),
            Op::Activation(activation) => self.apply(activate(*activation)),
            Op::Dropout { p } => {
                self.dropouts += 1;
                let layer =
                    self.add(&format!("dropout{}", self.dropouts), &format!("nn.Dropout({})", number(*p)));
                self.apply(&format!("{layer}(x)"));
            }
            Op::Embeddings { dense, tables } => self.embeddings(*dense, tables, row),
            Op::LastStep => self.apply("x[:, -1]"),
            Op::MeanOfSteps => self.apply("x.mean(1)"),
            // Recurrent modules have batch_first; their stacks are added whole.
            Op::TimeMajor | Op::Recurrent { .. } => {}
        }
    }

    /// A part that torch.nn does not have.
    fn part(&mut self, op: &Op) {
        let (weight, module) = match op {
            Op::Numerical { places, others, embedding } => {
                ("numerical.", numerical(places, others, embedding))
            }
            Op::EnsembleScale { weight, members, width } => {
                (weight.as_str(), format!("EnsembleScale({members}, {width})"))
            }
            Op::EnsembleLinear { weight, sizes: [members, inputs, outputs], .. } => {
                (weight.as_str(), format!("EnsembleLinear({members}, {inputs}, {outputs})"))
            }
            Op::Scale { weight, width } => (weight.as_str(), format!("Scale({width})")),
            Op::ParametricActivation { weight, width, activation } => {
                let function = activate(*activation).trim_end_matches("(x)");
                (weight.as_str(), format!("ParametricActivation({width}, {function})"))
            }
            _ => return,
        };
        let layer = self.add(prefix(weight), &module);
        self.apply(&format!("{layer}(x)"));
    }

    fn embeddings(&mut self, dense: usize, tables: &[EmbeddingTable], row: &[usize]) {
        let features = dense + tables.len();
        if row.len() == 1 {
            self.apply(&format!("x.reshape(len(x), -1, {features})"));
        }
        let mut parts = vec![format!("x[..., :{dense}]")];
        for (place, EmbeddingTable { weight, names, length }) in tables.iter().enumerate() {
            let table = self.add(prefix(weight), &format!("nn.Embedding({names}, {length}, padding_idx=0)"));
            parts.push(format!("{table}(x[..., {}].long())", dense + place));
        }
        self.apply(&format!("torch.cat([{}], -1)", parts.join(", ")));
        if row.len() == 1 {
            self.apply("x.flatten(1)");
        }
    }

    fn recurrent(&mut self, stack: &[&Op], dropout: f64) {
        let Some(Op::Recurrent { kind, features, hidden, directions, .. }) = stack.first() else { return };
        let Some(first) = directions.first() else { return };
        let name = prefix(&first.weight_ih).to_owned();
        let (class, more) = match kind {
            CellKind::Elman(activation) => ("RNN", format!(", nonlinearity={}", quoted(activation.name()))),
            CellKind::Lstm => ("LSTM", String::new()),
            CellKind::Gru => ("GRU", String::new()),
        };
        let two_ways = if directions.len() == 2 { ", bidirectional=True" } else { "" };
        let dropout = if dropout > 0.0 { format!(", dropout={}", number(dropout)) } else { String::new() };
        let layers = stack.len();
        let options = format!("num_layers={layers}, batch_first=True{two_ways}{dropout}{more}");
        let layer = self.add(&name, &format!("nn.{class}({features}, {hidden}, {options})"));
        let _ = writeln!(self.forward, "        x, _ = {layer}(x)");
    }
}

/// The embeddings of some columns as a module.
fn numerical(places: &[usize], others: &[usize], embedding: &NumericalOp) -> String {
    let (parts, relu, dense) = match embedding {
        NumericalOp::Periodic { bias, sizes: [features, frequencies, width], has_relu, is_dense, .. } => {
            let components = if bias.is_some() { *frequencies } else { 2 * frequencies };
            let parts = format!(
                "\"periodic\": Periodic({features}, {frequencies}, {}), \"linear\": Grouped({features}, {components}, {width})",
                python(bias.is_some())
            );
            (parts, *has_relu, *is_dense)
        }
        NumericalOp::PiecewiseLinear { linear0, bias, sizes: [features, bins, width], has_relu, .. } => {
            let first = linear0
                .as_ref()
                .map_or(String::new(), |_| format!("\"linear0\": Numbers({features}, {width}), "));
            let parts = format!(
                "{first}\"impl\": PiecewiseLinear({features}, {bins}), \"linear\": Grouped({features}, {bins}, {width}, {})",
                python(bias.is_some())
            );
            (parts, *has_relu, false)
        }
    };
    format!("Numerical({places:?}, {others:?}, {{{parts}}}, {}, {})", python(relu), python(dense))
}

/// The module of a tensor: its name without the last part.
fn prefix(tensor: &str) -> &str {
    tensor.rsplit_once('.').map_or(tensor, |(module, _)| module)
}

fn activate(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "torch.relu(x)",
        Activation::Tanh => "torch.tanh(x)",
        Activation::Sigmoid => "torch.sigmoid(x)",
        Activation::Gelu => "nn.functional.gelu(x)",
        Activation::LeakyRelu => "nn.functional.leaky_relu(x)",
        Activation::Elu => "nn.functional.elu(x)",
        Activation::Selu => "nn.functional.selu(x)",
        Activation::Silu => "nn.functional.silu(x)",
        Activation::Mish => "nn.functional.mish(x)",
    }
}
