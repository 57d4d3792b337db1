//! A chain of layers whose names are their places, as an `nn.Sequential`.

use super::text::number;
use crate::nn::{Activation, Op};

/// The modules of a `nn.Sequential` with the same state dict; none where the layers have other names.
pub(super) fn modules(ops: &[Op]) -> Option<Vec<String>> {
    let mut modules: Vec<String> = Vec::new();
    for op in ops {
        let place = modules.len().to_string();
        let is_next = |tensor: &str| tensor.split_once('.').is_some_and(|(layer, _)| layer == place);
        match op {
            Op::Linear { weight, inputs, outputs, activation, .. } if is_next(weight) => {
                modules.push(format!("nn.Linear({inputs}, {outputs})"));
                modules.extend(activation.map(activate));
            }
            Op::BatchNorm { weight, channels, eps, momentum, .. } if is_next(weight) => {
                let options = format!("eps={}, momentum={}", number(*eps), number(*momentum));
                modules.push(format!("nn.BatchNorm1d({channels}, {options})"));
            }
            Op::LayerNorm { weight, width, eps, .. } if is_next(weight) => {
                modules.push(format!("nn.LayerNorm({width}, eps={})", number(*eps)));
            }
            Op::Activation(activation) => modules.push(activate(*activation)),
            Op::Dropout { p } => modules.push(format!("nn.Dropout({})", number(*p))),
            _ => return None,
        }
    }
    Some(modules)
}

fn activate(activation: Activation) -> String {
    let class = match activation {
        Activation::Relu => "ReLU",
        Activation::Tanh => "Tanh",
        Activation::Sigmoid => "Sigmoid",
        Activation::Gelu => "GELU",
        Activation::LeakyRelu => "LeakyReLU",
        Activation::Elu => "ELU",
        Activation::Selu => "SELU",
        Activation::Silu => "SiLU",
        Activation::Mish => "Mish",
    };
    format!("nn.{class}()")
}
