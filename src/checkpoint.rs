//! safetensors files, and snapshots of a run as folders. What is written is written beside and renamed into place.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files;
use crate::trainer::Trainer;

/// Where a run stands, in `progress.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// The epoch, counted from 1.
    pub epoch: u64,
    /// The updates made.
    pub step: u64,
    /// The updates made in this epoch.
    pub step_in_epoch: u64,
}

/// What an array in a safetensors file is, without its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Its name.
    pub name: String,
    /// Its type, as the file spells it.
    pub dtype: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

/// Writes tensors as PyTorch's tools do: `{"format": "pt"}` is all the metadata.
pub fn save<'a>(path: &Path, tensors: impl IntoIterator<Item = (&'a str, Tensor)>) -> Result<()> {
    let format = [("format".to_owned(), "pt".to_owned())].into();
    let tensors: BTreeMap<&str, Tensor> = tensors.into_iter().collect();
    let bytes = safetensors::serialize(&tensors, Some(format))
        .map_err(|e| Error::Weights(format!("cannot write {}: {e}", path.display())))?;
    files::write(path, &bytes)
}

/// Reads all tensors of a safetensors file; never through a memory map.
pub fn load(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let bytes = read(path)?;
    let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).map_err(|e| {
        let problem = format!("not a safetensors file that can be read: {}", Error::from(e));
        Error::data(path, problem)
    })?;
    Ok(tensors.into_iter().collect())
}

/// The arrays in a safetensors file, and its metadata.
pub fn inspect(path: &Path) -> Result<(Vec<Info>, BTreeMap<String, String>)> {
    let bytes = read(path)?;
    let damaged = |e| Error::data(path, format!("not a safetensors file: {e}"));
    let tensors = SafeTensors::deserialize(&bytes).map_err(damaged)?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(damaged)?;
    let infos = tensors.iter().map(|(name, view)| Info {
        name: name.to_owned(),
        dtype: format!("{:?}", view.dtype()),
        shape: view.shape().to_vec(),
    });
    let mut infos: Vec<Info> = infos.collect();
    infos.sort_by_key(|a| natural_order(&a.name));
    let metadata = metadata.metadata().iter().flatten();
    Ok((infos, metadata.map(|(key, value)| (key.clone(), value.clone())).collect()))
}

/// Sorts `layer2` before `layer10`.
fn natural_order(name: &str) -> Vec<(String, u64)> {
    let mut parts = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail.len());
        parts.push((word.to_owned(), tail[..end].parse().unwrap_or(0)));
        rest = &tail[end..];
    }
    parts
}

fn read(path: &Path) -> Result<Vec<u8>> {
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    let pickle = "a pickle can run code, so it is not read; convert it in Python: \
                  safetensors.torch.save_file(torch.load(path, weights_only=True), \"weights.safetensors\")";
    if matches!(ending, "pt" | "pth" | "bin") {
        return Err(Error::data(path, pickle));
    }
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    if !file.metadata().map_err(Error::io("read", path))?.is_file() {
        return Err(Error::data(path, "this is not a file"));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    // A safetensors file has the length of its header first, which may look like anything, and then the header.
    let json = bytes.get(8) == Some(&b'{');
    if !json && (bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(&[0x80, 2])) {
        return Err(Error::data(path, pickle));
    }
    Ok(bytes)
}

/// Writes a checkpoint `step-00000938` into `folder`, and removes the oldest ones beyond `keep`.
pub fn save_checkpoint(
    folder: &Path,
    trainer: &Trainer,
    progress: &Progress,
    keep: usize,
) -> Result<PathBuf> {
    let target = folder.join(format!("step-{:08}", progress.step));
    if target.exists() {
        return Ok(target);
    }
    let part = files::beside(&target);
    let put = || -> Result<()> {
        if part.exists() {
            fs::remove_dir_all(&part).map_err(Error::io("remove", &part))?;
        }
        fs::create_dir_all(&part).map_err(Error::io("create", &part))?;
        save(&part.join("model.safetensors"), trainer.network().params().state())?;
        let state = trainer.optimizer().state()?;
        save(
            &part.join("optimizer.safetensors"),
            state.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())),
        )?;
        if let Some(average) = trainer.average()? {
            save(
                &part.join("average.safetensors"),
                average.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())),
            )?;
        }
        let progress = toml::to_string(progress).map_err(|e| Error::Config(e.to_string()))?;
        files::write(&part.join("progress.toml"), progress.as_bytes())?;
        fs::rename(&part, &target).map_err(Error::io("create", &target))?;
        files::sync_parent(&target).map_err(Error::io("write", folder))
    };
    put().inspect_err(|_| {
        let _ = fs::remove_dir_all(&part);
    })?;
    retire(folder, keep)?;
    Ok(target)
}

/// Removes all checkpoints but the newest `keep`.
fn retire(folder: &Path, keep: usize) -> Result<()> {
    let entries = fs::read_dir(folder).map_err(Error::io("read", folder))?;
    let number = |path: &PathBuf| -> Option<u64> {
        path.file_name()?.to_str()?.strip_prefix("step-").and_then(|step| step.parse().ok())
    };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut steps: Vec<(u64, PathBuf)> = paths.filter_map(|path| Some((number(&path)?, path))).collect();
    steps.sort();
    let old = steps.len().saturating_sub(keep.max(1));
    steps[..old].iter().try_for_each(|(_, path)| fs::remove_dir_all(path).map_err(Error::io("remove", path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_equal_input_gives_equal_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("w.safetensors");
        let w = Tensor::new(&[[1f32, 2.0], [3.0, 4.0]], &Device::Cpu).unwrap();
        let n = Tensor::new(7i64, &Device::Cpu).unwrap();
        let write = || {
            save(&path, [("layer10.w", w.clone()), ("layer2.w", w.clone()), ("n", n.clone())]).unwrap();
            fs::read(&path).unwrap()
        };
        assert_eq!(write(), write());
        let back = load(&path).unwrap();
        assert_eq!(back["layer2.w"].to_vec2::<f32>().unwrap(), w.to_vec2::<f32>().unwrap());
        assert_eq!(back["n"].to_scalar::<i64>().unwrap(), 7);
        let (infos, metadata) = inspect(&path).unwrap();
        assert_eq!(infos.iter().map(|i| i.name.as_str()).collect::<Vec<_>>(), ["layer2.w", "layer10.w", "n"]);
        assert_eq!(metadata["format"], "pt");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn files_of_other_kinds_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in
            [("a.safetensors", &b"PK\x03\x04rest"[..]), ("b.pt", b"x"), ("c.safetensors", b"short")]
        {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            assert!(load(&path).is_err());
            assert!(inspect(&path).is_err());
        }
    }
}
