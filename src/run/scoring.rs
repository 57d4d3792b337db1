//! The rows that a trained run is evaluated on: its own held-out rows, or all rows of another file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use candle_core::{Device, Tensor};
use toml::Table;

use super::baselines::{self, BaselineRows};
use super::data_file;
use super::deferred::Attempt;
use super::folder;
use super::session::Session;
use super::trained::TrainedRun;
use super::whole_file::whole_file;
use crate::config::{Config, split_override};
use crate::data::{Dataset, Fingerprint, Splits};
use crate::error::{Error, Result};
use crate::loss::Losses;
use crate::model::Network;
use crate::names::counted;
use crate::trainer::{self, Evaluation};

/// The rows to score, and the network with the best weights.
pub(crate) struct Evaluator {
    /// The kind of rows.
    pub(crate) part: ScoredRows,
    sets: Vec<Dataset>,
    network: Network,
    loss: Losses,
    /// The rows of the run, where the scored ones are among them.
    own: Option<OwnRows>,
}

/// The rows of a run, by which its baselines are fitted.
struct OwnRows {
    config: Config,
    splits: Splits,
}

/// Rows that are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ScoredRows {
    /// The test split.
    Test,
    /// The validation split, where there is no test split.
    Validation,
    /// All rows of a file.
    File,
}

impl ScoredRows {
    /// The prefix of the names of the metrics.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Test | Self::File => "test",
            Self::Validation => "val",
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Validation => "validation",
            Self::File => "file",
        }
    }

    /// Its name in a sentence, behind an article.
    pub(crate) fn described(self) -> &'static str {
        match self {
            Self::Test => "test split",
            Self::Validation => "validation split",
            Self::File => "file",
        }
    }
}

impl Evaluator {
    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.sets.iter().map(Dataset::len).sum()
    }

    /// Whether they count by their weights.
    pub(crate) fn is_weighted(&self) -> bool {
        self.sets.iter().any(Dataset::is_weighted)
    }

    /// The probability from which on the positive one of two classes is predicted, where the run or the caller gives one.
    pub(crate) fn threshold(&self) -> Option<f64> {
        self.sets.first()?.target_info().threshold
    }

    /// The names of the classes.
    pub(crate) fn classes(&self) -> &[String] {
        self.sets.first().map_or(&[], |data| &data.target_info().classes)
    }

    /// Takes other weights.
    pub(crate) fn load(&self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        self.network.params().load(state)
    }

    /// The baselines on the scored rows; of those of another file those of a series alone.
    pub(crate) fn baselines(&self, evaluation: &Evaluation) -> Result<Vec<(String, f64)>> {
        match (&self.own, self.sets.as_slice()) {
            (Some(OwnRows { config, splits }), [data]) => {
                BaselineRows::of(config, splits, &self.loss).numbers(data, &evaluation.metrics)
            }
            (None, [data]) => Ok(baselines::of_series(data, &evaluation.metrics)),
            _ => Ok(Vec::new()),
        }
    }

    /// Loss and metrics of all rows together.
    pub(crate) fn evaluate(&self) -> Result<Evaluation> {
        trainer::evaluate_all(&self.network, &self.loss, &self.sets.iter().collect::<Vec<_>>())
    }
}

impl TrainedRun {
    /// All rows of a file or folder in the format of the training data.
    pub(crate) fn file(&self, file: &Path, device: &Device) -> Result<Evaluator> {
        let run = self.with_config(whole_file(&self.config, self.decision(), file)?);
        std::fs::metadata(file).map_err(Error::io("open", file))?;
        if is_same_file(file, &self.config.source_place()) {
            tracing::warn!(
                "{}: the run was trained on a part of these rows, so that their scores say little about other rows; without \
                 --input its own test split is scored",
                file.display()
            );
        }
        let Session { splits: Splits { train, test, .. }, network, loss } = run.session(device)?;
        if let Some(scored) = run.config.source.scored()? {
            tracing::info!("{}: {scored}", file.display());
        }
        let sets = std::iter::once(train).chain(test).collect();
        Ok(Evaluator { part: ScoredRows::File, sets, network, loss, own: None })
    }

    /// The run's test split, or its validation split. Where `overrides` name another file than the run was trained on, all
    /// rows of that.
    ///
    /// # Errors
    /// The data has changed since training: its rows would be assigned to the splits anew, and some of those that are
    /// scored would have been trained on.
    pub(crate) fn held_out(&self, overrides: &[&str], device: &Device) -> Result<Evaluator> {
        let session = match self.named_file(overrides) {
            None => self.own_session(device)?,
            Some(other) => {
                // Another file need not have the rows for the run's splits.
                let Some(session) = self.moved_session(device)? else {
                    return self.other_file(&other, device);
                };
                session
            }
        };
        let Session { splits, network, loss } = session;
        let (part, data) = match (&splits.test, &splits.validation) {
            (Some(test), _) => (ScoredRows::Test, test),
            (None, Some(validation)) => (ScoredRows::Validation, validation),
            (None, None) => {
                let problem = "the run has no test split; `--input FILE` scores all rows of a file";
                return Err(Error::Config(problem.to_owned()));
            }
        };
        let sets = vec![data.clone()];
        Ok(Evaluator {
            part,
            sets,
            network,
            loss,
            own: Some(OwnRows { config: self.config.clone(), splits }),
        })
    }

    /// The session of the rows that the run was trained on.
    ///
    /// # Errors
    /// As [`Self::held_out`]'s.
    pub(crate) fn own_session(&self, device: &Device) -> Result<Session> {
        let session = self.session(device)?;
        match self.difference(&session)? {
            None => Ok(session),
            Some(difference) => Err(changed(&self.config.source_place(), &difference)),
        }
    }

    /// All rows of a file that is not the run's own data.
    fn other_file(&self, other: &Path, device: &Device) -> Result<Evaluator> {
        let all = self.file(other, device)?;
        tracing::info!(
            "{}: not the run's own data, and so its test split is not known there; all {} are scored",
            other.display(),
            counted(all.rows(), "row")
        );
        Ok(all)
    }

    /// The session of the rows in the file that the config names now; nothing where they are not those that the run was
    /// trained on, of which nothing is logged then.
    fn moved_session(&self, device: &Device) -> Result<Option<Session>> {
        let attempt = Attempt::make(|| self.session(device));
        match attempt.outcome() {
            Ok(session) if self.difference(session)?.is_none() => attempt.logged().map(Some),
            _ => Ok(None),
        }
    }

    /// The difference between these rows and those that the run was trained on, if it knows them.
    fn difference(&self, session: &Session) -> Result<Option<String>> {
        let now = Fingerprint::of(&session.splits)?;
        Ok(data_file::fingerprint(self.folder())?.and_then(|then| then.difference(&now)))
    }

    /// The file that `overrides` name for the test, or for all rows.
    fn named_file(&self, overrides: &[&str]) -> Option<PathBuf> {
        let table = self.config.to_toml().ok()?.parse::<Table>().ok()?;
        let set = |key: &str| {
            overrides
                .iter()
                .filter_map(|set| split_override(set))
                .any(|(set, _)| [key, "data"].contains(&set.trim()))
        };
        let named = |key: &str| {
            let path = table.get("data")?.get(key)?.as_str().filter(|_| set(&format!("data.{key}")))?;
            Some(PathBuf::from(path))
        };
        // The run's own file, named again, is no other.
        let is_own = |other: &PathBuf| {
            let own = folder::config_of(self.folder(), "eval").and_then(|path| Config::of_run(&path, &[]));
            own.is_ok_and(|own| own.source_place() == *other)
        };
        named("test").or_else(|| named("path").filter(|other| !is_own(other)))
    }
}

/// Whether two paths lead to one file.
fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn changed(place: &Path, difference: &str) -> Error {
    let problem = format!(
        "these are not the rows that the run was trained on: {difference}. Its test split cannot be told from them; bring \
         the data back, or score all rows of a file with: descent eval RUN --input FILE"
    );
    Error::data(place, problem)
}
