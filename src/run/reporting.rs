//! The metrics of a run's epochs, and those of its end.

use super::Run;
use super::baselines::{BaselineRows, Verdict, of_split};
use super::doubts::log_class_doubts;
use super::observer::{End, EpochEnd, Finished, Observer};
use super::residuals::Residuals;
use crate::checkpoint::{NormSums, Sums};
use crate::data::{Dataset, Decision, Task, Threshold};
use crate::error::{Error, Result};
use crate::metrics::BestThreshold;
use crate::names::with_verb;
use crate::numbers::number;
use crate::trainer::{Evaluation, HeldOut, Temperature, evaluate, fit_temperature, last_tensors};

impl Run {
    /// The metrics of an epoch by name.
    pub(super) fn measure(&self, train_loss: f64) -> Result<Vec<(String, f64)>> {
        let train = Some(&self.splits.train).filter(|_| self.config.run.measure_train);
        let mut metrics = vec![("train_loss".to_owned(), train_loss)];
        for (prefix, data) in [("val", self.splits.validation.as_ref()), ("train_end", train)] {
            let Some(data) = data else { continue };
            let evaluation = self.trainer.evaluate(data)?;
            if self.position.epoch == 1 {
                log_left_out(prefix, &evaluation);
            }
            metrics.extend(evaluation.named(prefix));
        }
        Ok(metrics)
    }

    /// Requires the metrics that are monitored: without them a run would never stop early or lower its learning rate.
    pub(super) fn require_watched(&self, metrics: &[(String, f64)]) -> Result<()> {
        let missing = |monitor: &&str| !metrics.iter().any(|(name, _)| name == monitor);
        let Some(monitor) = self.config.watched().into_iter().find(missing) else { return Ok(()) };
        let stop = self.config.run.early_stopping.as_ref().is_some_and(|stop| stop.monitor == monitor);
        let key = if stop { "train.early_stopping.monitor" } else { "schedule.monitor" };
        let names: Vec<&str> = metrics.iter().map(|(name, _)| name.as_str()).collect();
        let problem = format!(
            "is `{monitor}`, which epoch {} does not have; it has {}",
            self.position.epoch,
            names.join(", ")
        );
        Err(Error::key(key, problem))
    }

    /// Shows and logs an epoch.
    pub(super) fn report(
        &mut self,
        sums: Sums,
        metrics: &[(String, f64)],
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let diagnostics = self.diagnostics(&sums);
        let mut epoch = EpochEnd {
            diagnostics,
            watched: self.config.watched(),
            epoch: self.position.epoch,
            epochs: self.config.run.epochs,
            step: self.trainer.steps(),
            metrics,
            sums,
            trainer: &mut self.trainer,
            train: &self.splits.train,
        };
        observer.epoch_end(&mut epoch)?;
        let logged = self.folder.as_mut().map_or(Ok(()), |folder| folder.log.epoch_end(&mut epoch));
        if let Some(tensorboard) = &mut self.tensorboard {
            tensorboard.epoch_end(&mut epoch)?;
        }
        self.forgive(logged)
    }

    /// The mean norm of an epoch's gradients before clipping, the fraction of its updates that were clipped, and the
    /// learning rates of the groups at its end.
    #[allow(clippy::cast_precision_loss, reason = "counts of updates")]
    fn diagnostics(&self, sums: &Sums) -> Vec<(String, f64)> {
        let NormSums { sum, count, clipped } = sums.norms;
        let mut numbers = Vec::new();
        if count > 0 {
            numbers.push(("grad_norm".to_owned(), sum / count as f64));
            let clips = self.config.train.clip_grad_norm.is_some();
            numbers.extend(clips.then(|| ("clipped".to_owned(), clipped as f64 / count as f64)));
        }
        let groups = self.trainer.group_lrs(self.position.epoch).into_iter();
        numbers.extend(groups.map(|(number, lr)| (format!("lr_{number}"), lr)));
        numbers
    }

    /// Takes the best weights, and fits to the validation rows what the config asks for: the temperature and the threshold,
    /// which are given with the metrics of these rows then, and the errors for intervals.
    fn fit_at_end(&mut self) -> Result<Vec<(String, f64)>> {
        let chooses_threshold = self.config.preparation.threshold == Some(Threshold::F1);
        let is_last = self.best_epoch() == self.position.epoch && self.config.train.average.is_none();
        let calibrates = self.config.run.calibrate;
        let keeps_residuals = self.config.loss.task() == Task::Values && self.splits.validation.is_some();
        if self.splits.test.is_some() || chooses_threshold || calibrates || keeps_residuals {
            if self.folder.is_some() && !is_last {
                self.load_model()?;
            }
            self.share_weights()?;
        }
        let mut test = Vec::new();
        if calibrates {
            test.extend(self.calibrate()?.map(|temperature| ("temperature".to_owned(), temperature)));
        }
        if keeps_residuals {
            self.keep_residuals()?;
        }
        if chooses_threshold {
            test.extend(self.choose_threshold()?.map(|threshold| ("threshold".to_owned(), threshold)));
        }
        if !test.is_empty() {
            test.extend(self.validate_again()?);
        }
        Ok(test)
    }

    /// The metrics of the validation rows with the temperature and the threshold that were fitted to them, which take the place
    /// of the best epoch's.
    fn validate_again(&mut self) -> Result<Vec<(String, f64)>> {
        let Some(data) = &self.splits.validation else { return Ok(Vec::new()) };
        let metrics = self.evaluate_at_end(data)?.named("val");
        self.best_metrics.retain(|(name, _)| !metrics.iter().any(|(own, _)| own == name));
        self.best_metrics.extend_from_slice(&metrics);
        Ok(metrics)
    }

    /// Tests the best weights and writes the final line.
    pub(super) fn finish(&mut self, observer: &mut dyn Observer) -> Result<Finished> {
        self.write_model()?;
        let mut test = self.fit_at_end()?;
        if let Some(data) = &self.splits.test {
            let evaluation = self.evaluate_at_end(data)?;
            log_left_out("test", &evaluation);
            log_class_doubts("test split", &evaluation, &data.target_info().classes);
            test.extend(evaluation.named("test"));
        }
        let baselines = self.baselines(&test)?;
        self.identify()?;
        if self.position.skipped > 0 {
            tracing::warn!(
                "{} skipped: all rows there are ignored or of weight 0; `skipped_batches` in the log has the epochs",
                with_verb(self.position.skipped, "batch", ["was", "were"])
            );
        }
        let finished = Finished { baselines, ..self.finished(End::Completed, test) };
        let logged = self.folder.as_mut().map_or(Ok(()), |folder| folder.log.train_end(&finished));
        self.forgive(logged)?;
        if let Some(tensorboard) = &mut self.tensorboard {
            tensorboard.train_end(&finished)?;
        }
        observer.train_end(&finished)?;
        Ok(finished)
    }

    /// The baselines on the test rows, or without any on the validation rows, and whether the network beats the best of them.
    fn baselines(&self, test: &[(String, f64)]) -> Result<Vec<(String, f64)>> {
        let of_test = self.splits.test.as_ref().map(|data| (data, of_split(test, "test")));
        let of_validation = || Some((self.splits.validation.as_ref()?, of_split(&self.best_metrics, "val")));
        let Some((data, results)) = of_test.or_else(of_validation).filter(|_| self.owns_folder()) else {
            return Ok(Vec::new());
        };
        let rows = BaselineRows::of(&self.config, &self.splits, self.trainer.loss());
        let baselines = rows.numbers(data, &results)?;
        if let Some(verdict) = Verdict::of(&results, &baselines) {
            verdict.log();
        }
        Ok(baselines)
    }

    /// Evaluates the best weights. An interruption is heeded where a checkpoint has the last weights, so that the run can be
    /// ended later.
    fn evaluate_at_end(&self, data: &Dataset) -> Result<Evaluation> {
        match self.trainer.evaluate(data) {
            Err(Error::Interrupted) if self.as_rank_0(self.saved != Some(self.trainer.steps()))? => {
                evaluate(self.trainer.network(), self.trainer.loss(), data)
            }
            evaluation => evaluation,
        }
    }

    /// Divides the logits by the temperature that fits the validation rows, and writes the weights.
    fn calibrate(&mut self) -> Result<Option<f64>> {
        let Some(data) = &self.splits.validation else { return Ok(None) };
        let (network, loss) = (self.trainer.network(), self.trainer.loss());
        let Some(found) = fit_temperature(HeldOut { network, loss, data })? else {
            tracing::info!("the probabilities of the validation rows are calibrated as they are");
            return Ok(None);
        };
        let Temperature { value, before, after, is_bound } = found;
        tracing::info!(
            "logits are divided by {}: the log loss of the validation rows is {}, not {}",
            number(value),
            number(after),
            number(before)
        );
        if is_bound {
            tracing::warn!(
                "{} is the largest temperature that is tried: the network is overconfident on the validation rows, which may \
                 differ from the training rows",
                number(value)
            );
        }
        let mut weights = network.params().copy()?;
        for name in last_tensors(&network.describe()).into_iter().flatten() {
            if let Some(tensor) = weights.get_mut(name) {
                *tensor = (&*tensor / value)?;
            }
        }
        network.params().load(&weights)?;
        let saved = self.folder.as_mut().map_or(Ok(()), |folder| folder.save_model(&weights));
        self.forgive(saved)?;
        Ok(Some(value))
    }

    /// Writes how far the predictions of the validation rows are off, for intervals.
    fn keep_residuals(&self) -> Result<()> {
        let (Some(data), Some(folder)) = (&self.splits.validation, &self.folder) else { return Ok(()) };
        let (network, loss) = (self.trainer.network(), self.trainer.loss());
        let kept = Residuals::of(&[HeldOut { network, loss, data }])?.save(folder.path());
        self.forgive(kept)
    }

    /// Chooses the threshold with the best F1 on the validation rows, and keeps it beside the weights.
    fn choose_threshold(&mut self) -> Result<Option<f64>> {
        let Some(data) = &self.splits.validation else { return Ok(None) };
        let counts = self.evaluate_at_end(data)?.classes;
        let Some(best) = counts.and_then(|counts| counts.best_f1_threshold()) else {
            tracing::warn!("no validation row is of the positive class: `data.threshold` is left out");
            return Ok(None);
        };
        let BestThreshold { threshold, f1 } = best;
        tracing::info!("the threshold {threshold:.4} gives the best F1 on the validation rows, {f1:.4}");
        let positive = data.target_info().positive;
        self.splits = self.splits.clone().with_decision(Decision { positive, threshold });
        let (preprocessing, rows) = (&self.splits.preprocessing, self.fingerprint.get());
        let kept =
            self.folder.as_ref().map_or(Ok(()), |folder| folder.save_preprocessing(preprocessing, rows));
        self.forgive(kept)?;
        Ok(Some(threshold))
    }

    /// The results of the run so far.
    pub(super) fn finished(&self, end: End, test: Vec<(String, f64)>) -> Finished {
        Finished {
            folder: self.folder().to_path_buf(),
            end,
            epoch: self.position.epoch,
            step: self.trainer.steps(),
            best_epoch: self.best_epoch(),
            best_metrics: self.best_metrics.clone(),
            test,
            baselines: Vec::new(),
            seconds: self.seconds(),
            skipped: self.position.skipped,
        }
    }
}

/// Logs which metrics a split does not have, and why.
fn log_left_out(prefix: &str, evaluation: &Evaluation) {
    for (name, reason) in &evaluation.left_out {
        tracing::info!("`{prefix}_{}` is left out: {reason}", name.escape_debug());
    }
}
