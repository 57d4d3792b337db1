//! Forecasts of a series beside what came, and the errors of the network and of its baselines at each step.

use super::batches::for_each_batch;
use super::split::EvaluatedSplit;
use crate::data::preprocess::PreprocessingSource;
use crate::error::Result;
use crate::report::{ErrorsByStep, SeriesReport, StepForecasts, TargetForecasts};
use crate::stats::real;

/// The forecasts for the windows of a split; nothing of other rows.
pub(super) fn of(split: &EvaluatedSplit<'_>) -> Result<Option<SeriesReport>> {
    let PreprocessingSource::Series { steps, encoder, .. } = &split.preprocessing.source else {
        return Ok(None);
    };
    // Lines of the first and of the last step can be told apart.
    let mut shown = vec![0, steps.len() - 1];
    shown.dedup();
    let names = encoder.target.names();
    let mut collected = CollectedForecasts {
        steps,
        targets: names.iter().map(|name| blank(name, steps, &shown)).collect(),
        shown,
        sums: vec![0.0; names.len() * steps.len()],
    };
    for_each_batch(split.trainer, split.data, |first, predictions, ys| {
        let (predictions, ys) = (predictions.to_vec2::<f64>()?, ys.to_vec2::<f64>()?);
        for (row, (predicted, actual)) in predictions.iter().zip(&ys).enumerate() {
            collected.add(first + row, predicted, actual);
        }
        Ok(())
    })?;
    let CollectedForecasts { mut targets, sums, .. } = collected;
    let rows = real(split.data.len());
    let own: Vec<f64> = sums.into_iter().map(|sum| sum / rows).collect();
    for (target, forecasts) in targets.iter_mut().enumerate() {
        forecasts.errors = errors(split, target, &own);
    }
    let (from, to) = (split.place_of(0)?, split.place_of(split.data.len().saturating_sub(1))?);
    Ok(Some(SeriesReport { from, to, targets }))
}

/// A target without forecasts.
fn blank(name: &str, steps: &[usize], shown: &[usize]) -> TargetForecasts {
    let step = |step: &usize| StepForecasts { ahead: steps[*step], points: Vec::new() };
    let (name, forecasts) = (name.to_owned(), shown.iter().map(step).collect());
    TargetForecasts { name, forecasts, ..TargetForecasts::default() }
}

/// The forecasts so far.
struct CollectedForecasts<'a> {
    steps: &'a [usize],
    /// The places of the steps whose lines are drawn.
    shown: Vec<usize>,
    targets: Vec<TargetForecasts>,
    /// The sums of the absolute errors of each output.
    sums: Vec<f64>,
}

impl CollectedForecasts<'_> {
    /// Adds those for the window with this number.
    fn add(&mut self, row: usize, predicted: &[f64], actual: &[f64]) {
        let errors = predicted.iter().zip(actual).map(|(predicted, actual)| (predicted - actual).abs());
        self.sums.iter_mut().zip(errors).for_each(|(sum, error)| *sum += error);
        let place = |step: usize| real(row + self.steps[step] - self.steps[0] + 1);
        let count = self.targets.len();
        for (target, forecasts) in self.targets.iter_mut().enumerate() {
            forecasts.actual.push((place(0), actual[target]));
            for (step, of_step) in self.shown.iter().zip(&mut forecasts.forecasts) {
                of_step.points.push((place(*step), predicted[step * count + target]));
            }
        }
    }
}

/// The errors of a target at each step: the network's, `own`, and those of the baselines.
fn errors(split: &EvaluatedSplit<'_>, target: usize, own: &[f64]) -> Vec<ErrorsByStep> {
    let steps = split.preprocessing.horizon();
    let targets = own.len() / steps.len();
    let by_step = |name: String, errors: &[f64]| {
        let errors = errors.iter().skip(target).step_by(targets).copied();
        ErrorsByStep { name, points: steps.iter().map(|step| real(*step)).zip(errors).collect() }
    };
    let mut all = vec![by_step("network".to_owned(), own)];
    if let Some(baselines) = split.data.series_baselines() {
        for (name, errors) in baselines.each() {
            let name = name.replace('_', " ");
            let season = if name.starts_with("seasonal") {
                format!(" of {} rows", baselines.season_length)
            } else {
                String::new()
            };
            all.push(by_step(name + &season, errors));
        }
    }
    all
}
