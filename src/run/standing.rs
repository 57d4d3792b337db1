//! The state of one run of a command that makes several: an earlier call of the command may have made it.

use std::path::{Path, PathBuf};

use super::baselines::is_baseline;
use super::data_file;
use super::folder;
use super::history::History;
use super::names::{CHECKPOINTS, CONFIG, FAILURE, MODEL, OWN};
use super::new_folder::require_free;
use super::options::RunOptions;
use super::prepare::PreparedRun;
use super::resume;
use super::session;
use crate::checkpoint;
use crate::config::Config;
use crate::data::Fingerprint;
use crate::error::{Error, Result};
use crate::metrics::is_of_split;

/// The state of a config's run in its folder.
pub(crate) enum Standing {
    /// It has not begun, or has saved nothing.
    New,
    /// It was stopped, and can be resumed.
    Stopped,
    /// It has finished, with these metrics.
    Finished(Vec<(String, f64)>),
    /// It has diverged; its folder has the record.
    Diverged(PathBuf),
    /// The folder holds a run of another config; these are the differences.
    OtherConfig(String),
}

/// The state of the run of `config` in `folder`.
///
/// # Errors
/// The folder holds other files, or a config that cannot be read.
pub(crate) fn standing(folder: &Path, config: &Config) -> Result<Standing> {
    if !OWN.iter().any(|name| folder.join(name).exists()) {
        return require_free(folder).map(|()| Standing::New);
    }
    let is_saved = checkpoint::has_any(&folder.join(CHECKPOINTS));
    let Ok(own) = Config::of_run(&folder.join(CONFIG), &[]) else {
        // Only the checkpoints have a copy of a damaged config.
        return match (is_saved, folder.join(MODEL).exists()) {
            (true, _) => Ok(Standing::Stopped),
            (false, false) => Ok(Standing::New),
            (false, true) => {
                let problem =
                    "it cannot be read, and no checkpoint has the config too; remove the run's folder";
                Err(Error::data(folder.join(CONFIG), problem))
            }
        };
    };
    let changes = resume::differences(folder, &own.to_toml()?, config)?;
    if !changes.is_empty() {
        let differences: Vec<String> = changes.iter().map(resume::Change::describe).collect();
        return Ok(Standing::OtherConfig(differences.join(", ")));
    }
    let finished = History::read(folder).ok().as_ref().and_then(metrics);
    Ok(match finished {
        Some(metrics) => Standing::Finished(metrics),
        None if folder.join(FAILURE).is_dir() => Standing::Diverged(folder.join(FAILURE)),
        None if is_saved => Standing::Stopped,
        None => Standing::New,
    })
}

/// Requires that the finished run in `folder` has whole weights, and was trained on the rows that its config names now: the
/// results of several runs are compared.
///
/// # Errors
/// The weights are damaged, or the data has changed or cannot be read.
pub(crate) fn require_intact(folder: &Path, config: &Config, options: &RunOptions) -> Result<()> {
    checkpoint::load_checked(&folder.join(MODEL), true)?;
    let Some(then) = data_file::fingerprint(folder)? else { return Ok(()) };
    let fitted = options.preprocessing.as_deref();
    let splits = session::splits(config, fitted, &options.device).map_err(|error| config.locate(error))?;
    match then.difference(&Fingerprint::of(&splits)?) {
        None => Ok(()),
        Some(difference) => Err(Error::data(
            config.source_place(),
            format!(
                "the data has changed since {} was trained: {difference}; bring it back, or name another folder with --out",
                folder.display()
            ),
        )),
    }
}

/// The metrics of a finished run on the test split, its baselines, then the metrics of its best epoch, or of its end where
/// something was fitted to the validation rows there; `None` for one that has not finished.
fn metrics(history: &History) -> Option<Vec<(String, f64)>> {
    let last = history.last.as_ref()?;
    let best = last.get("best_epoch")?.as_f64()?;
    let epoch = history.epochs.iter().find(|epoch| epoch.value("epoch") == Some(best))?;
    let number = |(name, value): (&String, &serde_json::Value)| Some((name.clone(), value.as_f64()?));
    let is_test = |name: &String| name.starts_with("test_");
    let test = last.iter().filter(|(name, _)| is_test(name)).filter_map(number);
    let baselines = last.iter().filter(|(name, _)| is_baseline(name)).filter_map(number);
    let own = epoch.line.iter().filter(|(name, _)| is_of_split(name));
    let own = own.map(|(name, value)| (name, last.get(name).unwrap_or(value))).filter_map(number);
    Some(test.chain(baselines).chain(own).collect())
}

impl PreparedRun {
    /// Begins the run of a config in the folder of the options, or goes on with it where it was stopped.
    pub(crate) fn begin_or_resume(config: Config, standing: &Standing, options: RunOptions) -> Result<Self> {
        match (standing, options.folder.clone()) {
            (Standing::Stopped, Some(folder)) => Self::resume(&folder, &[], options),
            (_, folder) => {
                if let Some(folder) = folder.filter(|folder| folder.exists()) {
                    folder::clear_unsaved(&folder)?;
                }
                Self::new(config, options)
            }
        }
    }
}
