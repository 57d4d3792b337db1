//! How to load the files in other tools: code that runs as it stands in the folder.

use std::fmt::Write;

use super::candle;
use super::markdown::code;
use crate::data::preprocess::PreprocessingSource;
use crate::data::table::read::Format;
use crate::export::arrays::{Elements, NamedArray};
use crate::export::batch::TestBatch;
use crate::export::inputs::Inputs;
use crate::export::model::TrainedModel;
use crate::export::torch;

/// The most inputs that are written one by one.
const FEW: usize = 20;

/// A section a tool.
pub(super) fn sections(model: &TrainedModel, inputs: &Inputs<'_>, batch: &TestBatch) -> String {
    let row = &model.preprocessing().row;
    let mut text = format!(
        "`model.onnx` takes rows as the data has them, and has the preprocessing inside; dates are days since 1970-01-01 \
         UTC, texts are to have no blanks around them. `model.safetensors` holds the weights as a PyTorch state dict: it reads rows {row:?} as `data.toml` makes \
         them.\n"
    );
    if model.preprocessing().subtract_last().is_some() {
        text += "Its layers read the changes since a row's last step and give those of the targets: `Model` in PyTorch \
                 applies both steps; the candle program applies neither.\n";
    }
    let examples = [
        ("ONNX Runtime", code("python", &onnx(inputs, batch))),
        (
            "descent",
            format!(
                "This folder is a run of descent as far as `predict` and `inspect` go.\n\n{}",
                code("sh", &descent(model))
            ),
        ),
        ("PyTorch", code("python", &pytorch(model))),
        ("candle", code("rust", &candle::program(model))),
        ("NumPy", code("python", NUMPY)),
    ];
    for (name, example) in examples {
        let _ = write!(text, "\n### {name}\n\n{example}");
    }
    text
}

const NUMPY: &str = r#"from safetensors.numpy import load_file

for name, tensor in load_file("model.safetensors").items():
    print(name, tensor.shape, tensor.dtype)
"#;

/// The first row of the test batch in ONNX Runtime.
fn onnx(inputs: &Inputs<'_>, batch: &TestBatch) -> String {
    let few = matches!(inputs, Inputs::Table(columns) if columns.len() <= FEW);
    let feeds = if few {
        let lines =
            batch.inputs.iter().map(|input| format!("    {}: {},\n", quoted(&input.name), first_cell(input)));
        format!("feeds = {{\n{}}}\n", lines.collect::<String>())
    } else {
        "feeds = {}\nfor put in session.get_inputs():  # replace the zeros by rows of your own\n    shape = [1, \
         *put.shape[1:]]\n    text = put.type == \"tensor(string)\"\n    kind = np.float64 if put.type == \"tensor(double)\" \
         else np.float32\n    feeds[put.name] = np.full(shape, \"\", object) if text else np.zeros(shape, kind)\n"
            .to_owned()
    };
    format!(
        "import numpy as np\nimport onnxruntime\n\nsession = onnxruntime.InferenceSession(\"model.onnx\")\n{feeds}for put, \
         value in zip(session.get_outputs(), session.run(None, feeds)):\n    print(put.name, value)\n"
    )
}

/// The first cell of an input (N, 1) as an array (1, 1).
fn first_cell(input: &NamedArray) -> String {
    match &input.elements {
        Elements::Text(texts) => {
            format!("np.array([[{}]], object)", quoted(texts.first().map_or("", String::as_str)))
        }
        Elements::Double(numbers) => {
            let number = numbers.first().copied().filter(|number| number.is_finite());
            format!("np.array([[{}]])", number.map_or_else(|| "np.nan".to_owned(), four_digits))
        }
        Elements::Single(_) | Elements::Integer(_) | Elements::Byte(_) => "np.zeros((1, 1))".to_owned(),
    }
}

/// A number to four digits, as Python writes a float.
fn four_digits(number: f64) -> String {
    let rounded: f64 = format!("{number:.3e}").parse().unwrap_or(number);
    format!("{rounded:?}")
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Predictions of a file.
fn descent(model: &TrainedModel) -> String {
    let input = match &model.preprocessing().source {
        PreprocessingSource::Table { format, .. } | PreprocessingSource::Series { format, .. } => {
            match format.format {
                Format::Csv => "new.csv",
                Format::Jsonl => "new.jsonl",
                Format::Parquet => "new.parquet",
            }
        }
        PreprocessingSource::Images { .. } => "pictures",
        PreprocessingSource::Arrays { .. } => "new.npy",
    };
    format!("descent inspect .\ndescent predict . --input {input} --output predictions.csv\n")
}

/// The network as a module with its weights.
fn pytorch(model: &TrainedModel) -> String {
    let sizes: Vec<String> = model.preprocessing().row.iter().map(usize::to_string).collect();
    let shape = sizes.join(", ");
    format!(
        "import torch\nfrom safetensors.torch import load_file\nfrom torch import nn\n\n\n{}\n\nmodel = \
         Model()\nmodel.load_state_dict(load_file(\"model.safetensors\"))\nmodel.eval()\nwith torch.no_grad():\n    \
         print(model(torch.zeros(1, {shape})))\n",
        torch::network(model)
    )
}
