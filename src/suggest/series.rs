//! The config of a series.

use super::document::Document;
use super::recipe::Recipe;
use super::request::SuggestRequest;
use super::table::{columns, reading, targets};
use super::target::TargetKind;
use crate::data::profile::{SeriesProfile, TableProfile, describe_days};
use crate::error::Result;
use crate::names::counted;

/// The rows that a prediction sees, how far it reaches, and why.
struct WindowPlan {
    window: u64,
    horizon: u64,
    why: String,
}

/// The config for a series in this order.
pub(super) fn config(
    request: &SuggestRequest<'_>,
    profile: &TableProfile,
    order: &SeriesProfile,
) -> Result<String> {
    let what = match order.series {
        1 => format!("a series of {}", counted(profile.rows, "row")),
        series => format!("{series} series of {} in all", counted(profile.rows, "row")),
    };
    let mut document = request.begin(&what);
    let name = request.name();
    document.note(&format!(
        "descent train {name} trains it. Rows are predicted from the rows before them; to predict each row from its \
         own columns instead, whatever its time, write name = \"{}\" and leave out window, horizon and time.",
        super::table::format_name(profile.format)
    ));
    document.set("seed", 1, "decides everything random: weights and the order of windows");
    data(&mut document, request, profile, order)?;
    let known: Vec<String> =
        request.targets.iter().chain([&order.time]).chain(&order.group).cloned().collect();
    columns(&mut document, profile, &known);
    let (kind, rows) = (TargetKind::Values, profile.rows * 2 / 3);
    Recipe { rows, kind: &kind }.write(&mut document);
    Ok(document.finish())
}

/// Writes `[data]` but for its columns.
fn data(
    document: &mut Document,
    request: &SuggestRequest<'_>,
    profile: &TableProfile,
    order: &SeriesProfile,
) -> Result<()> {
    document.section("data");
    document.set("name", "timeseries", "");
    document.set("path", request.path()?, "relative to this file");
    document.set("target", targets(request.targets), "");
    document.set("time", order.time.as_str(), &step(order));
    if let Some(group) = &order.group {
        document.set("group", group.as_str(), &format!("tells {} series apart", order.series));
    }
    if order.sort {
        document.set("sort", true, "the rows are not in the order of time");
    }
    let plan = plan(profile, order);
    document.set("window", i64::try_from(plan.window).unwrap_or(i64::MAX), &plan.why);
    document.set(
        "horizon",
        i64::try_from(plan.horizon).unwrap_or(i64::MAX),
        "the rows after these that are predicted",
    );
    document.set("test", 0.2, "the latest rows, looked at once, at the end");
    document.set("validation", 0.15, "the rows before these, to choose the best epoch");
    reading(document, &profile.reading);
    document.set("normalize", "standard", "mean 0 and deviation 1 of the training rows");
    if profile.columns.iter().any(|column| column.missing > 0) {
        document.set("missing", "previous", "cells are missing: the last value before them stands for them");
    }
    Ok(())
}

/// The step of the time in words.
fn step(order: &SeriesProfile) -> String {
    let length = if order.is_dated { describe_days(order.step) } else { order.step.to_string() };
    format!("in steps of {length}")
}

/// Window and horizon for the step of the time: one season to see, one to predict, as far as there are rows.
fn plan(profile: &TableProfile, order: &SeriesProfile) -> WindowPlan {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
    let in_a_day = (1.0 / order.step).round().max(1.0) as u64;
    let (window, horizon, why) = match order.step {
        _ if !order.is_dated => (24, 1, "rows that a prediction sees"),
        step if step < 0.03 => {
            (2 * in_a_day.min(96), in_a_day.min(96), "two days, or as much as is practical")
        }
        step if step < 0.9 => (7 * in_a_day, in_a_day, "a week"),
        step if step < 4.0 => (28, 7, "four weeks"),
        step if step < 20.0 => (26, 4, "half a year"),
        step if step < 60.0 => (24, 12, "two years"),
        step if step < 200.0 => (12, 4, "three years"),
        _ => (10, 1, "rows that a prediction sees"),
    };
    // The smallest split has to have room for some windows.
    let room = profile.rows / u64::try_from(order.series.max(1)).unwrap_or(1) * 13 / 100;
    let most = (room * 6 / 10).max(2);
    if window + horizon <= most {
        return WindowPlan { window, horizon, why: why.to_owned() };
    }
    let horizon = horizon.min((most / 3).max(1));
    WindowPlan {
        window: most.saturating_sub(horizon).max(1),
        horizon,
        why: "as many rows as the splits have room for".to_owned(),
    }
}
