//! The curves of all runs together, over each of the four axes, linear and logarithmic.
//!
//! All views are in the page; the buttons choose by CSS alone which is seen.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::numbering::Numbering;
use super::table;
use crate::names::counted;
use crate::names::printable;
use crate::report::data::RunData;
use crate::report::numbers::{count, number};
use crate::report::palette::classes;
use crate::report::plot::{Chart, Line, line_chart, points_per_line, thin};
use crate::report::text::{capital, escape, readable, without_shared_folders};
use crate::run::history::Axis;

/// With more runs than this, a metric has a chart for the training split and one for the validation split.
const TOGETHER: usize = 6;
/// The ratio of the largest to the smallest value from which a logarithmic view is offered.
const LOG_FROM: f64 = 4.0;

/// Metrics that share a chart: one, or that of both splits.
struct Family {
    title: String,
    /// The metrics; those of the training split are drawn faint where there are others.
    names: Vec<String>,
}

/// The points of one metric of one run that are drawn.
struct PlotCurve<'a> {
    run: &'a RunData,
    /// The run's name without what all runs share.
    name: &'a str,
    series: usize,
    metric: &'a str,
    faint: bool,
    kept: Vec<usize>,
}

pub(super) fn section(runs: &[RunData], numbers: &mut Numbering) -> String {
    let families = families(runs);
    if families.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<section class=\"curves\"><h2>Curves</h2>{}{}<div class=\"figures\">",
        controls(),
        key(runs)
    );
    for family in &families {
        out += &figure(family, runs, numbers);
    }
    out.push_str("</div></section>");
    out
}

/// One metric of all runs over one axis as an SVG file.
pub(crate) fn curve_svg(runs: &[RunData], metric: &str, axis: Axis, log: bool) -> String {
    let family = Family { title: readable(metric), names: vec![metric.to_owned()] };
    let curves = curves(&family, runs);
    let chart = chart("curve".to_owned(), &family, &curves, axis, log);
    line_chart(&Chart { standalone: true, ..chart }, &lines(&curves, axis))
}

/// The metrics that any run has a number for, in the order in which they come, the learning rate last.
fn families(runs: &[RunData]) -> Vec<Family> {
    let mut names: Vec<&str> = Vec::new();
    for (name, value) in runs.iter().flat_map(|run| &run.points).flat_map(|point| &point.values) {
        if value.is_finite() && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let is_diagnostic =
        |name: &str| ["grad_norm", "clipped", "lr"].contains(&name) || name.starts_with("lr_");
    names.sort_by_key(|name| is_diagnostic(name));
    let mut families: Vec<Family> = Vec::new();
    for name in names {
        let own = name.strip_prefix("train_").or_else(|| name.strip_prefix("val_"));
        let title = readable(own.filter(|_| runs.len() <= TOGETHER).unwrap_or(name));
        match families.iter_mut().find(|family| family.title == title) {
            Some(family) => family.names.push(name.to_owned()),
            None => families.push(Family { title, names: vec![name.to_owned()] }),
        }
    }
    families
}

/// The choice of axis, scale and metric; the last is filled by the script.
fn controls() -> String {
    let mut out = String::from("<div class=\"controls\"><fieldset><legend>Over</legend>");
    for (index, axis) in Axis::ALL.into_iter().enumerate() {
        let (name, checked) = (axis.name(), if index == 0 { " checked" } else { "" });
        let _ = write!(
            out,
            "<label><input type=\"radio\" name=\"axis\" id=\"axis-{name}\" value=\"{name}\"{checked}>\
             <span>{name}</span></label>"
        );
    }
    out.push_str(
        "</fieldset><label class=\"check\"><input type=\"checkbox\" id=\"log\"> logarithmic</label>\
         <label class=\"metric\" hidden>Show <select id=\"metric\"></select></label></div>",
    );
    out
}

fn short_names(runs: &[RunData]) -> Vec<&str> {
    without_shared_folders(&runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>())
}

/// The runs and their lines.
fn key(runs: &[RunData]) -> String {
    if runs.len() < 2 {
        return String::new();
    }
    let mut out = String::from("<ul class=\"key\">");
    for (index, name) in short_names(runs).into_iter().enumerate() {
        let _ = write!(out, "<li>{}</li>", table::run(index, name));
    }
    out + "</ul>"
}

fn figure(family: &Family, runs: &[RunData], numbers: &mut Numbering) -> String {
    let curves = curves(family, runs);
    let mut out = format!("<figure class=\"curve\" data-title=\"{}\">", escape(&family.title));
    let scales: &[bool] = if worth_log(&curves) { &[false, true] } else { &[false] };
    for axis in Axis::ALL {
        let lines = lines(&curves, axis);
        for log in scales {
            let scale = match (log, scales.len()) {
                (_, 1) => "linear log",
                (true, _) => "log",
                (false, _) => "linear",
            };
            let chart = chart(numbers.chart(), family, &curves, axis, *log);
            let _ = write!(
                out,
                "<div class=\"view {} {scale}\">{}</div>",
                axis.name(),
                line_chart(&chart, &lines)
            );
        }
    }
    // `<` could end the element that holds the data.
    let data = Value::Array(curves.iter().map(data).collect()).to_string().replace('<', "\\u003c");
    let _ = write!(
        out,
        "<script type=\"application/json\">{data}</script><figcaption><b>Figure {}.</b> {}</figcaption></figure>",
        numbers.figure(),
        caption(family, &curves)
    );
    out
}

fn caption(family: &Family, curves: &[PlotCurve]) -> String {
    let title = escape(&capital(&family.title));
    if curves.iter().any(|curve| curve.faint) {
        format!(
            "{title}. The strong lines are of the validation split, the faint ones of the training split."
        )
    } else if let [name] = family.names.as_slice() {
        format!("{}.", escape(&capital(&readable(name))))
    } else {
        format!("{title}.")
    }
}

/// The curves of a family, thinned alike for all axes.
fn curves<'a>(family: &'a Family, runs: &'a [RunData]) -> Vec<PlotCurve<'a>> {
    let most = points_per_line(runs.len() * family.names.len());
    let mut curves = Vec::new();
    for (series, (run, name)) in runs.iter().zip(short_names(runs)).enumerate() {
        let has = |name: &&String| run.points.iter().any(|point| point.value(name).is_finite());
        let names: Vec<&String> = family.names.iter().filter(has).collect();
        for metric in &names {
            let values: Vec<f64> = run.points.iter().map(|point| point.value(metric)).collect();
            let faint = names.len() > 1 && metric.starts_with("train_");
            curves.push(PlotCurve { run, name, series, metric, faint, kept: thin(&values, most) });
        }
    }
    curves
}

fn lines(curves: &[PlotCurve], axis: Axis) -> Vec<Line> {
    let line = |curve: &PlotCurve| {
        let point =
            |index: &usize| (curve.run.points[*index].at(axis), curve.run.points[*index].value(curve.metric));
        Line {
            name: curve.name.to_owned(),
            series: curve.series,
            faint: curve.faint,
            points: curve.kept.iter().map(point).collect(),
        }
    };
    curves.iter().map(line).collect()
}

fn worth_log(curves: &[PlotCurve]) -> bool {
    let values = || {
        let values = |curve: &'_ PlotCurve| -> Vec<f64> {
            curve.kept.iter().map(|index| curve.run.points[*index].value(curve.metric)).collect()
        };
        curves.iter().flat_map(values).filter(|value| value.is_finite())
    };
    let (low, high) =
        values().fold((f64::INFINITY, 0.0), |(low, high), value| (value.min(low), value.max(high)));
    low > 0.0 && high >= LOG_FROM * low
}

fn chart(id: String, family: &Family, curves: &[PlotCurve], axis: Axis, log: bool) -> Chart {
    let scale = if log { ", logarithmic" } else { "" };
    Chart {
        id,
        title: format!("{} over {}{scale}", capital(&family.title), axis.name()),
        description: description(curves, axis),
        x: axis.name().to_owned(),
        y: format!("{}{scale}", family.title),
        log,
        standalone: false,
        counts: axis != Axis::Seconds,
    }
}

/// A sentence with the first and last values of the first lines.
fn description(curves: &[PlotCurve], axis: Axis) -> String {
    let mut out = format!("{} over {}.", counted(curves.len(), "line"), axis.name());
    for curve in curves.iter().take(8) {
        let finite = || curve.run.points.iter().filter(|point| point.value(curve.metric).is_finite());
        if let (Some(first), Some(last)) = (finite().next(), finite().next_back()) {
            let _ = write!(
                out,
                " {} of {}: from {} to {} at {}.",
                readable(curve.metric),
                printable(curve.name),
                number(first.value(curve.metric)),
                number(last.value(curve.metric)),
                count(last.at(axis))
            );
        }
    }
    out
}

/// The data for the pointer: the positions on each axis and the values of the points drawn.
fn data(curve: &PlotCurve) -> Value {
    let points = || curve.kept.iter().map(|index| &curve.run.points[*index]);
    let mut data = json!({
        "name": printable(curve.name),
        "series": curve.series,
        "style": classes(curve.series),
        "faint": curve.faint,
        "value": points().map(|point| rounded(point.value(curve.metric), 6)).collect::<Vec<_>>(),
    });
    for axis in Axis::ALL {
        data[axis.name()] = points().map(|point| rounded(point.at(axis), 12)).collect();
    }
    data
}

/// A number with this number of digits; null if it is not finite.
fn rounded(value: f64, digits: usize) -> Value {
    let value: f64 = format!("{value:.*e}", digits - 1).parse().unwrap_or(value);
    if value.fract() == 0.0 && value.abs() < 9e15 {
        #[allow(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
        return json!(value as i64);
    }
    json!(value)
}
