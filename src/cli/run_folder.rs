//! The folder of a run: `config.toml`, `model.safetensors`, `metrics.jsonl`, `checkpoints/`.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::checkpoint;
use crate::error::{Error, Result};
use crate::files;
use crate::nn::Params;

/// The names that a run writes.
const OWN: [&str; 4] = ["config.toml", "model.safetensors", "metrics.jsonl", "checkpoints"];

/// A run's folder, open for writing.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    metrics: File,
    /// The outermost folder that this run made, if it made any.
    made: Option<PathBuf>,
}

impl RunFolder {
    /// Refuses a folder in which something of a run lies already, so that no file is overwritten.
    pub(super) fn check(path: &Path) -> Result<()> {
        if path.exists() && !path.is_dir() {
            return Err(Error::Config(format!("--out {}: this is a file, not a folder", path.display())));
        }
        match OWN.iter().find(|name| fs::symlink_metadata(path.join(name)).is_ok()) {
            Some(name) => Err(Error::Config(format!(
                "--out {}: this folder holds a run already (`{name}`); choose another, or remove it first",
                path.display()
            ))),
            None => Ok(()),
        }
    }

    /// Makes the folder and puts the config into it.
    pub(super) fn create(path: &Path, config: &str) -> Result<Self> {
        Self::check(path)?;
        let made =
            path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).last();
        let made = made.map(Path::to_path_buf);
        fs::create_dir_all(path).map_err(Error::io("create", path))?;
        let start = || -> Result<File> {
            files::write(&path.join("config.toml"), config.as_bytes())?;
            let metrics = path.join("metrics.jsonl");
            File::options()
                .create_new(true)
                .append(true)
                .open(&metrics)
                .map_err(Error::io("create", &metrics))
        };
        let metrics = start().inspect_err(|_| remove(path, made.as_deref()))?;
        Ok(Self { path: path.to_path_buf(), metrics, made })
    }

    /// The folder.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Where checkpoints go.
    pub(super) fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Adds one line to `metrics.jsonl`.
    pub(super) fn log(&mut self, line: Map<String, Value>) -> Result<()> {
        let path = self.path.join("metrics.jsonl");
        let text = format!("{}\n", Value::Object(line));
        self.metrics.write_all(text.as_bytes()).map_err(Error::io("write", &path))
    }

    /// Puts the weights into `model.safetensors`.
    pub(super) fn save_model(&self, params: &Params) -> Result<()> {
        checkpoint::save(&self.path.join("model.safetensors"), params.state())
    }

    /// Takes a run back that came to nothing: no model and no checkpoint was written. Says whether it did.
    pub(super) fn discard_if_empty(self) -> bool {
        let holds = |name: &str| self.path.join(name).exists();
        let kept = holds("model.safetensors") || holds("checkpoints");
        if !kept {
            remove(&self.path, self.made.as_deref());
        }
        !kept
    }
}

/// Removes what a run wrote, and the folders that it made, from `path` out to `made`.
fn remove(path: &Path, made: Option<&Path>) {
    for name in ["config.toml", "metrics.jsonl"] {
        let _ = fs::remove_file(path.join(name));
    }
    let Some(made) = made else { return };
    for folder in path.ancestors().take_while(|folder| folder.starts_with(made)) {
        // A folder that another run uses is not empty and stays.
        let _ = fs::remove_dir(folder);
    }
}

/// `runs/NAME-20261123-221530`, in UTC, with a number behind where two runs start in one second.
pub(super) fn default_path(name: &str) -> PathBuf {
    let seconds = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |t| t.as_secs());
    let base = format!("{name}-{}", timestamp(seconds));
    let candidates = (1..).map(|n| if n == 1 { base.clone() } else { format!("{base}-{n}") });
    let mut free = candidates.map(|name| Path::new("runs").join(name)).filter(|path| !path.exists());
    free.next().unwrap_or_else(|| Path::new("runs").join(&base))
}

/// Days to a date: H. Hinnant, "chrono-compatible low-level date algorithms".
fn timestamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}{month:02}{day:02}-{hour:02}{minute:02}{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_become_dates() {
        assert_eq!(timestamp(0), "19700101-000000");
        assert_eq!(timestamp(951_782_400), "20000229-000000");
        assert_eq!(timestamp(1_000_000_000), "20010909-014640");
    }
}
