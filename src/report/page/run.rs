//! The section of one run.

use std::fmt::Write as _;

use super::numbering::Numbering;
use super::{classes, importance, series, table, tensors, values};
use crate::report::data::RunData;
use crate::report::text::{escape, escape_lines};

/// With more runs than this, their sections are folded at first.
const OPEN: usize = 3;

/// Facts, evaluation, weights and config; folded where there are many runs.
pub(super) fn section(run: &RunData, index: usize, of: usize, numbers: &mut Numbering) -> String {
    let open = if of <= OPEN { " open" } else { "" };
    let mut out = format!(
        "<section id=\"run{index}\"><details class=\"run\"{open}><summary><h2>{}</h2></summary>",
        table::run(index, &run.name)
    );
    out += &facts(run);
    if let Some(evaluation) = &run.evaluation {
        let split = match evaluation.split.as_str() {
            "val" => "validation".to_owned(),
            other => escape(other),
        };
        if let Some(report) = &evaluation.classes {
            out += &classes::html(report, &split, numbers);
        }
        if let Some(report) = &evaluation.series {
            out += &series::html(report, &split, numbers);
        }
        if let Some(report) = &evaluation.values {
            out += &values::html(report, &split, numbers);
        }
    }
    out += &importance::html(&run.importance, numbers);
    out += &tensors::html(&run.tensors, numbers);
    if !run.config.is_empty() {
        let _ = write!(
            out,
            "<details><summary>Configuration</summary><pre tabindex=\"0\">{}</pre></details>",
            escape_lines(run.config.trim_end())
        );
    }
    out + "</details></section>"
}

fn facts(run: &RunData) -> String {
    if run.facts.is_empty() {
        return String::new();
    }
    let mut out = String::from("<dl class=\"facts\">");
    for (name, value) in &run.facts {
        let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    out + "</dl>"
}
