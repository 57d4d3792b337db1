//! The config of a series.

use super::document::Document;
use super::recipe::Recipe;
use super::request::SuggestRequest;
use super::series_plan::SeriesPlan;
use super::table::{columns, reading, targets};
use super::target::TargetKind;
use crate::data::profile::{SeriesProfile, TableProfile};
use crate::error::Result;
use crate::names::counted;
use crate::stats::real;

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
    let keys = keys_of_series(request, profile, plan)?;
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
    data(&mut document, request, profile, plan)?;
    let known: Vec<String> =
        request.targets.iter().chain([&order.time]).chain(&order.group).cloned().collect();
    columns(&mut document, profile, &known);
    let (kind, rows) = (TargetKind::Values, plan.shares.trained(profile.rows));
    Recipe { rows, kind: &kind, numbers: 0 }.write(&mut document);
    Ok(document.finish())
}

/// The keys of `[data]` that a table does not have.
fn keys_of_series(
    request: &SuggestRequest<'_>,
    profile: &TableProfile,
    plan: &SeriesPlan<'_>,
) -> Result<Vec<&'static str>> {
    const KEYS: [&str; 9] =
        ["time", "group", "sort", "window", "horizon", "max_gap", "calendar", "subtract_last", "missing"];
    let mut own = request.begin("");
    data(&mut own, request, profile, plan)?;
    let text = own.finish();
    let is_there = |key: &&&str| text.lines().any(|line| line.starts_with(&format!("{key} = ")));
    Ok(KEYS.iter().filter(is_there).copied().collect())
}

/// Writes `[data]` but for its columns.
fn data(
    document: &mut Document,
    request: &SuggestRequest<'_>,
    profile: &TableProfile,
    plan: &SeriesPlan<'_>,
) -> Result<()> {
    let series = plan.series;
    document.section("data");
    document.set("name", "timeseries", "");
    document.set("path", request.path()?, "relative to this file");
    document.set("target", targets(request.targets), "");
    document.set("time", series.time.as_str(), &format!("in steps of {}", series.describe_step()));
    if let Some(group) = &series.group {
        document.set("group", group.as_str(), &format!("tells {} series apart", series.series()));
    }
    if series.sort {
        document.set("sort", true, "the rows are not in the order of time");
    }
    windows(document, plan);
    features(document, profile, request.targets, plan);
    document.set("test", plan.shares.test, "the latest rows, looked at once, at the end");
    document.set("validation", plan.shares.validation, "the rows before these, to choose the best epoch");
    reading(document, &profile.reading);
    document.set("normalize", "standard", "mean 0 and deviation 1 of the training rows");
    if profile.columns.iter().any(|column| column.missing > 0) {
        document.set("missing", "previous", "cells are missing: the last value before them stands for them");
    }
    Ok(())
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
    let parts = calendar(series, rows.window);
    let is_persistent =
        series.is_persistent(shares) && targets.iter().all(|target| is_number(profile, target));
    if parts.is_empty() && !is_persistent {
        return;
    }
    document.note("Most series gain by these; a run with one of them cannot be exported to other tools (descent export).");
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

/// A circle of the calendar.
struct Circle {
    name: &'static str,
    /// The longest step with several rows on it, and how long a series is that goes round it more than once, in days.
    step: f64,
    least: f64,
}

/// The circles of the calendar that a series goes round more than once, with several rows on each. A window with a whole
/// year of rows shows the months by itself.
fn calendar(series: &SeriesProfile, window: usize) -> Vec<&'static str> {
    const CIRCLES: [Circle; 3] = [
        Circle { name: "hour", step: 0.5, least: 2.0 },
        Circle { name: "weekday", step: 3.0, least: 21.0 },
        Circle { name: "month", step: 184.0, least: 700.0 },
    ];
    let (Some(step), span) = (series.days(), series.span()) else { return Vec::new() };
    let is_shown = |circle: &Circle| circle.name == "month" && real(window) * step >= 360.0;
    let fits = |circle: &&Circle| span >= circle.least && step <= circle.step && !is_shown(circle);
    CIRCLES.iter().filter(fits).map(|circle| circle.name).collect()
}
