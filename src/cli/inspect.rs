//! `descent inspect PATH`: lists the tensors of a run or of any .safetensors file.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::table::{printable, render, thousands};
use crate::checkpoint::{self, Contents, TensorInfo};
use crate::config::Config;
use crate::error::Error;
use crate::optim::Group;
use crate::run::unfinished;

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
            let is_run = "there is no model.safetensors in this folder; is it a run?";
            let other = || Error::data(&arguments.path, is_run);
            return Err(unfinished::of_bag(&arguments.path).unwrap_or_else(other).into());
        }
    }
    let Contents { tensors, metadata } = checkpoint::inspect(&path)?;
    // A run says which group its parameters are in.
    let config = path.parent().map(|folder| folder.join("config.toml")).filter(|config| config.is_file());
    let config = config.and_then(|config| Config::of_run(&config, &[]).ok());
    let groups = config.map(|config| config.optimizer.groups).unwrap_or_default();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", path.display())?;
    write!(out, "{}", describe(&tensors, &groups))?;
    for (key, value) in metadata {
        writeln!(out, "metadata  {} = {}", key.escape_debug(), value.escape_debug())?;
    }
    Ok(())
}

/// A table of tensors with the number of parameters, and with the group of each where there are some. BatchNorm's running
/// statistics are counted separately.
pub(super) fn describe(infos: &[TensorInfo], groups: &[Group]) -> String {
    let mut rows = vec![["tensor", "shape", "dtype", "elements"].map(str::to_owned).to_vec()];
    rows[0].extend((!groups.is_empty()).then(|| "group".to_owned()));
    let (mut trained, mut tracked, mut frozen) = (0, 0, 0);
    for info in infos {
        let count = info.shape.iter().product::<usize>() as u64;
        let buffer = ["running_mean", "running_var", "num_batches_tracked"]
            .iter()
            .any(|name| info.name.rsplit('.').next() == Some(name));
        *if buffer { &mut tracked } else { &mut trained } += count;
        let name = info.name.escape_debug().to_string();
        let mut row = vec![name, format!("{:?}", info.shape), info.dtype.clone(), thousands(count)];
        let group = groups.iter().find(|group| !buffer && group.matches(&info.name));
        frozen += if group.is_some_and(|group| group.frozen) { count } else { 0 };
        row.extend((!groups.is_empty()).then(|| group.map_or(String::new(), name_of)));
        rows.push(row);
    }
    let buffers = if tracked > 0 { format!(", {} tracked", thousands(tracked)) } else { String::new() };
    let frozen = if frozen > 0 { format!(", {} of them frozen", thousands(frozen)) } else { String::new() };
    format!("{}{} parameters{frozen}{buffers}\n", render(&rows), thousands(trained))
}

/// `*.bias`, or `layer1.* (frozen)`.
fn name_of(group: &Group) -> String {
    let frozen = if group.frozen { " (frozen)" } else { "" };
    format!("{}{frozen}", printable(&group.pattern))
}
