//! The config of an `.npz` file.

use super::document::Document;
use super::recipe::{Recipe, optimizer};
use super::request::SuggestRequest;
use super::suggestion::Suggestion;
use super::target::TargetKind;
use crate::data::profile::{ArrayTargets, ArraysProfile, NameCount, SplitShares};
use crate::error::{Error, Result};
use crate::names::counted;

/// The share of the rows that is held out where the file holds none out.
const VALIDATION: f64 = 0.15;

/// The config for the arrays of a file, with doubts about their targets.
pub(super) fn config(request: &SuggestRequest<'_>) -> Result<Suggestion> {
    let profile = ArraysProfile::read(request.data)?;
    if profile.rows < 10 && !(profile.has_validation && profile.has_test) {
        let problem = format!(
            "`x_train` has {}; some are to be trained on and some validated, which takes 10 at least",
            counted(profile.rows, "row")
        );
        return Err(Error::data(request.data, problem));
    }
    let what = format!("arrays with {} of shape {:?} to train on", counted(profile.rows, "row"), profile.row);
    let mut document = request.begin(&what);
    let name = request.name();
    document.note(&format!("descent train {name} trains it."));
    document.set("seed", 1, "decides everything random: weights, order, splits");
    document.section("data");
    document.set("name", "npz", "");
    document.set("path", request.path()?, "relative to this file");
    let kind = kind(&profile.targets);
    document.note(&describe(&profile));
    if !profile.are_bytes {
        document.set("normalize", "standard", "mean 0 and deviation 1 of the training rows");
    }
    let shares = shares(&profile);
    if shares.validation > 0.0 {
        let why = "the fraction of `x_train` that is held out to choose the best epoch; `x_val`, `y_val` in the file would be your own";
        document.set("validation", shares.validation, why);
    }
    let rows = shares.trained(profile.rows as u64);
    let recipe = Recipe { rows, kind: &kind, numbers: numbers(&profile) };
    if profile.are_bytes && profile.row.len() == 2 && !kind.is_numeric() {
        super::pictures::recipe(&mut document, profile.rows as u64);
    } else if profile.row.len() == 2 {
        sequences(&mut document, &recipe);
    } else {
        recipe.write(&mut document);
    }
    let warnings = doubt(&profile.targets).into_iter().collect();
    Ok(Suggestion { text: document.finish(), notes: Vec::new(), warnings })
}

/// A doubt about targets that are likely to be meant as classes, but do not count from 0.
fn doubt(targets: &ArrayTargets) -> Option<String> {
    match targets {
        ArrayTargets::Signs => Some(
            "`y_train` has -1 and 1 alone, which are trained on as numbers; where they are classes, save y = (y + 1) // 2, whose \
             classes are 0 and 1"
                .to_owned(),
        ),
        ArrayTargets::Classes(counts) => {
            let least = counts.iter().position(|count| *count > 0).filter(|least| *least > 0)?;
            Some(format!(
                "no row of `y_train` has the label 0, and the classes count from 0, so that the network has outputs that are \
                 never right; where its labels count from {least}, save y - {least}"
            ))
        }
        ArrayTargets::OneHot(_) | ArrayTargets::Values(_) => None,
    }
}

/// The shares of `x_train` that are held out.
fn shares(profile: &ArraysProfile) -> SplitShares {
    SplitShares { test: 0.0, validation: if profile.has_validation { 0.0 } else { VALIDATION } }
}

/// The number of features that each are a number of their own: those of rows (F), but for bytes.
fn numbers(profile: &ArraysProfile) -> usize {
    match profile.row.as_slice() {
        [features] if !profile.are_bytes => *features,
        _ => 0,
    }
}

fn describe(profile: &ArraysProfile) -> String {
    let targets = match &profile.targets {
        ArrayTargets::Classes(counts) => {
            let used = counts.iter().filter(|count| **count > 0).count();
            format!("`y_train` has {used} classes; with loss \"mse\" its numbers are values")
        }
        ArrayTargets::OneHot(counts) => format!(
            "`y_train` has {} classes, one-hot: the 1 of a row is the probability of its class, and loss \"cross_entropy\" \
             learns such targets as it does numbers of classes",
            counts.len()
        ),
        ArrayTargets::Signs => "`y_train` has -1 and 1, which are taken for numbers".to_owned(),
        ArrayTargets::Values(1) => "`y_train` has numbers".to_owned(),
        ArrayTargets::Values(width) => format!("`y_train` has {width} numbers a row"),
    };
    let test = if profile.has_test { "" } else { " There is no `x_test`, so nothing is tested at the end." };
    format!("{targets}.{test}")
}

fn kind(targets: &ArrayTargets) -> TargetKind {
    match targets {
        ArrayTargets::Classes(counts) | ArrayTargets::OneHot(counts) => {
            let classes = counts.iter().enumerate();
            let classes = classes.map(|(class, rows)| NameCount { name: class.to_string(), rows: *rows });
            TargetKind::Classes(classes.collect())
        }
        ArrayTargets::Signs | ArrayTargets::Values(_) => TargetKind::Values,
    }
}

/// Writes a network that reads sequences, and its training.
fn sequences(document: &mut Document, recipe: &Recipe<'_>) {
    document.section("model");
    document.set("name", "gru", "rows are sequences, (T, F)");
    document.set("hidden_size", 64, "");
    recipe.loss(document);
    optimizer(document);
    recipe.train(document);
}
