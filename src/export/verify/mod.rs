//! `descent verify`: the updates of a run beside PyTorch's, from the same weights and the same rows.
//!
//! The run is written as a PyTorch script and a file with what descent computes: the rows of each update, and the weights
//! after it. The script makes the same updates with torch's own layers, losses, optimizers and schedules, and compares.

mod python;
mod script;
mod steps;

use std::fs;
use std::path::PathBuf;

use super::arrays::NpzWriter;
use super::folder;
use crate::config::Config;
use crate::data::split::Bag;
use crate::error::{Error, Result};
use crate::files::{self, Local};
use crate::kernels::MatmulPrecision;
use crate::names::as_strs;
use crate::run::names::require_no_run_file;
use crate::run::{self, PreparedRun, RunOptions, session};
use crate::trainer::FloatType;

const SCRIPT: &str = "verify.py";
const DATA: &str = "verify.npz";

/// The folder in a run's where script and data are by default.
const FOLDER: &str = "verify";

/// A run to compare with PyTorch.
#[derive(Debug, Clone)]
pub struct VerifyRequest {
    /// The folder of the run.
    pub run: PathBuf,
    /// Overrides of its config, `KEY=VALUE` each.
    pub set: Vec<String>,
    /// The weights to start from, where the run did not start from those of its seed.
    pub start: RunOptions,
    /// The type in which both sides compute. In f32 a run with Adam or BatchNorm differs from itself in another order of
    /// sums: where a gradient is 0 but for rounding, its step has any sign.
    pub dtype: FloatType,
    /// The updates to compare; left out: an epoch, 20 at most.
    pub steps: Option<u64>,
    /// The largest difference, relative to the largest element of a tensor.
    pub tolerance: Option<f64>,
    /// A Python with torch and NumPy; left out: `python3`.
    pub python: Option<PathBuf>,
    /// The folder that keeps script and data, new or empty.
    pub output: Option<PathBuf>,
}

/// What the comparison has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether all updates agree.
    pub agrees: bool,
    /// How many updates agree, or the first tensor that differs.
    pub text: String,
}

/// The folder of script and data.
struct Place<'a> {
    path: PathBuf,
    request: &'a VerifyRequest,
}

/// Compares a run's updates with PyTorch's.
///
/// # Errors
/// A run that PyTorch cannot make, or no Python with torch: then the script is kept. Both are errors of usage.
pub fn verify(request: &VerifyRequest) -> Result<Verdict> {
    let place = Place::of(request)?;
    place.require_free()?;
    let config = config(request)?;
    let prepared = PreparedRun::new(config.clone(), request.start.clone());
    let mut parts = prepared.map_err(|error| session::moved(error, &config))?.into_parts();
    let script = script::Script::of(&parts, request.tolerance)?;
    let steps = steps::count(&parts, request.steps);
    if !place.is_kept() {
        place.clear()?;
    }
    folder::write_with(&place.path, |folder| {
        let mut archive = NpzWriter::create(&folder.join(DATA))?;
        let made = steps::write(&mut parts, steps, &mut archive)?;
        archive.finish()?;
        let path = folder.join(SCRIPT);
        files::write_new(&Local, &path, script.text(&made).as_bytes()).map_err(Error::io("write", path))
    })?;
    place.run()
}

/// The run's config in this type, in which both sides compute.
fn config(request: &VerifyRequest) -> Result<Config> {
    let path = run::folder::config_of(&request.run, "verify")?;
    let mut config = Config::of_run(&path, &as_strs(&request.set))?;
    if config.preparation.bag.is_some_and(Bag::is_whole) {
        let folder = request.run.display();
        return Err(Error::Config(format!(
            "{folder} is the average of several networks (`train --bag`), and each was trained by itself; compare one of \
             them: descent verify {folder}/folds/1 --against torch"
        )));
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    let start = text.lines().find(|line| line.starts_with("# --init-from"));
    if let (Some(start), None) = (start, &request.start.init_from) {
        tracing::warn!(
            "the run started from other weights ({}), this comparison starts from those of its seed",
            start.trim_start_matches("# ")
        );
    }
    (config.train.dtype, config.train.precision) = (request.dtype, MatmulPrecision::F32);
    Ok(config)
}

impl<'a> Place<'a> {
    fn of(request: &'a VerifyRequest) -> Result<Self> {
        let path = request.output.clone().unwrap_or_else(|| request.run.join(FOLDER));
        if request.output.is_some() {
            require_no_run_file("--output", &path)?;
        }
        Ok(Self { path, request })
    }

    /// Checks that nothing is lost: the folder that is named is new or empty, the run's own has no other files.
    fn require_free(&self) -> Result<()> {
        if self.is_kept() || !self.path.is_dir() {
            return folder::require_free(&self.path);
        }
        let entries = fs::read_dir(&self.path).map_err(Error::io("read", &self.path))?;
        let mut others = entries.filter_map(Result::ok).filter(|entry| {
            let name = entry.file_name();
            name != SCRIPT && name != DATA
        });
        others.next().map_or(Ok(()), |entry| {
            let problem =
                format!("`{}` is in the way; name another folder with --output", entry.path().display());
            Err(Error::Config(problem))
        })
    }

    /// Whether script and data are kept.
    fn is_kept(&self) -> bool {
        self.request.output.is_some()
    }

    /// Removes what an earlier call left.
    fn clear(&self) -> Result<()> {
        files::remove_if_there(&Local, &self.path).map_err(Error::io("remove", &self.path))
    }

    /// Runs the script.
    fn run(&self) -> Result<Verdict> {
        let script = self.path.join(SCRIPT);
        let python = python::find(self.request.python.as_deref()).map_err(|problem| {
            Error::Config(format!(
                "nothing was compared: {problem}; --python names another Python, or run the script there: python3 {}",
                script.display()
            ))
        })?;
        let output = python::run(&python, &script)?;
        let agrees = match output.status.code() {
            Some(0) => true,
            Some(1) => false,
            _ => {
                let problem =
                    format!("the script fails in {}: {}", python.display(), python::last_line(&output));
                return Err(Error::data(script, problem));
            }
        };
        if !self.is_kept() {
            self.clear()?;
        }
        Ok(Verdict { agrees, text: String::from_utf8_lossy(&output.stdout).into_owned() })
    }
}
