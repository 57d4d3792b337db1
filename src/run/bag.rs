//! The average of the runs of all folds as one run: `train --bag`.

use std::path::{Path, PathBuf};

use candle_core::Device;

use super::baselines::{BaselineRows, Verdict};
use super::data_file::write_preprocessing;
use super::doubts::log_class_doubts;
use super::history::History;
use super::metrics_log::MetricsLog;
use super::names::{CHECKPOINTS, CONFIG, METRICS, MODEL, TABLE};
use super::new_folder::lock;
use super::observer::{End, Finished, Observer};
use super::residuals::Residuals;
use super::session::{self, Session};
use super::trained::TrainedRun;
use crate::checkpoint;
use crate::config::Config;
use crate::data::{Decision, Fingerprint, Preprocessing, Task, Threshold};
use crate::error::{Error, Result};
use crate::files::{self, Local, Lock};
use crate::model::Network;
use crate::trainer::{Evaluation, HeldOut, evaluate, evaluate_out_of_fold};

/// The average of several runs, in a folder that is locked by this process.
pub(crate) struct BagRun {
    folder: PathBuf,
    /// The config of the average.
    config: Config,
    device: Device,
    _lock: Lock,
}

/// A member's network with the rows that it was not trained on.
struct TrainedMember {
    session: Session,
    seconds: f64,
    epochs: u64,
    steps: u64,
}

/// The config of the average of runs in this folder, if it is one.
pub(crate) fn config_in(folder: &Path, overrides: &[&str]) -> Result<Option<Config>> {
    let path = folder.join(CONFIG);
    // An average has no checkpoints. The config of a run that has may be damaged: resuming it knows what to do.
    if !path.is_file() || folder.join(CHECKPOINTS).exists() {
        return Ok(None);
    }
    let config = Config::of_run(&path, overrides)?;
    Ok(config.preparation.bag.is_some_and(crate::data::split::Bag::is_whole).then_some(config))
}

/// The preprocessing of all members of an average, fitted on the rows that are not tested on. Nothing is written before it:
/// data that cannot be dealt leaves no folder behind.
///
/// # Errors
/// Data that cannot be read, or has fewer rows than the average has folds.
pub(crate) fn preprocessing(config: &Config, device: &Device) -> Result<Preprocessing> {
    let splits = session::splits(config, None, device);
    Ok(splits.map_err(|error| config.locate(error))?.preprocessing)
}

impl BagRun {
    /// Begins an average in a folder, or goes on with it: writes its config.
    pub(crate) fn begin(folder: &Path, config: Config, device: &Device) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let lock = lock(folder)?;
        config.loss.output().average().map_err(|error| config.locate(error))?;
        files::write(&Local, &folder.join(CONFIG), config.to_toml()?.as_bytes())?;
        Ok(Self { folder: folder.to_path_buf(), config, device: device.clone(), _lock: lock })
    }

    /// Averages the finished runs in these folders: writes the weights of all of them, what was fitted, and the results.
    ///
    /// # Errors
    /// A member that has no weights, or data that has changed since they were trained.
    pub(crate) fn finish(&self, members: &[PathBuf], preprocessing: &Preprocessing) -> Result<Finished> {
        let members: Vec<TrainedMember> =
            members.iter().map(|folder| TrainedMember::open(folder, &self.device)).collect::<Result<_>>()?;
        let held_out: Vec<HeldOut<'_>> = members.iter().filter_map(TrainedMember::held_out).collect();
        let out_of_fold = evaluate_out_of_fold(&held_out)?;
        if self.config.loss.task() == Task::Values {
            Residuals::of(&held_out)?.save(&self.folder)?;
        }
        let decision = self.decision(&members, &out_of_fold);
        let finished = self.finished(&members);
        let networks: Vec<Network> = members.into_iter().map(|member| member.session.network).collect();
        let network = Network::averaged(networks, self.config.loss.output().average()?)?;
        let splits = session::splits(&self.config, Some(preprocessing), &self.device)?;
        let loss = self.config.loss.fit(&splits.train, splits.outputs)?;
        let splits = decision.map_or(splits.clone(), |decision| splits.with_decision(decision));
        let mut results =
            decision.map(|own| ("threshold".to_owned(), own.threshold)).into_iter().collect::<Vec<_>>();
        results.extend(out_of_fold.named("oof"));
        let mut baselines = Vec::new();
        if let Some(test) = &splits.test {
            let evaluation = evaluate(&network, &loss, test)?;
            let rows = BaselineRows::of(&self.config, &splits, &loss);
            baselines = rows.numbers(test, &evaluation.metrics)?;
            if let Some(verdict) = Verdict::of(&evaluation.metrics, &baselines) {
                verdict.log();
            }
            log_class_doubts("test split", &evaluation, &test.target_info().classes);
            results.extend(evaluation.named("test"));
        }
        write_preprocessing(&self.folder, &splits.preprocessing, Some(&Fingerprint::of(&splits)?))?;
        checkpoint::save(&Local, &self.folder.join(MODEL), network.params().state())?;
        let finished = Finished { test: results, baselines, ..finished };
        self.log(&finished)?;
        Ok(finished)
    }

    /// The length of all members together.
    fn finished(&self, members: &[TrainedMember]) -> Finished {
        Finished {
            folder: self.folder.clone(),
            end: End::Completed,
            epoch: members.iter().map(|member| member.epochs).max().unwrap_or(0),
            step: members.iter().map(|member| member.steps).sum(),
            best_epoch: 0,
            best_metrics: Vec::new(),
            test: Vec::new(),
            baselines: Vec::new(),
            seconds: members.iter().map(|member| member.seconds).sum(),
            skipped: 0,
        }
    }

    /// The threshold with the best F1 on the rows out of fold, where the config asks for it.
    fn decision(&self, members: &[TrainedMember], out_of_fold: &Evaluation) -> Option<Decision> {
        if self.config.preparation.threshold != Some(Threshold::F1) {
            return None;
        }
        let best = out_of_fold.classes.as_ref()?.best_f1_threshold()?;
        let positive = members.first()?.session.splits.train.target_info().positive;
        Some(Decision { positive, threshold: best.threshold })
    }

    /// Writes the log anew.
    fn log(&self, finished: &Finished) -> Result<()> {
        let (lines, table) = (self.folder.join(METRICS), self.folder.join(TABLE));
        for path in [&lines, &table] {
            if path.is_file() {
                std::fs::remove_file(path).map_err(Error::io("replace", path))?;
            }
        }
        MetricsLog::create(lines, table)?.train_end(finished)
    }
}

impl TrainedMember {
    fn open(folder: &Path, device: &Device) -> Result<Self> {
        let session = TrainedRun::open(folder, "train --bag", &[])?.own_session(device)?;
        let history = History::read(folder)?;
        let number = |key: &str| history.last.as_ref().and_then(|line| line.get(key));
        let count = |key: &str| number(key).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let seconds = number("seconds").and_then(serde_json::Value::as_f64).unwrap_or(0.0);
        Ok(Self { session, seconds, epochs: count("epoch"), steps: count("step") })
    }

    fn held_out(&self) -> Option<HeldOut<'_>> {
        let Session { splits, network, loss } = &self.session;
        splits.validation.as_ref().map(|data| HeldOut { network, loss, data })
    }
}
