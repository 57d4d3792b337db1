//! `data.toml` in a run's folder: the preprocessing that was fitted, and the fingerprint of the rows.

use std::fs;
use std::path::Path;

use super::names::{CHECKPOINTS, DATA};
use super::unfinished;
use crate::checkpoint;
use crate::data::{Fingerprint, Preprocessing};
use crate::error::{Error, Result};
use crate::files::{self, Local};

/// Writes `data.toml` into a folder: the preprocessing, and the fingerprint of the rows.
pub(super) fn write_preprocessing(
    folder: &Path,
    preprocessing: &Preprocessing,
    rows: Option<&Fingerprint>,
) -> Result<()> {
    #[derive(serde::Serialize)]
    struct SavedFingerprint<'a> {
        fingerprint: Option<&'a Fingerprint>,
    }
    let kept =
        toml::to_string(&SavedFingerprint { fingerprint: rows }).map_err(|e| Error::Config(e.to_string()))?;
    let text = format!("{}\n{kept}", preprocessing.to_toml()?);
    files::write(&Local, &folder.join(DATA), text.as_bytes())
}

/// The fingerprint of the rows that the run in this folder was trained on; `None` for a run of an older version that
/// kept none, and for one that has saved no checkpoint.
pub(crate) fn fingerprint(run: &Path) -> Result<Option<Fingerprint>> {
    #[derive(serde::Deserialize)]
    struct SavedFingerprint {
        fingerprint: Option<Fingerprint>,
    }
    let path = run.join(DATA);
    if path.is_file() {
        let text = fs::read_to_string(&path).map_err(Error::io("read", &path))?;
        let kept: SavedFingerprint =
            toml::from_str(&text).map_err(|e| Error::data(&path, e.message().to_owned()))?;
        if kept.fingerprint.is_some() {
            return Ok(kept.fingerprint);
        }
    }
    let found = checkpoint::newest_with_any_log(&run.join(CHECKPOINTS));
    Ok(found.ok().map(|found| found.progress.data))
}

/// The preprocessing of the run in this folder; `None` for a run from before that was kept.
pub(super) fn preprocessing(run: &Path) -> Result<Option<Preprocessing>> {
    let path = run.join(DATA);
    match fs::symlink_metadata(&path) {
        Ok(_) if path.is_file() => Preprocessing::read(&path).map(Some),
        Ok(_) => Err(no_preprocessing(run)),
        Err(_) => Ok(None),
    }
}

/// The run in this folder has no preprocessing.
pub(super) fn no_preprocessing(run: &Path) -> Error {
    if let Some(error) = unfinished::of_bag(run) {
        return error;
    }
    Error::data(run, format!("there is no {DATA} in this folder; train the run again to predict with it"))
}
