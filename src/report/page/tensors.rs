//! Weights and their gradients.

use super::numbering::Numbering;
use super::table::{HtmlTable, head};
use crate::names::printable;
use crate::report::data::{HistogramBin, TensorStats};
use crate::report::numbers::{NONE, number, percent};
use crate::report::plot::{Chart, sparkline};
use crate::report::text::escape;

/// More tensors than this are folded.
const OPEN: usize = 40;

pub(super) fn html(tensors: &[TensorStats], numbers: &mut Numbering) -> String {
    if tensors.is_empty() {
        return String::new();
    }
    let gradients = tensors.iter().any(|tensor| tensor.gradient.is_some());
    let mut names = vec!["tensor", "shape", "spread", "mean", "std", "min", "max", "zeros"];
    if gradients {
        names.extend(["gradient norm", "its mean", "its std", "its max"]);
    }
    let table = HtmlTable {
        caption: if gradients { "Weights and their gradients." } else { "Weights." }.to_owned(),
        head: head(&names),
        rows: tensors.iter().map(|tensor| row(tensor, gradients, numbers)).collect(),
        numbers_from: 3,
    };
    let html = table.html(numbers);
    if tensors.len() > OPEN {
        format!("<h3>Weights</h3><details><summary>{} tensors</summary>{html}</details>", tensors.len())
    } else {
        format!("<h3>Weights</h3>{html}")
    }
}

fn row(tensor: &TensorStats, gradients: bool, numbers: &mut Numbering) -> Vec<String> {
    let TensorStats { name, mean, std, min, max, zeros, .. } = tensor;
    let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
    let shape = if shape.is_empty() { "scalar".to_owned() } else { shape.join(" × ") };
    let mut cells = vec![format!("<code>{}</code>", escape(name)), shape, spread(tensor, numbers)];
    cells.extend([*mean, *std, *min, *max].map(number));
    cells.push(percent(*zeros));
    if gradients {
        cells.extend(match tensor.gradient {
            Some(gradient) => [gradient.norm, gradient.mean, gradient.std, gradient.max].map(number),
            None => [NONE; 4].map(str::to_owned),
        });
    }
    cells
}

fn spread(tensor: &TensorStats, numbers: &mut Numbering) -> String {
    if tensor.histogram.is_empty() {
        return NONE.to_owned();
    }
    let most = tensor.histogram.iter().max_by_key(|bin| bin.count).copied().unwrap_or_default();
    let HistogramBin { left, right, count } = most;
    let chart = Chart {
        id: numbers.chart(),
        title: format!("Spread of {}", printable(&tensor.name)),
        description: format!(
            "From {} to {}; the fullest of {} bins, {} to {}, has {count}.",
            number(tensor.min),
            number(tensor.max),
            tensor.histogram.len(),
            number(left),
            number(right)
        ),
        ..Chart::default()
    };
    sparkline(&chart, &tensor.histogram)
}
