//! What a run says and logs: the numbers of its epochs, and those of its end.

use candle_core::{DType, Tensor};
use serde_json::{Map, json};

use super::{Finished, Run};
use crate::checkpoint::Sums;
use crate::cli::table;
use crate::error::Result;
use crate::trainer::Evaluation;

impl Run {
    /// The numbers of an epoch by name.
    pub(super) fn measure(&self, train_loss: f64) -> Result<Vec<(String, f64)>> {
        let train = Some(&self.splits.train).filter(|_| self.config.train.measure_train);
        let mut numbers = vec![("train_loss".to_owned(), train_loss)];
        for (prefix, data) in [("val", self.splits.validation.as_ref()), ("train_end", train)] {
            let Some(data) = data else { continue };
            let Evaluation { loss, metrics, .. } = self.trainer.evaluate(data)?;
            numbers.push((format!("{prefix}_loss"), loss));
            numbers.extend(metrics.into_iter().map(|(name, value)| (format!("{prefix}_{name}"), value)));
        }
        Ok(numbers)
    }

    pub(super) fn report(&mut self, sums: &Sums, numbers: &[(String, f64)]) -> Result<()> {
        let epoch = self.place.epoch;
        self.screen.report((epoch, self.config.train.epochs), numbers, sums);
        let mut line = Map::new();
        line.insert("kind".to_owned(), "epoch".into());
        line.insert("epoch".to_owned(), epoch.into());
        line.insert("step".to_owned(), self.trainer.steps().into());
        line.extend(numbers.iter().map(|(name, value)| (name.clone(), json!(value))));
        line.insert("lr".to_owned(), sums.lr.into());
        line.insert("seconds".to_owned(), sums.seconds.into());
        line.insert("samples".to_owned(), sums.rows.into());
        let logged = self.folder.log(&line);
        self.forgive(logged)?;
        self.show_in_tensorboard(numbers, sums.lr)
    }

    /// The numbers of an epoch, and now and then those of all weights and gradients.
    fn show_in_tensorboard(&mut self, numbers: &[(String, f64)], lr: f64) -> Result<()> {
        if !self.config.train.tensorboard {
            return Ok(());
        }
        let (step, config) = (self.trainer.steps(), self.config.to_toml()?);
        let mut values: Vec<(&str, f64)> =
            numbers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        values.push(("lr", lr));
        self.folder.events.scalars(step, &values, &config);
        if self.folder.events.wants_histograms() {
            match self.tensors() {
                Ok(tensors) => self.folder.events.histograms(step, &tensors),
                // Some rows may not count, or be too few: there is no picture of them.
                Err(error) => tracing::debug!("no histograms for TensorBoard: {error}"),
            }
        }
        Ok(())
    }

    /// The numbers of all weights, and of the gradients of some rows.
    fn tensors(&mut self) -> Result<Vec<(String, Vec<f64>)>> {
        const ROWS: usize = 256;
        let numbers = |tensor: &Tensor| -> Result<Vec<f64>> {
            Ok(tensor.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?)
        };
        let mut tensors = Vec::new();
        for param in self.trainer.network().params().trainable() {
            tensors.push((format!("weights/{}", param.name()), numbers(param.value())?));
        }
        let data = &self.splits.train;
        let rows: Vec<u32> = data.chunks_of(ROWS).next().unwrap_or_default();
        for (name, gradient) in self.trainer.gradients(data, &rows, self.place.epoch)? {
            tensors.push((format!("gradients/{name}"), numbers(&gradient)?));
        }
        Ok(tensors)
    }

    /// Tests the best weights and writes the final line; gives the results.
    pub(super) fn finish(&mut self) -> Result<Finished> {
        let last_epoch = self.place.epoch;
        let best = self.watch.best_epoch().unwrap_or(last_epoch);
        let mut rows = vec![vec!["run".to_owned(), self.folder.path().display().to_string()]];
        let (mut line, mut tests) = (Map::new(), Vec::new());
        line.insert("kind".to_owned(), "final".into());
        line.insert("epoch".to_owned(), last_epoch.into());
        line.insert("step".to_owned(), self.trainer.steps().into());
        line.insert("best_epoch".to_owned(), best.into());
        if let Some(test) = &self.splits.test {
            if best != last_epoch || self.config.train.average.is_some() {
                self.folder.load_model(self.trainer.network().params())?;
            }
            let Evaluation { loss, metrics, .. } = self.trainer.evaluate(test)?;
            for (name, value) in std::iter::once(("loss", loss)).chain(metrics) {
                rows.push(vec![format!("test_{name}"), format!("{value:.4}")]);
                line.insert(format!("test_{name}"), json!(value));
                tests.push((format!("test_{name}"), value));
            }
        }
        let seconds = self.seconds();
        line.insert("seconds".to_owned(), seconds.into());
        self.folder.log(&line)?;
        self.folder.sync_log()?;
        if self.config.train.tensorboard && !tests.is_empty() {
            let values: Vec<(&str, f64)> =
                tests.iter().map(|(name, value)| (name.as_str(), *value)).collect();
            self.folder.events.scalars(self.trainer.steps(), &values, &self.config.to_toml()?);
        }
        rows.push(vec!["updates".to_owned(), table::thousands(self.trainer.steps())]);
        rows.push(vec!["seconds".to_owned(), format!("{seconds:.2}")]);
        let numbers = [tests, self.best.clone()].concat();
        Ok(Finished { summary: summary(&rows), seconds, numbers })
    }
}

/// A name and a value a line.
fn summary(rows: &[Vec<String>]) -> String {
    let width = rows.iter().map(|row| row[0].len()).max().unwrap_or(0) + 2;
    rows.iter().fold(String::new(), |text, row| format!("{text}{:<width$}{}\n", row[0], row[1]))
}
