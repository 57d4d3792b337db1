//! The network as a program with candle: <https://docs.rs/candle-nn>.

use std::fmt::Write;

use crate::export::model::TrainedModel;
use crate::nn::{Activation, EmbeddingTable, Op};

/// A program that loads the weights. It computes where all layers are in candle-nn: it has no stack of recurrent layers.
pub(super) fn program(model: &TrainedModel) -> String {
    let is_beyond =
        |op: &Op| matches!(op, Op::Recurrent { .. } | Op::Numerical { .. } | Op::EnsembleScale { .. });
    if model.ops.iter().any(is_beyond) { tensors() } else { layers(model) }
}

fn tensors() -> String {
    "use candle_core::{Device, Result, safetensors};\n\nfn main() -> Result<()> {\n    // `candle_nn::rnn` has the steps of an \
     LSTM and a GRU; PyTorch's names of tensors are candle's.\n    for (name, tensor) in \
     safetensors::load(\"model.safetensors\", &Device::Cpu)? {\n        println!(\"{name} {tensor:?}\");\n    }\n    \
     Ok(())\n}\n"
        .to_owned()
}

fn layers(model: &TrainedModel) -> String {
    let row = &model.preprocessing().row;
    let sizes: Vec<String> = row.iter().map(usize::to_string).collect();
    let mut body = String::new();
    let mut uses = Vec::new();
    for op in &model.ops {
        layer(op, row, &mut body, &mut uses);
    }
    body += "    println!(\"{x}\");\n";
    if model.is_bag() {
        body = of_members(&body, model.members.len());
    }
    uses.push("VarBuilder");
    uses.sort_unstable();
    uses.dedup();
    format!(
        "use candle_core::{{DType, Device, Result, Tensor, safetensors}};\nuse candle_nn::{{{}}};\n\nfn main() -> Result<()> \
         {{\n    let tensors = safetensors::load(\"model.safetensors\", &Device::Cpu)?;\n    let weights = \
         VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);\n    let x = Tensor::zeros((1, {}), DType::F32, \
         &Device::Cpu)?;\n{body}    Ok(())\n}}\n",
        uses.join(", "),
        sizes.join(", ")
    )
}

/// The lines of a network for each of so many.
fn of_members(body: &str, count: usize) -> String {
    let lines = body.lines().fold(String::new(), |all, line| all + "    " + line + "\n");
    format!(
        "    // What each member gives; the mean of their predictions is the model's.\n    let (rows, all) = (x, \
         weights);\n    for number in 1..={count} {{\n        let (x, weights) = (rows.clone(), \
         all.pp(format!(\"member{{number}}\")));\n{lines}    }}\n"
    )
}

/// The lines of a layer, and what they use of candle-nn.
fn layer(op: &Op, row: &[usize], body: &mut String, uses: &mut Vec<&'static str>) {
    let mut line = |text: &str| {
        let _ = writeln!(body, "    let x = {text};");
    };
    match op {
        Op::Linear { weight, inputs, outputs, activation, .. } => {
            uses.push("Module");
            let layer = prefix(weight);
            line(&format!("candle_nn::linear({inputs}, {outputs}, weights.pp({layer:?}))?.forward(&x)?"));
            if let Some(activation) = activation {
                line(activate(*activation));
            }
        }
        Op::BatchNorm { weight, channels, eps, .. } => {
            uses.push("ModuleT");
            let layer = prefix(weight);
            line(&format!(
                "candle_nn::batch_norm({channels}, {eps:?}, weights.pp({layer:?}))?.forward_t(&x, false)?"
            ));
        }
        Op::LayerNorm { weight, width, eps, .. } => {
            uses.push("Module");
            let layer = prefix(weight);
            line(&format!("candle_nn::layer_norm({width}, {eps:?}, weights.pp({layer:?}))?.forward(&x)?"));
        }
        Op::Scale { weight, width } => {
            line(&format!("x.broadcast_mul(&weights.get({width}, {weight:?})?)?"));
        }
        Op::ParametricActivation { weight, width, activation } => {
            line(&mix(weight, *width, activate(*activation)));
        }
        Op::Activation(activation) => line(activate(*activation)),
        Op::Embeddings { dense, tables } => {
            uses.push("Module");
            embeddings(*dense, tables, row, body);
        }
        // The identity, or beyond this program.
        _ => {}
    }
}

/// The mixture of an activation and the identity.
fn mix(weight: &str, width: usize, activated: &str) -> String {
    format!("(&x + ({activated} - &x)?.broadcast_mul(&weights.get({width}, {weight:?})?)?)?")
}

/// The last columns of each step as rows of tables.
fn embeddings(dense: usize, tables: &[EmbeddingTable], row: &[usize], body: &mut String) {
    let features = dense + tables.len();
    let steps = row.iter().product::<usize>() / features.max(1);
    let _ = writeln!(body, "    let x = x.reshape((1, {steps}, {features}))?;");
    let mut parts = Vec::new();
    if dense > 0 {
        parts.push(format!("x.narrow(2, 0, {dense})?"));
    }
    for (place, EmbeddingTable { weight, names, length }) in (dense..).zip(tables) {
        parts.push(format!(
            "candle_nn::embedding({names}, {length}, weights.pp({:?}))?\n            .forward(&x.narrow(2, {place}, \
             1)?.squeeze(2)?.to_dtype(DType::U32)?)?",
            prefix(weight)
        ));
    }
    let _ = writeln!(body, "    let parts = [\n        {},\n    ];", parts.join(",\n        "));
    let _ = writeln!(body, "    let x = Tensor::cat(&parts, 2)?.flatten_from(1)?;");
}

/// The layer of a tensor.
fn prefix(tensor: &str) -> &str {
    tensor.rsplit_once('.').map_or(tensor, |(layer, _)| layer)
}

fn activate(activation: Activation) -> &'static str {
    match activation {
        Activation::Relu => "x.relu()?",
        Activation::Tanh => "x.tanh()?",
        Activation::Sigmoid => "candle_nn::ops::sigmoid(&x)?",
        Activation::Gelu => "x.gelu_erf()?",
        Activation::LeakyRelu => "candle_nn::ops::leaky_relu(&x, 0.01)?",
        Activation::Elu => "x.elu(1.0)?",
        // candle-nn's `selu` takes PyTorch's constants.
        Activation::Selu => "candle_nn::ops::selu(&x, 1.673_263_2, 1.050_701)?",
        Activation::Silu => "x.silu()?",
        Activation::Mish => "(&x * (x.exp()? + 1.0)?.log()?.tanh()?)?",
    }
}
