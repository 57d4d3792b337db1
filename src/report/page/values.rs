//! Predicted over actual values, and the errors.

use super::numbering::Numbering;
use super::table::{HtmlTable, figure, head, name_of};
use crate::names::counted;
use crate::report::data::{HistogramBin, ValueReport};
use crate::report::numbers::number;
use crate::report::plot::{Chart, bar_chart, scatter};
use crate::report::text::escape;
use crate::stats::real;

/// The bars of a histogram of errors.
const BARS: usize = 30;

pub(super) fn html(report: &ValueReport, split: &str, numbers: &mut Numbering) -> String {
    let mut out = format!("<h3>Values on the {split} split</h3>");
    for (target, points) in report.scatter.iter().enumerate() {
        let name = report.names.get(target).map_or_else(|| format!("target {target}"), Clone::clone);
        out += &charts(&name, points, numbers);
    }
    out + &worst(report, numbers)
}

/// The scatter plot of one target, and the histogram of its errors.
fn charts(name: &str, points: &[(f64, f64)], numbers: &mut Numbering) -> String {
    if !points.iter().any(|(actual, predicted)| actual.is_finite() && predicted.is_finite()) {
        return String::new();
    }
    let chart = Chart {
        id: numbers.chart(),
        title: format!("{name}: predicted over actual"),
        description: format!("{}.", counted(points.len(), "row")),
        x: "actual".to_owned(),
        y: "predicted".to_owned(),
        ..Chart::default()
    };
    let caption = format!(
        "<i>{}</i>, predicted over actual values. Perfect predictions lie on the dashed line.",
        escape(name)
    );
    let cloud = figure(&scatter(&chart, points), &caption, numbers);
    format!("<div class=\"beside\">{cloud}{}</div>", errors(name, points, numbers))
}

fn errors(name: &str, points: &[(f64, f64)], numbers: &mut Numbering) -> String {
    let errors: Vec<f64> = points.iter().map(|(actual, predicted)| predicted - actual).collect();
    let bins = histogram(&errors, BARS);
    if bins.is_empty() {
        return String::new();
    }
    let chart = Chart {
        id: numbers.chart(),
        title: format!("{name}: errors"),
        description: format!("A histogram of predicted minus actual in {} bins.", bins.len()),
        x: "predicted − actual".to_owned(),
        y: "rows".to_owned(),
        ..Chart::default()
    };
    let caption = format!("<i>{}</i>, distribution of the errors.", escape(name));
    figure(&bar_chart(&chart, &bins), &caption, numbers)
}

/// Finite values counted in bins of equal width.
fn histogram(values: &[f64], bins: usize) -> Vec<HistogramBin> {
    let values: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = (high - low) / real(bins);
    if !width.is_finite() || width <= 0.0 {
        return Vec::new();
    }
    let edge = |index: usize| low + real(index) * width;
    let mut out: Vec<HistogramBin> =
        (0..bins).map(|index| HistogramBin { left: edge(index), right: edge(index + 1), count: 0 }).collect();
    for value in values {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number of a bin")]
        let index = ((value - low) / width) as usize;
        out[index.min(bins - 1)].count += 1;
    }
    out
}

fn worst(report: &ValueReport, numbers: &mut Numbering) -> String {
    if report.worst.is_empty() {
        return String::new();
    }
    let outputs = if report.outputs.is_empty() { &report.names } else { &report.outputs };
    let several = report.scatter.len().max(outputs.len()) > 1;
    let texts = report.worst.iter().any(|mistake| !mistake.text.is_empty());
    let mut names = vec!["row"];
    names.extend(several.then_some("target"));
    names.extend(texts.then_some("data"));
    let numbers_from = names.len();
    names.extend(["actual", "predicted", "error"]);
    let row = |mistake: &crate::report::data::ValueMistake| {
        let mut cells = vec![escape(&mistake.place)];
        cells.extend(several.then(|| name_of(outputs, mistake.target)));
        cells.extend(texts.then(|| escape(&mistake.text)));
        let off = mistake.predicted - mistake.actual;
        cells.push(match mistake.written.as_str() {
            "" => number(mistake.actual),
            written => escape(written),
        });
        cells.extend([mistake.predicted, off].map(number));
        cells
    };
    let table = HtmlTable {
        caption: "The rows with the largest errors.".to_owned(),
        head: head(&names),
        rows: report.worst.iter().map(row).collect(),
        numbers_from,
    };
    table.html(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_value_is_counted_once() {
        let bins = histogram(&[0.0, 1.0, 2.0, 10.0, f64::NAN, f64::INFINITY], 5);
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [2, 1, 0, 0, 1]);
        assert!(histogram(&[1.0, 1.0], 5).is_empty() && histogram(&[], 5).is_empty());
        assert!(histogram(&[f64::MAX, -f64::MAX], 5).is_empty());
    }
}
