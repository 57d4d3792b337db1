//! Actual and forecast values over time, and the error at each step.

use std::fmt::Write as _;

use super::numbering::Numbering;
use super::table::{self, HtmlTable, figure, head};
use crate::names::counted;
use crate::report::numbers::{count, number, percent};
use crate::report::plot::{Chart, Line, line_chart};
use crate::report::series::{ErrorsByStep, SeriesReport, TargetForecasts};
use crate::report::text::escape;

/// The baseline that skill is measured by.
const SEASONAL: &str = "seasonal naive";

pub(super) fn html(report: &SeriesReport, split: &str, numbers: &mut Numbering) -> String {
    let mut out = format!("<h3>Forecasts on the {split} split</h3>");
    for target in &report.targets {
        out += &over_time(target, report, numbers);
        out += &by_step(target, numbers);
    }
    out
}

fn over_time(target: &TargetForecasts, report: &SeriesReport, numbers: &mut Numbering) -> String {
    if target.actual.is_empty() {
        return String::new();
    }
    let chart = Chart {
        id: numbers.chart(),
        title: format!("{}: actual and forecast", target.name),
        description: format!("{} over time.", counted(target.actual.len(), "row")),
        x: "rows, in the order of time".to_owned(),
        y: target.name.clone(),
        counts: true,
        ..Chart::default()
    };
    let mut names = vec!["actual".to_owned()];
    names.extend(target.forecasts.iter().map(|step| format!("{} ahead", counted(step.ahead, "row"))));
    let points = std::iter::once(&target.actual).chain(target.forecasts.iter().map(|step| &step.points));
    let lines = names.iter().zip(points).enumerate();
    let lines: Vec<Line> = lines
        .map(|(series, (name, points))| Line {
            name: name.clone(),
            series,
            faint: false,
            points: points.clone(),
        })
        .collect();
    let time = match (report.from.as_str(), report.to.as_str()) {
        ("", _) | (_, "") => String::new(),
        (from, to) => format!(" From {} to {}.", escape(from), escape(to)),
    };
    let caption =
        format!("<i>{}</i>, actual values and forecasts.{time}{}", escape(&target.name), key(&names));
    figure(&line_chart(&chart, &lines), &caption, numbers)
}

/// The lines by name.
fn key(names: &[String]) -> String {
    let mut out = String::from("<ul class=\"key\">");
    for (series, name) in names.iter().enumerate() {
        let _ = write!(out, "<li>{}</li>", table::run(series, name));
    }
    out + "</ul>"
}

/// The errors at each step as a chart, where there are several, and as a table.
fn by_step(target: &TargetForecasts, numbers: &mut Numbering) -> String {
    let mut out = String::new();
    if target.errors.first().is_some_and(|own| own.points.len() > 1) {
        let chart = Chart {
            id: numbers.chart(),
            title: format!("{}: error by step", target.name),
            description: "The mean absolute error over the steps of the horizon.".to_owned(),
            x: "rows ahead".to_owned(),
            y: "mean absolute error".to_owned(),
            counts: true,
            ..Chart::default()
        };
        let line = |(series, errors): (usize, &ErrorsByStep)| Line {
            name: errors.name.clone(),
            series,
            faint: false,
            points: errors.points.clone(),
        };
        let lines: Vec<Line> = target.errors.iter().enumerate().map(line).collect();
        let names: Vec<String> = target.errors.iter().map(|errors| errors.name.clone()).collect();
        let caption = format!("<i>{}</i>, mean absolute error by step.{}", escape(&target.name), key(&names));
        out += &figure(&line_chart(&chart, &lines), &caption, numbers);
    }
    out + &error_table(target, numbers)
}

fn error_table(target: &TargetForecasts, numbers: &mut Numbering) -> String {
    let Some(own) = target.errors.first() else { return String::new() };
    let seasonal = target.errors.iter().find(|errors| errors.name.starts_with(SEASONAL));
    let skill =
        |at: usize| seasonal.and_then(|errors| Some(1.0 - own.points.get(at)?.1 / errors.points.get(at)?.1));
    let mut names: Vec<&str> = vec!["rows ahead"];
    names.extend(target.errors.iter().map(|errors| errors.name.as_str()));
    names.extend(seasonal.map(|_| "skill"));
    let row = |at: usize| {
        let errors = target
            .errors
            .iter()
            .map(|errors| number(errors.points.get(at).map_or(f64::NAN, |point| point.1)));
        let first = [count(own.points[at].0)].into_iter();
        first.chain(errors).chain(skill(at).map(percent)).collect()
    };
    let worse: Vec<String> = (0..own.points.len())
        .filter(|at| skill(*at).is_some_and(|skill| skill <= 0.0))
        .map(|at| count(own.points[at].0))
        .collect();
    let verdict = match (seasonal, worse.as_slice()) {
        (None, _) => String::new(),
        (Some(_), []) => " It is positive at every step.".to_owned(),
        (Some(_), steps) if steps.len() == own.points.len() => " It is not positive at any step.".to_owned(),
        (Some(_), steps) => format!(" It is not positive at {} ahead.", steps.join(", ")),
    };
    let table = HtmlTable {
        caption: format!(
            "<i>{}</i>, mean absolute errors by step; the skill is 1 − MAE / MAE({SEASONAL}).{verdict}",
            escape(&target.name)
        ),
        head: head(&names),
        rows: (0..own.points.len()).map(row).collect(),
        numbers_from: 1,
    };
    table.html(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plot::tests::well_formed;

    fn errors(name: &str, values: &[f64]) -> ErrorsByStep {
        ErrorsByStep {
            name: name.to_owned(),
            points: (1..).map(f64::from).zip(values.iter().copied()).collect(),
        }
    }

    fn page(own: &[f64]) -> String {
        let target = TargetForecasts {
            name: "<y & \"z\">".to_owned(),
            actual: vec![(1.0, 2.0), (2.0, f64::NAN), (3.0, 4.0)],
            forecasts: Vec::new(),
            errors: vec![
                errors("network", own),
                errors("naive", &[2.0, 3.0]),
                errors("seasonal naive of 7 rows", &[2.0, 2.0]),
            ],
        };
        let report =
            SeriesReport { from: "2024-01-01".to_owned(), to: "<end>".to_owned(), targets: vec![target] };
        html(&report, "test", &mut Numbering::default())
    }

    #[test]
    fn the_steps_at_which_there_is_no_skill_are_named() {
        let better = page(&[1.0, 1.5]);
        assert!(well_formed(&better.replace("<br>", "")), "{better}");
        assert!(better.contains("It is positive at every step.") && better.contains("50.0 %"), "{better}");
        assert!(page(&[1.0, 2.5]).contains("It is not positive at 2 ahead."));
        assert!(page(&[3.0, 2.5]).contains("It is not positive at any step."));
    }
}
