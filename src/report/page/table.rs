//! Tables with a caption, in a box that scrolls where they are wider than the page.

use std::fmt::Write as _;

use super::numbering::Numbering;
use crate::report::palette::classes;
use crate::report::text::escape;

/// A table whose cells are HTML already. The first column names the rows.
#[derive(Debug, Default)]
pub(super) struct HtmlTable {
    /// Its content, as HTML.
    pub(super) caption: String,
    /// The names of the columns.
    pub(super) head: Vec<String>,
    /// The cells; all rows as long as the head.
    pub(super) rows: Vec<Vec<String>>,
    /// From which column on cells are set to the right, as numbers are.
    pub(super) numbers_from: usize,
}

impl HtmlTable {
    pub(super) fn html(&self, numbers: &mut Numbering) -> String {
        let mut out = start(&self.caption, "", numbers);
        let class = |column: usize| if column >= self.numbers_from { " class=\"n\"" } else { "" };
        for (column, name) in self.head.iter().enumerate() {
            let _ = write!(out, "<th scope=\"col\"{}><span class=\"cell\">{name}</span></th>", class(column));
        }
        out.push_str("</tr></thead><tbody>");
        for row in &self.rows {
            out.push_str("<tr>");
            for (column, cell) in row.iter().enumerate() {
                let _ = match column {
                    0 => write!(out, "<th scope=\"row\"><span class=\"cell\">{cell}</span></th>"),
                    _ if column < self.numbers_from => {
                        write!(out, "<td><span class=\"cell\">{cell}</span></td>")
                    }
                    _ => write!(out, "<td class=\"n\">{cell}</td>"),
                };
            }
            out.push_str("</tr>");
        }
        out + END
    }
}

/// The beginning of a table up to its head, with its caption above the box, so that this does not scroll.
pub(super) fn start(caption: &str, class: &str, numbers: &mut Numbering) -> String {
    let number = numbers.table();
    format!(
        "<div class=\"table\"><p class=\"caption\" id=\"table{number}\"><b>Table {number}.</b> {caption}</p>\
         <div class=\"box\" tabindex=\"0\" role=\"region\" aria-labelledby=\"table{number}\">\
         <table class=\"{class}\" aria-labelledby=\"table{number}\"><thead><tr>"
    )
}

/// The end of a table after its last row.
pub(super) const END: &str = "</tbody></table></div></div>";

/// The names of columns as cells.
pub(super) fn head(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| escape(name)).collect()
}

/// A short piece of a run's line.
fn sample(series: usize) -> String {
    format!(
        "<svg class=\"chart sample\" viewBox=\"0 0 26 8\" aria-hidden=\"true\">\
         <path class=\"line {}\" d=\"M0 4h26\"/></svg>",
        classes(series)
    )
}

/// A run's name after a piece of its line.
pub(super) fn run(series: usize, name: &str) -> String {
    format!("<span class=\"who\">{}<bdi>{}</bdi></span>", sample(series), escape(name))
}

/// A figure around a chart, with a numbered caption of HTML.
pub(super) fn figure(chart: &str, caption: &str, numbers: &mut Numbering) -> String {
    format!("<figure>{chart}<figcaption><b>Figure {}.</b> {caption}</figcaption></figure>", numbers.figure())
}

/// The name of a class or target; its number where it has none.
pub(super) fn name_of(names: &[String], index: usize) -> String {
    names.get(index).map_or_else(|| index.to_string(), |name| escape(name))
}
