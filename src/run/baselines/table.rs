//! The baselines of a table: the class prior or the mean, and logistic or ridge regression.

use candle_core::{DType, Device, Tensor};

use super::design::{LinearInputs, Scaler};
use super::linear::{LinearModel, TrainingRows};
use super::logistic::{self, Link};
use super::ridge;
use crate::data::preprocess::TableEncoder;
use crate::data::{Dataset, Task};
use crate::error::Result;
use crate::metrics::{Measured, MetricCollection};
use crate::stats::real;

/// The most products of a fit, about: of more training rows only every n-th is used.
const PRODUCTS: f64 = 5e8;
/// The most numbers of a fit, in the same way; it holds several copies of them.
const NUMBERS: f64 = 2e6;
/// The passes that logistic regression takes about, forth and back.
const PASSES: f64 = 50.0;
/// Rows that are scored at a time.
const ROWS: usize = 4096;

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
) -> Result<Vec<(String, f64)>> {
    let link = link(task, train)?;
    let width = train.row_shape().iter().product();
    let (constant, linear) = if link.is_some() { ("prior", "logistic") } else { ("mean", "ridge") };
    let mut all = vec![NamedBaseline { name: constant, model: Model::Constant(mean_target(train, task)?) }];
    if let Some(features) = LinearInputs::of(encoder, width) {
        let model = fit(train, task, link, features)?;
        all.extend(model.map(|model| NamedBaseline { name: linear, model: Model::Linear(Box::new(model)) }));
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

/// The targets (N, M) of rows: of classes a share of each, of two the second.
fn targets(data: &Dataset, rows: &[u32], task: Task) -> Result<Tensor> {
    let ys = data.exact_targets(rows)?;
    if ys.rank() == 2 {
        return Ok(ys.to_dtype(DType::F64)?);
    }
    let classes = data.target_info().classes.len().max(1);
    let ignored = if let Task::Classes { ignored, .. } = task { ignored } else { i64::MIN };
    let mut shares = Vec::new();
    for class in ys.to_vec1::<i64>()? {
        let is = |own: usize| class != ignored && usize::try_from(class) == Ok(own);
        if classes == 2 {
            shares.push(f64::from(u8::from(is(1))));
        } else {
            shares.extend((0..classes).map(|own| f64::from(u8::from(is(own)))));
        }
    }
    let width = shares.len() / rows.len().max(1);
    Ok(Tensor::from_vec(shares, (rows.len(), width), &Device::Cpu)?)
}

/// The weight of each row; 0 of one without a class.
fn weights(data: &Dataset, rows: &[u32], task: Task) -> Result<Vec<f64>> {
    let mut weights = match data.row_weights(rows)? {
        Some(weights) => weights.to_vec1::<f64>()?,
        None => vec![1.0; rows.len()],
    };
    if let Task::Classes { ignored, .. } = task {
        let ys = data.exact_targets(rows)?;
        if ys.rank() == 1 {
            let classes = ys.to_vec1::<i64>()?;
            weights
                .iter_mut()
                .zip(classes)
                .filter(|(_, class)| *class == ignored)
                .for_each(|(own, _)| *own = 0.0);
        }
    }
    Ok(weights)
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

/// The linear model of the training rows, or of some of them where they are very many.
fn fit(
    train: &Dataset,
    task: Task,
    link: Option<Link>,
    features: LinearInputs,
) -> Result<Option<LinearModel>> {
    let outputs = targets(train, &[0], task)?.dims()[1];
    let products = match link {
        None => real(features.width()),
        Some(_) => PASSES * 2.0 * real(outputs),
    };
    let most = (PRODUCTS / products).min(NUMBERS) / real(features.width());
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    let every = (real(train.len()) / most).ceil().max(1.0) as usize;
    if every > 1 {
        let model = if link.is_some() { "logistic" } else { "ridge" };
        tracing::info!("the baseline of {model} regression is fitted on one of {every} training rows");
    }
    let rows: Vec<u32> = (0..u32::try_from(train.len()).unwrap_or(u32::MAX)).step_by(every).collect();
    let (mut inputs, mut ys, mut own_weights) = (Vec::new(), Vec::new(), Vec::new());
    for rows in rows.chunks(ROWS) {
        inputs.push(features.inputs(train, rows)?);
        ys.push(targets(train, rows, task)?);
        own_weights.extend(weights(train, rows, task)?);
    }
    let weights = Tensor::new(own_weights, &Device::Cpu)?;
    let xs = Tensor::cat(&inputs, 0)?;
    let scaler = Scaler::fit(&xs, &weights)?;
    let rows = TrainingRows { xs: scaler.apply(&xs)?, targets: Tensor::cat(&ys, 0)?, weights };
    let coefficients = match link {
        None => ridge::fit(&rows)?,
        Some(link) => logistic::fit(&rows, link)?,
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
