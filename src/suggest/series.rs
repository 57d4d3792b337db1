//! The config of a series.

use super::calendar;
use super::columns::{columns, reading};
use super::document::Document;
use super::recipe::Recipe;
use super::request::SuggestRequest;
use super::series_plan::SeriesPlan;
use super::table::targets;
use super::target::TargetKind;
use crate::data::profile::TableProfile;
use crate::error::Result;
use crate::names::counted;

/// The keys of `[data]` that a table does not have, or has with another meaning.
const KEYS_OF_SERIES: [&str; 8] =
    ["time", "group", "sort", "window", "horizon", "max_gap", "subtract_last", "missing"];

/// The config for a series by this plan.
pub(super) fn config(
    request: &SuggestRequest<'_>,
    profile: &TableProfile,
    plan: &SeriesPlan<'_>,
) -> Result<String> {
    let order = plan.series;
    let what = match order.series() {
        1 => format!("a series of {}", counted(profile.rows, "row")),
        series => format!("{series} series of {} in all", counted(profile.rows, "row")),
    };
    let mut document = request.begin(&what);
    let name = request.name();
    let data = data(request, profile, plan)?;
    let keys: Vec<&str> = KEYS_OF_SERIES.into_iter().filter(|key| data.has(key)).collect();
    document.note(&format!(
        "descent train {name} trains it. Rows are predicted from the rows before them; to predict each row from its \
         own columns instead, whatever its time, write name = \"{}\" and leave out {}{}.",
        super::table::format_name(profile.format),
        keys.join(", "),
        if keys.contains(&"missing") {
            "; where features are missing write missing = \"category\", and remove rows without a target"
        } else {
            ""
        }
    ));
    document.set("seed", 1, "decides everything random: weights and the order of windows");
    document.append(data);
    let known: Vec<String> =
        request.targets.iter().chain([&order.time]).chain(&order.group).cloned().collect();
    columns(&mut document, profile, &known);
    let (kind, rows) = (TargetKind::Values, plan.shares.trained(profile.rows));
    Recipe { rows, kind: &kind, numbers: 0 }.write(&mut document);
    Ok(document.finish())
}

/// `[data]` but for its columns.
fn data(request: &SuggestRequest<'_>, profile: &TableProfile, plan: &SeriesPlan<'_>) -> Result<Document> {
    let (series, mut document) = (plan.series, Document::default());
    document.section("data");
    document.set("name", "timeseries", "");
    document.set("path", request.path()?, "relative to this file");
    document.set("target", targets(request.targets), "");
    document.set("time", series.time.as_str(), &format!("in steps of {}", series.describe_step()));
    if let Some(group) = &series.group {
        let why = format!(
            "tells {} series apart; as a \"category\" in [data.columns] it is a feature too, which may help",
            series.series()
        );
        document.set("group", group.as_str(), &why);
    }
    if series.sort {
        document.set("sort", true, "the rows are not in the order of time");
    }
    windows(&mut document, plan);
    features(&mut document, profile, request.targets, plan);
    document.set("test", plan.shares.test, "the latest rows, looked at once, at the end");
    document.set("validation", plan.shares.validation, "the rows before these, to choose the best epoch");
    reading(&mut document, profile);
    document.set("normalize", "standard", "mean 0 and deviation 1 of the training rows");
    if profile.columns.iter().any(|column| column.missing > 0) {
        document.set("missing", "previous", "cells are missing: the last value before them stands for them");
    }
    Ok(document)
}

/// Writes what a prediction sees and how far it reaches.
fn windows(document: &mut Document, plan: &SeriesPlan<'_>) {
    let rows = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
    document.set(
        "window",
        rows(plan.rows.window),
        &format!("the rows that a prediction sees: {}", plan.why_window),
    );
    document.set("horizon", rows(plan.rows.horizon), &plan.why_horizon);
    if let Some(gap) = plan.max_gap {
        let why =
            "the most rows missing between two consecutive rows that windows cross: there are many gaps";
        document.set("max_gap", rows(gap), why);
    }
}

/// Writes the features that come from the time and from the last values.
fn features(document: &mut Document, profile: &TableProfile, targets: &[String], plan: &SeriesPlan<'_>) {
    let SeriesPlan { series, rows, shares, .. } = *plan;
    let parts = calendar::of_series(series, rows.window);
    let is_persistent =
        series.is_persistent(shares) && targets.iter().all(|target| is_number(profile, target));
    if parts.is_empty() && !is_persistent {
        return;
    }
    document.note("Most series gain by these.");
    if !parts.is_empty() {
        let why = format!(
            "{} of a row's time as sine and cosine: what repeats with them is seen",
            parts.join(", ")
        );
        document.set("calendar", parts, &why);
    }
    if is_persistent {
        let why = match series.series() {
            1 => {
                "the last value is much nearer to the next than the mean is: differences from it are predicted"
            }
            _ => {
                "the last value is much nearer to the next than the mean of all series: differences are predicted"
            }
        };
        document.set("subtract_last", true, why);
    }
}

/// Whether the past of a target is a feature as it is.
fn is_number(profile: &TableProfile, target: &str) -> bool {
    profile.column(target).is_some_and(|column| column.numbers.is_some())
}
