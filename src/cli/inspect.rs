//! `descent inspect PATH`: lists the tensors of a run or of any .safetensors file.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::table::{render, thousands};
use crate::checkpoint::{self, Info};
use crate::error::Error;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Run folder, checkpoint, or .safetensors file.
    path: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut path = arguments.path.clone();
    if path.is_dir() {
        path = path.join("model.safetensors");
        if !path.exists() {
            return Err(Error::data(
                &arguments.path,
                "there is no model.safetensors in this folder; is it a run?",
            )
            .into());
        }
    }
    let (infos, metadata) = checkpoint::inspect(&path)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", path.display())?;
    write!(out, "{}", describe(&infos))?;
    for (key, value) in metadata {
        writeln!(out, "metadata  {} = {}", key.escape_debug(), value.escape_debug())?;
    }
    Ok(())
}

/// A table of tensors with the number of parameters. BatchNorm's running statistics are counted separately.
pub(super) fn describe(infos: &[Info]) -> String {
    let mut rows = vec![["tensor", "shape", "dtype", "elements"].map(str::to_owned).to_vec()];
    let (mut trained, mut tracked) = (0, 0);
    for info in infos {
        let count = info.shape.iter().product::<usize>() as u64;
        let buffer = ["running_mean", "running_var", "num_batches_tracked"]
            .iter()
            .any(|name| info.name.rsplit('.').next() == Some(name));
        *if buffer { &mut tracked } else { &mut trained } += count;
        let name = info.name.escape_debug().to_string();
        rows.push(vec![name, format!("{:?}", info.shape), info.dtype.clone(), thousands(count)]);
    }
    let buffers = if tracked > 0 { format!(", {} tracked", thousands(tracked)) } else { String::new() };
    format!("{}{} parameters{buffers}\n", render(&rows), thousands(trained))
}
