//! The baselines of a table: the class prior or the mean, and logistic or ridge regression.

use candle_core::{DType, Device, Tensor};

use super::design::{LinearInputs, Scaler, WIDEST};
use super::linear::LinearModel;
use super::logistic::{self, Link};
use super::ridge::{self, RidgeSums};
use super::rows::{ROWS, TrainingRows, sample, targets, weights};
use crate::data::preprocess::TableEncoder;
use crate::data::{Dataset, Task};
use crate::error::Result;
use crate::metrics::{Measured, MetricCollection};

/// The metrics that a baseline is shown by.
const METRICS: [&str; 6] = ["accuracy", "log_loss", "roc_auc", "rmse", "mae", "r2"];

/// A baseline's predictions.
enum Model {
    /// These numbers for every row.
    Constant(Vec<f64>),
    /// The values of a linear model.
    Linear(Box<LinearModel>),
}

/// A baseline and its name.
struct NamedBaseline {
    name: &'static str,
    model: Model,
}

/// The metrics of each baseline, fitted on the training rows, on the rows `data`.
pub(super) fn numbers(
    train: &Dataset,
    data: &Dataset,
    task: Task,
    encoder: Option<&TableEncoder>,
    seed: u64,
) -> Result<Vec<(String, f64)>> {
    let link = link(task, train)?;
    let width = train.row_shape().iter().product();
    let (constant, linear) = if link.is_some() { ("prior", "logistic") } else { ("mean", "ridge") };
    let mut all = vec![NamedBaseline { name: constant, model: Model::Constant(mean_target(train, task)?) }];
    let features = LinearInputs::of(encoder, width);
    if (1..=WIDEST).contains(&features.width()) {
        let model = fit(train, task, link, features, seed)?;
        all.extend(model.map(|model| NamedBaseline { name: linear, model: Model::Linear(Box::new(model)) }));
    } else if features.width() > WIDEST {
        tracing::info!(
            "the baseline of {linear} regression is left out: its {} inputs{} are more than {WIDEST}",
            features.width(),
            if features.has_names() { ", one for each category," } else { "" }
        );
    }
    let mut numbers = Vec::new();
    for NamedBaseline { name, model } in &all {
        for Measured { name: metric, value } in model.score(data, task, link)? {
            // Of several targets, whose errors have units of their own, each has its own.
            let is_shown = METRICS.contains(&metric.as_str()) || metric.starts_with("rmse_");
            if let (true, Ok(value)) = (is_shown, value) {
                numbers.push((format!("baseline_{name}_{metric}"), value));
            }
        }
    }
    Ok(numbers)
}

/// The meaning of a linear model's values for this task; nothing where targets are values.
fn link(task: Task, train: &Dataset) -> Result<Option<Link>> {
    Ok(match task {
        Task::Values => None,
        Task::Labels => Some(Link::Sigmoid),
        // A probability of each class has no class that is left out.
        Task::Classes { .. } => {
            let is_pair = train.target_info().classes.len() == 2 && train.targets(&[0])?.rank() == 1;
            Some(if is_pair { Link::Sigmoid } else { Link::Softmax })
        }
    })
}

/// The mean target of the training rows.
fn mean_target(train: &Dataset, task: Task) -> Result<Vec<f64>> {
    let (mut sums, mut total) = (Vec::new(), 0.0);
    for rows in train.chunks() {
        let weights = weights(train, &rows, task)?;
        let targets = targets(train, &rows, task)?.to_vec2::<f64>()?;
        for (target, weight) in targets.iter().zip(weights) {
            sums.resize(target.len(), 0.0);
            sums.iter_mut().zip(target).for_each(|(sum, target)| *sum += weight * target);
            total += weight;
        }
    }
    Ok(sums.into_iter().map(|sum: f64| sum / total).collect())
}

/// The linear model of the training rows, or of a sample where they are very many.
fn fit(
    train: &Dataset,
    task: Task,
    link: Option<Link>,
    features: LinearInputs,
    seed: u64,
) -> Result<Option<LinearModel>> {
    let outputs = targets(train, &[0], task)?.dims()[1];
    let most = match link {
        None => ridge::most_rows(features.width()),
        Some(_) => logistic::most_rows(features.width(), outputs),
    };
    let rows = sample(train.len(), most, seed);
    if rows.len() < train.len() {
        let model = if link.is_some() { "logistic" } else { "ridge" };
        tracing::info!(
            "the baseline of {model} regression is fitted on a sample of {} of {} training rows",
            rows.len(),
            train.len()
        );
    }
    let rows = TrainingRows { data: train, task, features: &features, rows };
    let scaler = Scaler::fit(rows.raw(), &features)?;
    let coefficients = match link {
        None => match RidgeSums::of(rows.scaled(&scaler))? {
            Some(sums) => {
                let judged = rows.sampled(ridge::most_judged(features.width()), seed);
                sums.best_fit(judged.scaled(&scaler))?
            }
            None => None,
        },
        Some(link) => logistic::fit(&rows.scaled(&scaler).collect::<Result<Vec<_>>>()?, link)?,
    };
    Ok(coefficients.map(|coefficients| LinearModel { features, scaler, coefficients }))
}

impl Model {
    /// The metrics of the predictions for rows.
    fn score(&self, data: &Dataset, task: Task, link: Option<Link>) -> Result<Vec<Measured>> {
        let mut metrics = MetricCollection::new(task, data.target_info());
        for rows in data.chunks_of(ROWS) {
            let mut predictions = self.predictions(data, &rows, link)?;
            // One number stands for two classes.
            if task.classes() && predictions.dims()[1] == 1 {
                predictions = Tensor::cat(&[&predictions.affine(-1.0, 1.0)?, &predictions], 1)?;
            }
            // The log loss is clipped by the numbers' type: those of a network are f32.
            if link.is_some() {
                predictions = predictions.to_dtype(DType::F32)?;
            }
            metrics.add_weighted(
                &predictions,
                &data.exact_targets(&rows)?,
                data.row_weights(&rows)?.as_ref(),
            )?;
        }
        Ok(metrics.values())
    }

    fn predictions(&self, data: &Dataset, rows: &[u32], link: Option<Link>) -> Result<Tensor> {
        match self {
            Self::Constant(numbers) => {
                Ok(Tensor::from_vec(numbers.repeat(rows.len()), (rows.len(), numbers.len()), &Device::Cpu)?)
            }
            Self::Linear(model) => {
                let values = model.values(data, rows)?;
                link.map_or(Ok(values.clone()), |link| logistic::probabilities(&values, link))
            }
        }
    }
}
