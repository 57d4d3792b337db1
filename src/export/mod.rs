//! A trained model for other tools: [`ExportTarget`] lists them, one file or folder here each.
//!
//! A target is a match over the layers' [`Op`](crate::nn::Op)s, the preprocessing's
//! [`Step`](crate::data::preprocess::Step)s and the loss's [`NetworkOutput`](crate::loss::NetworkOutput). What it cannot
//! write is an error that names it, before a file is touched.

mod arrays;
mod batch;
mod c;
mod fold;
mod folder;
mod hub;
mod inputs;
mod layers;
mod model;
mod onnx;
mod outputs;
mod torch;
mod verify;

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::error::{Error, Result};
use crate::run::names::{require_kind, require_no_run_file};
use model::TrainedModel;
pub use verify::{Verdict, VerifyRequest, verify};

/// What a trained model can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportTarget {
    /// One .onnx file with the preprocessing inside, and a test batch beside it.
    Onnx,
    /// A folder with PyTorch source, the weights and a test batch.
    Torch,
    /// A C99 header and source without any library.
    C,
    /// A folder for the Hugging Face Hub: a model card, the weights and the ONNX file.
    Hub,
}

/// A trained model to write.
#[derive(Debug, Clone)]
pub struct Request {
    /// The folder of the run.
    pub run: PathBuf,
    /// What is written.
    pub target: ExportTarget,
    /// The file or folder to write; left out: one in the run folder.
    pub output: Option<PathBuf>,
    /// Whether NaN and infinite values in the weights are accepted.
    pub allow_nonfinite: bool,
    /// Of C source: whether weights have 8 bits.
    pub int8: bool,
}

/// Writes the model of a run; gives the files or folders that were written.
///
/// # Errors
/// There is no finished run, it has something that the target does not have, or the disk fails. No file is left then.
pub fn export(request: &Request) -> Result<Vec<PathBuf>> {
    if request.int8 && request.target != ExportTarget::C {
        return Err(Error::Config("--int8 is for --to c".to_owned()));
    }
    let output = output(request);
    if output == Path::new("-") {
        return Err(Error::Config("--output -: an export is several files; name a path".to_owned()));
    }
    require_no_run_file("--output", &output)?;
    require_own(request.target, &output)?;
    let model = TrainedModel::open(&request.run, request.allow_nonfinite)?;
    match request.target {
        ExportTarget::Onnx => onnx::write(&model, &output),
        ExportTarget::Torch => torch::write(&model, &output),
        ExportTarget::C => c::write(&model, &output, request.int8),
        ExportTarget::Hub => hub::write(&model, &output),
    }
}

/// Where the export goes.
fn output(request: &Request) -> PathBuf {
    request.output.clone().unwrap_or_else(|| match request.target {
        ExportTarget::Onnx => request.run.join("model.onnx"),
        ExportTarget::Torch => request.run.join("torch"),
        ExportTarget::C => request.run.join("model.c"),
        ExportTarget::Hub => request.run.join("hub"),
    })
}

/// Checks that no file of another kind is written over.
fn require_own(target: ExportTarget, output: &Path) -> Result<()> {
    match target {
        ExportTarget::Onnx => require_kind("--output", output, &["onnx"]),
        ExportTarget::Torch | ExportTarget::C | ExportTarget::Hub => Ok(()),
    }
}
