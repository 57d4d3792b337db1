//! A folder with the model as PyTorch source: `model.py`, `model.safetensors` and `test_batch.npz`.

mod bag;
mod cells;
mod loss;
mod missing;
mod network;
mod outputs;
mod preprocessing;
mod sequential;
mod series;
mod text;
mod training;

use std::path::{Path, PathBuf};

use super::arrays::npz;
use super::batch::TestBatch;
use super::folder::{self, FolderFile};
use super::inputs::Inputs;
use super::model::TrainedModel;
use super::outputs::NAMES;
use crate::error::{Error, Result};

pub(super) use bag::network;
pub(super) use missing::Missing;
pub(super) use network::module;
pub(super) use text::{number, value};
pub(super) use training::Sections;

/// Writes the folder `output`, which must be new or empty.
pub(super) fn write(model: &TrainedModel, output: &Path) -> Result<Vec<PathBuf>> {
    folder::require_free(output)?;
    let inputs = Inputs::of(model.preprocessing(), &NAMES);
    let source = source(model, &inputs)?;
    let TestBatch { inputs, outputs } = TestBatch::new(model, &inputs)?;
    let batch = npz(&[inputs, outputs].concat()).map_err(Error::io("write", output))?;
    let files = [
        FolderFile { name: "model.py", bytes: source.into_bytes() },
        FolderFile { name: "model.safetensors", bytes: model.safetensors()? },
        FolderFile { name: "test_batch.npz", bytes: batch },
    ];
    folder::write(output, &files)?;
    Ok(vec![output.to_path_buf()])
}

/// `model.py`.
fn source(model: &TrainedModel, inputs: &Inputs<'_>) -> Result<String> {
    let is_table = !matches!(inputs, Inputs::Array { .. });
    let datetime = if is_table { "import datetime\n" } else { "" };
    let pandas = if is_table { "import pandas as pd\n" } else { "" };
    Ok(format!(
        "\"\"\"A network that descent trained, as PyTorch: `predict` answers for raw rows, `train` goes on \
         training.\n\n`python model.py` compares with descent's answers to a test batch.\n\"\"\"\n\n{datetime}import fnmatch\nimport \
         pathlib\n{}\nimport numpy as np\n{pandas}import torch\nfrom safetensors.torch import load_file\nfrom torch import \
         nn\n\nFOLDER = pathlib.Path(__file__).resolve().parent\n{}\n\n{}\n\n{}\n\n{}",
        cells::imports(model.preprocessing()),
        preprocessing::functions(model, inputs),
        bag::network(model),
        outputs::function(model),
        training::functions(model)?
    ))
}
