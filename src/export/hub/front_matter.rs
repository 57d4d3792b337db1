//! The YAML at the head of a model card: <https://huggingface.co/docs/hub/model-cards#model-card-metadata>.

use std::fmt::Write;

use super::results::Results;
use super::yaml::{number, quoted};
use crate::export::inputs::Inputs;
use crate::export::model::TrainedModel;
use crate::run::Columns;

/// A task of the Hub: <https://huggingface.co/tasks>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct HubTask {
    /// Its `pipeline_tag`.
    pub(super) tag: &'static str,
    /// Its name.
    pub(super) name: &'static str,
}

impl HubTask {
    /// The task of a model.
    pub(super) fn of(model: &TrainedModel, inputs: &Inputs<'_>) -> Self {
        let is_values = matches!(model.columns(), Columns::Values { .. });
        let source = model.config.source.name();
        let is_picture = source == "images" || source.contains("mnist");
        match inputs {
            Inputs::Series { .. } => Self { tag: "time-series-forecasting", name: "Time Series Forecasting" },
            Inputs::Array { shape } if is_values && shape.len() == 2 => {
                Self { tag: "time-series-forecasting", name: "Time Series Forecasting" }
            }
            _ if is_picture && !is_values => {
                Self { tag: "image-classification", name: "Image Classification" }
            }
            _ if is_values => Self { tag: "tabular-regression", name: "Tabular Regression" },
            _ => Self { tag: "tabular-classification", name: "Tabular Classification" },
        }
    }
}

/// The front matter between its two lines of dashes.
pub(super) fn front_matter(model: &TrainedModel, task: HubTask, results: &Results) -> String {
    let mut text = format!(
        "---\n# The license is yours to choose: https://huggingface.co/docs/hub/repositories-licenses\n# license: \
         mit\nlibrary_name: {}\npipeline_tag: {}\ntags:\n",
        env!("CARGO_CRATE_NAME"),
        task.tag
    );
    for tag in [model.config.model.name(), "pytorch", "onnx", "safetensors", "candle"] {
        let _ = writeln!(text, "- {tag}");
    }
    // The Hub takes a model-index with metrics alone.
    let metrics: Vec<_> = results.metrics.iter().filter(|metric| metric.is_of_the_network()).collect();
    if !metrics.is_empty() {
        let _ = write!(
            text,
            "model-index:\n- name: {}\n  results:\n  - task:\n      type: {}\n      name: {}\n    dataset:\n      type: \
             {}\n      name: {}\n      split: {}\n    metrics:\n",
            quoted(&model.name()),
            task.tag,
            task.name,
            quoted(model.config.source.name()),
            quoted(&data_name(model)),
            results.split
        );
        for metric in metrics {
            let _ = write!(
                text,
                "    - type: {}\n      value: {}\n      name: {}\n      verified: false\n",
                quoted(metric.hub_name()),
                number(metric.value),
                quoted(&metric.name)
            );
        }
    }
    text + "---\n"
}

/// The name of the data's file or folder, or of the set.
pub(super) fn data_name(model: &TrainedModel) -> String {
    let file = model.config.source_place().file_name().map(|name| name.to_string_lossy().into_owned());
    file.filter(|name| !name.is_empty()).unwrap_or_else(|| model.config.source.name().to_owned())
}
