//! ROC and precision-recall curves: how well each class is told from the others at every threshold.
//! Fawcett, "An introduction to ROC analysis" (2006); Davis and Goadrich, "The relationship between precision-recall and
//! ROC curves" (2006).

use std::fmt::Write as _;

use super::numbering::Numbering;
use super::table::{self, figure, name_of};
use crate::report::data::{ClassReport, RankingCurves};
use crate::report::numbers::number;
use crate::report::plot::{Chart, Guessing, ratios};

/// One of the two figures.
struct Kind {
    title: &'static str,
    x: &'static str,
    y: &'static str,
    area: &'static str,
    caption: &'static str,
}

const ROC: Kind = Kind {
    title: "ROC curve",
    x: "false positive rate",
    y: "true positive rate",
    area: "AUC",
    caption: "ROC curve: of the rows of a class the fraction that is found, over the fraction of all other rows that \
              is taken for it, at every threshold. Guessing lies on the dashed line.",
};

const PRECISION_RECALL: Kind = Kind {
    title: "Precision-recall curve",
    x: "recall",
    y: "precision",
    area: "average precision",
    caption: "Precision over recall at every threshold.",
};

/// Both figures; empty if no class has a curve.
pub(super) fn html(report: &ClassReport, numbers: &mut Numbering) -> String {
    let ranked = &report.ranked;
    if ranked.is_empty() {
        return String::new();
    }
    let shared = match ranked.as_slice() {
        [only] => Some(Guessing::Height(only.share)),
        _ => None,
    };
    let roc = one(report, &ROC, Some(Guessing::Diagonal), numbers);
    let precision_recall = one(report, &PRECISION_RECALL, shared, numbers);
    format!("<div class=\"beside\">{roc}{precision_recall}</div>")
}

fn one(report: &ClassReport, kind: &Kind, guessing: Option<Guessing>, numbers: &mut Numbering) -> String {
    let is_roc = kind.title == ROC.title;
    let points = |ranked: &'_ RankingCurves| -> Vec<(f64, f64)> {
        if is_roc { ranked.roc.clone() } else { ranked.precision_recall.clone() }
    };
    let area = |ranked: &RankingCurves| if is_roc { ranked.area } else { ranked.average_precision };
    let curves: Vec<Vec<(f64, f64)>> = report.ranked.iter().map(points).collect();
    let chart = Chart {
        id: numbers.chart(),
        title: kind.title.to_owned(),
        description: format!("{} curves of {} over {}.", curves.len(), kind.y, kind.x),
        x: kind.x.to_owned(),
        y: kind.y.to_owned(),
        ..Chart::default()
    };
    let mut caption = kind.caption.to_owned();
    if let (Some(Guessing::Height(_)), false) = (guessing, is_roc) {
        caption.push_str(" Guessing lies on the dashed line.");
    }
    if let [only] = report.ranked.as_slice() {
        let _ =
            write!(caption, " {}: {} {}.", name_of(&report.names, only.class), kind.area, number(area(only)));
    } else {
        caption += &key(report, kind, &area);
    }
    let curves: Vec<&[(f64, f64)]> = curves.iter().map(Vec::as_slice).collect();
    figure(&ratios(&chart, &curves, guessing), &caption, numbers)
}

/// The classes with their lines and areas.
fn key(report: &ClassReport, kind: &Kind, area: &dyn Fn(&RankingCurves) -> f64) -> String {
    let mut out = format!(" By class, with the {}:<ul class=\"key\">", kind.area);
    for (series, ranked) in report.ranked.iter().enumerate() {
        let name = report.names.get(ranked.class).map_or_else(|| ranked.class.to_string(), Clone::clone);
        let _ = write!(out, "<li>{}</li>", table::run(series, &format!("{name} {}", number(area(ranked)))));
    }
    out + "</ul>"
}
