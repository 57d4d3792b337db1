//! The misclassified rows with the highest confidence.

use std::fmt::Write as _;

use super::numbering::Numbering;
use super::table::name_of;
use crate::report::data::{ClassReport, Mistake};
use crate::report::numbers::percent;
use crate::report::picture::data_uri;
use crate::report::text::escape;

pub(super) fn html(report: &ClassReport, numbers: &mut Numbering) -> String {
    if report.worst.is_empty() {
        return String::new();
    }
    let pictures = report.worst.iter().all(|mistake| mistake.cells.is_empty());
    let mut out =
        format!("<figure class=\"wide\"><ul class=\"mistakes{}\">", if pictures { "" } else { " cells" });
    for mistake in &report.worst {
        out += &one(mistake, &report.names);
    }
    let _ = write!(
        out,
        "</ul><figcaption><b>Figure {}.</b> The misclassified rows with the highest confidence: the predicted class \
         and its probability, the true class, and the {}.</figcaption></figure>",
        numbers.figure(),
        if pictures { "number of the row" } else { "cells as the file has them" }
    );
    out
}

fn one(mistake: &Mistake, names: &[String]) -> String {
    let (is, predicted) = (name_of(names, mistake.is), name_of(names, mistake.predicted));
    let mut out = String::from("<li>");
    if let Some((uri, picture)) =
        mistake.picture.as_ref().and_then(|picture| Some((data_uri(picture)?, picture)))
    {
        let _ = write!(
            out,
            "<img src=\"{uri}\" width=\"{}\" height=\"{}\" alt=\"{}: {is}, predicted {predicted}\">",
            picture.width,
            picture.height,
            escape(&mistake.place)
        );
    }
    let _ = write!(
        out,
        "<p><b><bdi>{predicted}</bdi></b> {}<br>true class <b><bdi>{is}</bdi></b><br><small>{}</small></p>",
        percent(mistake.probability),
        escape(&mistake.place)
    );
    if !mistake.cells.is_empty() {
        out.push_str("<dl>");
        for (name, value) in &mistake.cells {
            let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
        }
        out.push_str("</dl>");
    }
    out + "</li>"
}
