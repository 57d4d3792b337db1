//! Confusion matrix, scores of each class, calibration and the worst mistakes.

use std::fmt::Write as _;

use super::numbering::Numbering;
use super::table::{END, HtmlTable, figure, head, name_of, start};
use super::{mistakes, ranked};
use crate::report::data::ClassReport;
use crate::report::numbers::{number, percent, rows};
use crate::report::plot::{Chart, expected_error, reliability};

/// The most classes whose whole confusion matrix is shown, and the most pairs shown of others.
const WIDEST: usize = 30;
const PAIRS: usize = 30;
/// Longer names of columns are set upright.
const UPRIGHT_FROM: usize = 5;

pub(super) fn html(report: &ClassReport, split: &str, numbers: &mut Numbering) -> String {
    let confused =
        if report.confusion.len() <= WIDEST { matrix(report, numbers) } else { pairs(report, numbers) };
    let scores = scores(report, numbers);
    let ranked = ranked::html(report, numbers);
    let calibration = calibration(report, numbers);
    let worst = mistakes::html(report, numbers);
    format!(
        "<h3>Classes on the {split} split</h3><div class=\"beside\">{confused}{scores}</div>{ranked}\
         <div class=\"beside\">{calibration}{worst}</div>"
    )
}

/// The confusion matrix; a cell is the darker, the larger its fraction of the row.
fn matrix(report: &ClassReport, numbers: &mut Numbering) -> String {
    let classes = report.confusion.len();
    if classes == 0 {
        return String::new();
    }
    let name = |class: usize| name_of(&report.names, class);
    let upright = report.names.iter().any(|name| name.chars().count() >= UPRIGHT_FROM);
    let caption = "Confusion matrix: a row for each true class, a column for each predicted class. \
                   The stronger the colour, the larger the fraction of the row.";
    let mut out = start(caption, if upright { "confusion upright" } else { "confusion" }, numbers);
    out.push_str("<th scope=\"col\">true <span aria-hidden=\"true\">╲</span> predicted</th>");
    for class in 0..classes {
        let _ = write!(out, "<th scope=\"col\"><span>{}</span></th>", name(class));
    }
    out.push_str("</tr></thead><tbody>");
    for (is, row) in report.confusion.iter().enumerate() {
        let rows = total(row);
        let _ = write!(out, "<tr><th scope=\"row\"><span class=\"cell\">{}</span></th>", name(is));
        for (predicted, count) in row.iter().enumerate() {
            out += &cell(*count, rows, is == predicted);
        }
        out.push_str("</tr>");
    }
    out + END
}

fn total(row: &[f64]) -> f64 {
    row.iter().sum()
}

fn cell(count: f64, of: f64, right: bool) -> String {
    if count == 0.0 {
        return "<td class=\"zero\">0</td>".to_owned();
    }
    let share = count / of;
    // Mistakes are few: by its root a share of 1 % can be seen.
    let heat = if right { share } else { share.sqrt() } * 0.9;
    let class = if right { "right" } else { "wrong" };
    let hot = if heat > 0.55 { " hot" } else { "" };
    format!("<td class=\"{class}{hot}\" style=\"--heat:{:.0}%\">{}</td>", heat * 100.0, rows(count))
}

/// The most confused pairs.
fn pairs(report: &ClassReport, numbers: &mut Numbering) -> String {
    let mut pairs: Vec<(f64, usize, usize, f64)> = Vec::new();
    for (is, row) in report.confusion.iter().enumerate() {
        let of = total(row);
        let wrong = row.iter().enumerate().filter(|(predicted, count)| *predicted != is && **count > 0.0);
        pairs.extend(wrong.map(|(predicted, count)| (*count, is, predicted, of)));
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    pairs.truncate(PAIRS);
    let row = |(count, is, predicted, of): &(f64, usize, usize, f64)| {
        let share = count / of;
        let [is, predicted] = [is, predicted].map(|class| name_of(&report.names, *class));
        vec![is, predicted, rows(*count), percent(share)]
    };
    let table = HtmlTable {
        caption: format!("The most confused pairs of {} classes.", report.confusion.len()),
        head: head(&["true class", "predicted", "rows", "of the class"]),
        rows: pairs.iter().map(row).collect(),
        numbers_from: 2,
    };
    table.html(numbers)
}

/// The scores of each class; folded where there are many.
fn scores(report: &ClassReport, numbers: &mut Numbering) -> String {
    if report.per_class.is_empty() {
        return String::new();
    }
    let row = |(class, score): (usize, &crate::report::data::ClassSummary)| {
        let shares = [score.precision, score.recall, score.f1].map(number);
        let name = name_of(&report.names, class);
        std::iter::once(name).chain(shares).chain([rows(score.support)]).collect()
    };
    let table = HtmlTable {
        caption: "Precision, recall and F1 of each class.".to_owned(),
        head: head(&["class", "precision", "recall", "F1", "rows"]),
        rows: report.per_class.iter().enumerate().map(row).collect(),
        numbers_from: 1,
    };
    let html = table.html(numbers);
    if report.per_class.len() > WIDEST {
        format!("<details><summary>Scores of {} classes</summary>{html}</details>", report.per_class.len())
    } else {
        html
    }
}

fn calibration(report: &ClassReport, numbers: &mut Numbering) -> String {
    let Some(error) = expected_error(&report.calibration).filter(|error| error.is_finite()) else {
        return String::new();
    };
    let chart = Chart {
        id: numbers.chart(),
        title: "Reliability".to_owned(),
        description: format!(
            "Accuracy over confidence in {} bins; the expected calibration error is {}.",
            report.calibration.len(),
            number(error)
        ),
        x: "confidence".to_owned(),
        y: "accuracy".to_owned(),
        ..Chart::default()
    };
    let caption = format!(
        "Reliability diagram: accuracy over confidence, the probability of the predicted class. A perfectly calibrated \
         model lies on the dashed line. The grey bars are row counts. \
         The expected calibration error is {}.",
        number(error)
    );
    figure(&reliability(&chart, &report.calibration), &caption, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_classes_are_shown_by_their_worst_pairs() {
        let mut confusion = vec![vec![0.0; 40]; 40];
        confusion[3][7] = 9.0;
        confusion[3][3] = 91.0;
        confusion[7][3] = 2.0;
        let report = ClassReport { names: vec!["<a>".to_owned(); 4], confusion, ..ClassReport::default() };
        let html = pairs(&report, &mut Numbering::default());
        let html = html.replace("<span class=\"cell\">", "").replace("</span>", "");
        let first = html.find("&lt;a&gt;</th><td>7</td><td class=\"n\">9</td><td class=\"n\">9.0 %").unwrap();
        assert!(first < html.find("<th scope=\"row\">7</th><td>&lt;a&gt;</td>").unwrap());
        assert_eq!(html.matches("<tr>").count(), 3);
    }

    #[test]
    fn cells_are_heated_by_their_share() {
        assert_eq!(cell(0.0, 0.0, true), "<td class=\"zero\">0</td>");
        assert_eq!(cell(1.0, 100.0, false), "<td class=\"wrong\" style=\"--heat:9%\">1</td>");
        assert!(cell(99.0, 100.0, true).contains("hot"));
    }
}
