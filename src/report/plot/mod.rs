//! Charts as SVG (W3C SVG 1.1 as browsers and converters read it): lines, clouds of points, bars, reliability.
//!
//! A chart is a string. In a page it takes its style from there; standing alone it brings its own, and
//! its paper. What cannot be drawn, NaN, infinite or not above 0 on a logarithmic axis, leaves a gap.

mod bars;
mod frame;
mod labels;
mod line;
mod path;
mod ratios;
mod reliability;
mod scale;
mod scatter;
mod thin;

use std::fmt::Write as _;

use super::palette::style;
use super::text::escape;
use crate::stats::real;
pub(crate) use bars::{bar_chart, sparkline};
pub(crate) use line::{Line, line_chart};
pub(crate) use ratios::{Guessing, ratios};
pub(crate) use reliability::{expected_error, reliability};
pub(crate) use scatter::scatter;
pub(crate) use thin::{points_per_line, thin};

/// The text of a chart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chart {
    /// Unlike that of any other chart on the page; letters and digits.
    pub(crate) id: String,
    /// A short description.
    pub(crate) title: String,
    /// The same for those who cannot see it, with the numbers that matter.
    pub(crate) description: String,
    /// The label of the x axis.
    pub(crate) x: String,
    /// The label of the y axis.
    pub(crate) y: String,
    /// Whether y is logarithmic.
    pub(crate) log: bool,
    /// Whether x counts things, between which there is nothing.
    pub(crate) counts: bool,
    /// Whether it is a file of its own.
    pub(crate) standalone: bool,
}

/// The height of the heading of a standalone chart, and the margin around.
const HEADING: f64 = 34.0;
const MARGIN: f64 = 12.0;

impl Chart {
    /// The drawing of a size as an `<svg>`, with more attributes for the script.
    fn wrap(&self, (width, height): (f64, f64), attributes: &str, body: &str) -> String {
        let (id, title, description) = (escape(&self.id), escape(&self.title), escape(&self.description));
        let (start, inner) = if self.standalone {
            let (width, height) = (width + 2.0 * MARGIN, height + HEADING + MARGIN);
            let start = format!(
                "xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
                 viewBox=\"0 0 {width} {height}\""
            );
            let inner = format!(
                "<style>{}</style><rect class=\"paper\" width=\"100%\" height=\"100%\"/>\
                 <text class=\"heading\" x=\"{MARGIN}\" y=\"24\">{title}</text>\
                 <g transform=\"translate({MARGIN} {HEADING})\">{body}</g>",
                style().replace('&', "&amp;").replace('<', "&lt;")
            );
            (start, inner)
        } else {
            (format!("viewBox=\"0 0 {width} {height}\""), body.to_owned())
        };
        format!(
            "<svg class=\"chart\" {start} role=\"img\" aria-labelledby=\"{id}-title {id}-desc\"{attributes}>\
             <title id=\"{id}-title\">{title}</title><desc id=\"{id}-desc\">{description}</desc>{inner}</svg>"
        )
    }
}

/// A text at a place; `class` is ours, `text` is anybody's.
fn put(out: &mut String, class: &str, (x, y): (f64, f64), text: &str) {
    let _ = write!(out, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(text));
}

/// A shape of a class by its path; empty for an empty path.
fn draw(out: &mut String, class: &str, path: &str) {
    if !path.is_empty() {
        let _ = write!(out, "<path class=\"{class}\" d=\"{path}\"/>");
    }
}

/// The distance of lines of text.
const LINE_HEIGHT: f64 = 13.5;

/// The place of a row of text.
fn row(top: f64, index: usize) -> f64 {
    top + real(index) * LINE_HEIGHT
}

#[cfg(test)]
pub(crate) mod tests {
    /// Whether every element of an SVG or of well-formed HTML is closed in order, and the text between them has no raw
    /// `<`, `&` or control character.
    pub(crate) fn well_formed(text: &str) -> bool {
        let mut open: Vec<&str> = Vec::new();
        for part in text.split('<').skip(1) {
            let Some((tag, rest)) = part.split_once('>') else { return false };
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
            if tag.starts_with('/') {
                if open.pop() != Some(name) {
                    return false;
                }
            } else if !tag.ends_with('/') {
                open.push(name);
            }
            let bare = |rest: &str| {
                rest.split('&').skip(1).any(|after| {
                    !after
                        .split(';')
                        .next()
                        .is_some_and(|name| ["amp", "lt", "gt", "quot", "#39"].contains(&name))
                })
            };
            if bare(rest) || bare(tag) || rest.chars().any(|c| c.is_control() && c != '\n') {
                return false;
            }
        }
        open.is_empty()
    }

    #[test]
    fn the_check_for_form_can_fail() {
        assert!(well_formed("<a b=\"c\"><d/>e &amp; f</a>"));
        for broken in ["<a>", "<a></b>", "<a>b & c</a>", "<a>\u{7}</a>", "<a"] {
            assert!(!well_formed(broken), "{broken}");
        }
    }
}
