//! Doubts about a run that training does not refuse: rows that decide its loss alone, classes with fewer rows than there are
//! folds, classes that are never predicted.

use crate::config::Config;
use crate::data::table::read::quoted;
use crate::data::{Dataset, Splits, Task, class_of};
use crate::error::Result;
use crate::names::{counted, first_few};
use crate::numbers::number;
use crate::trainer::Evaluation;

/// A row with more than this fraction of a split's weight decides its loss alone.
const MOST_WEIGHT: f64 = 0.5;
/// Of fewer rows, one may well have most of the weight.
const FEW_ROWS: usize = 10;

/// Sentences about the rows of a run.
pub(super) fn about_rows(config: &Config, splits: &Splits) -> Result<Vec<String>> {
    let mut all: Vec<String> = splits_of(splits).filter_map(|(name, data)| heavy_row(name, data)).collect();
    all.extend(scarce_classes(config, splits)?);
    Ok(all)
}

/// The splits, by their names.
fn splits_of(splits: &Splits) -> impl Iterator<Item = (&'static str, &Dataset)> {
    let named = [
        ("training", Some(&splits.train)),
        ("validation", splits.validation.as_ref()),
        ("test", splits.test.as_ref()),
    ];
    named.into_iter().filter_map(|(name, data)| Some((name, data?)))
}

/// A row that has most of the weight.
fn heavy_row(split: &str, data: &Dataset) -> Option<String> {
    let heaviest = data.heaviest_row()?;
    (data.len() >= FEW_ROWS && heaviest.fraction > MOST_WEIGHT).then(|| {
        format!(
            "data.weight: one of the {} {split} rows, of weight {}, has {:.1} % of their weight, so that it alone decides \
             {}; correct its weight if that is not meant",
            data.len(),
            number(heaviest.weight),
            100.0 * heaviest.fraction,
            if split == "training" { "what is learnt" } else { "the loss and the metrics" }
        )
    })
}

/// Classes with fewer rows than there are folds, said once, with the first fold.
fn scarce_classes(config: &Config, splits: &Splits) -> Result<Option<String>> {
    let preparation = &config.preparation;
    let fold = preparation.fold.filter(|fold| fold.index == 1).map(|fold| fold.of);
    let bag = preparation.bag.filter(|bag| bag.index == Some(1)).map(|bag| bag.of);
    let Some(of) = fold.or(bag) else { return Ok(None) };
    let names = &splits.train.target_info().classes;
    let mut rows = vec![0u64; names.len()];
    // The test rows of a bag are dealt to no fold.
    let dealt = splits_of(splits).filter(|(name, _)| *name != "test" || fold.is_some());
    for (_, data) in dealt {
        count_classes(config.loss.task(), data, &mut rows)?;
    }
    let scarce = names.iter().zip(&rows).filter(|(_, rows)| (1..of).contains(*rows));
    let scarce: Vec<String> =
        scarce.map(|(name, rows)| format!("`{}` {}", name.escape_debug(), counted(*rows, "row"))).collect();
    if scarce.is_empty() {
        return Ok(None);
    }
    let what = if fold.is_some() { "are not tested on" } else { "do not validate" };
    Ok(Some(format!(
        "of {of} folds some {what} every class, because these have fewer rows than there are folds: {}",
        first_few(scarce)
    )))
}

/// Adds the rows of each class.
fn count_classes(task: Task, data: &Dataset, rows: &mut [u64]) -> Result<()> {
    for chunk in data.chunks() {
        let targets = data.exact_targets(&chunk)?;
        let classes: Vec<i64> = match task {
            Task::Classes { .. } => class_of(&targets)?,
            // The two classes of one label.
            Task::Labels => {
                targets.flatten_all()?.to_vec1::<f64>()?.iter().map(|y| i64::from(*y > 0.5)).collect()
            }
            Task::Values => return Ok(()),
        };
        for class in classes {
            if let Some(rows) = usize::try_from(class).ok().and_then(|class| rows.get_mut(class)) {
                *rows += 1;
            }
        }
    }
    Ok(())
}

/// Says which classes with rows in `split` are never predicted, and which have no rows there, as scikit-learn warns.
pub(crate) fn log_class_doubts(split: &str, evaluation: &Evaluation, names: &[String]) {
    let doubts = [never_predicted(split, evaluation, names), without_rows(split, evaluation, names)];
    for doubt in doubts.into_iter().flatten() {
        tracing::info!("{doubt}");
    }
}

/// The classes without rows, each of which counts as 0 in the average precision: of two classes the positive one alone.
fn without_rows(split: &str, evaluation: &Evaluation, names: &[String]) -> Option<String> {
    let counts = evaluation.classes.as_ref()?;
    let (_, average) = evaluation.metrics.iter().find(|(name, _)| name == "average_precision")?;
    let scores = counts.by_class();
    let absent = (0..counts.classes()).filter(|class| scores[*class].support <= 0.0);
    let absent: Vec<String> = absent.map(|class| quoted_class(class, names)).collect();
    let counts_as_zero = !absent.is_empty() && (counts.classes() > 2 || *average <= 0.0);
    counts_as_zero.then(|| {
        format!(
            "the {split} has no rows of {}; its average precision counts as 0 there, as in scikit-learn",
            first_few(absent)
        )
    })
}

/// The name of a class in a message.
fn quoted_class(class: usize, names: &[String]) -> String {
    names.get(class).map_or_else(|| format!("`{class}`"), |name| quoted(name))
}

fn never_predicted(split: &str, evaluation: &Evaluation, names: &[String]) -> Option<String> {
    let counts = evaluation.classes.as_ref()?;
    let predicted = |class: usize| counts.confusion().iter().any(|row| row[class] > 0.0);
    let scores = counts.by_class();
    let missed = (0..counts.classes()).filter(|class| scores[*class].support > 0.0 && !predicted(*class));
    let missed: Vec<String> = missed.map(|class| quoted_class(class, names)).collect();
    (!missed.is_empty()).then(|| {
        format!(
            "the {split} has rows of {}, but none is predicted as such; precision, recall and F1 count as 0 there",
            first_few(missed)
        )
    })
}
