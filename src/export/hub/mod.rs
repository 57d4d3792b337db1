//! A folder for the Hugging Face Hub: a model card, `config.json`, the weights, the ONNX file, and what `descent predict`
//! reads. <https://huggingface.co/docs/hub/model-cards>

mod architecture;
mod candle;
mod card;
mod front_matter;
mod loading;
mod markdown;
mod results;
mod yaml;

use std::path::{Path, PathBuf};

use super::batch::TestBatch;
use super::folder::{self, FolderFile};
use super::inputs::Inputs;
use super::model::TrainedModel;
use super::{onnx, outputs};
use crate::error::Result;
use crate::run::names::{CONFIG, DATA, MODEL, RESIDUALS};
use card::Card;
use results::Results;

/// Writes the folder `output`, which must be new or empty. No path of this machine is in it.
pub(super) fn write(model: &TrainedModel, output: &Path) -> Result<Vec<PathBuf>> {
    folder::require_free(output)?;
    model.require_no_quantiles("hub")?;
    let inputs = Inputs::of(model.preprocessing(), &outputs::NAMES);
    let config = model.config.to_shared_toml()?;
    let batch = TestBatch::new(model, &inputs)?;
    let card = Card { model, inputs: &inputs, batch: &batch, results: Results::read(&model.folder)? };
    let mut files = vec![
        FolderFile { name: "README.md", bytes: card.text().into_bytes() },
        FolderFile { name: "config.json", bytes: architecture::json(model, &inputs).into_bytes() },
        FolderFile { name: MODEL, bytes: model.safetensors()? },
        FolderFile { name: "model.onnx", bytes: onnx::encode(model, &inputs)? },
        FolderFile { name: CONFIG, bytes: config.into_bytes() },
        FolderFile { name: DATA, bytes: model.saved_preprocessing()? },
    ];
    // Of values, where rows were validated.
    files.extend(model.residuals()?.map(|bytes| FolderFile { name: RESIDUALS, bytes }));
    folder::write(output, &files)?;
    Ok(vec![output.to_path_buf()])
}
