//! The page: one HTML file that asks for nothing else, which its Content-Security-Policy holds it to.

mod classes;
mod config;
mod curves;
mod importance;
mod mistakes;
mod numbering;
mod ranked;
mod results;
mod run;
mod series;
mod table;
mod tensors;
mod values;

use std::fmt::Write as _;

use super::data::Page;
use super::palette::{self, INK, MUTED, PAPER, RULE};
use super::text::escape;
pub(crate) use curves::curve_svg;
use numbering::Numbering;

/// The page's Content-Security-Policy: it shows only what it contains.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

/// The page as HTML. Names and cells are escaped here and below, once, where they are written.
pub(crate) fn html(page: &Page) -> String {
    let mut numbers = Numbering::default();
    let mut body = header(page);
    if page.runs.is_empty() {
        body.push_str("<p>There are no runs.</p>");
    } else {
        body += &results::section(&page.runs, &mut numbers);
        body += &curves::section(&page.runs, &mut numbers);
        body += &config::section(page, &mut numbers);
        for (index, run) in page.runs.iter().enumerate() {
            body += &run::section(run, index, page.runs.len(), &mut numbers);
        }
    }
    let title = escape(&page.title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">\n\
         <title>{title}</title>\n<style>{}</style>\n</head>\n<body>\n{body}\n<script>{}</script>\n</body>\n</html>\n",
        style(),
        include_str!("script.js")
    )
}

/// The title, the runs by name, and where to find what.
fn header(page: &Page) -> String {
    let mut out = format!("<header><h1>{}</h1>", escape(&page.title));
    if page.runs.len() > 1 {
        out.push_str("<p class=\"runs\">");
        for (index, run) in page.runs.iter().enumerate() {
            let _ = write!(out, "<a href=\"#run{index}\">{}</a> ", table::run(index, &run.name));
        }
        out.push_str("</p>");
    }
    out.push_str("</header>");
    out
}

/// The page's colours as variables, in light and in dark; then the styles of charts and of the page.
fn style() -> String {
    let scheme = |index: usize| {
        format!(
            ":root{{--paper:{};--ink:{};--muted:{};--rule:{}}}",
            PAPER[index], INK[index], MUTED[index], RULE[index]
        )
    };
    let dark = "--right:#2f6fd0;--wrong:#c4552a;--raised:#1e2125";
    let light = "--right:#2b6cc4;--wrong:#cf5a28;--raised:#f5f2ea";
    format!(
        "{}:root{{{light}}}@media (prefers-color-scheme:dark){{{}:root{{{dark}}}}}\n{}\n{}",
        scheme(0),
        scheme(1),
        palette::style(),
        include_str!("style.css")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::data::{
        Calibrated, ClassReport, ClassSummary, ColumnImportance, Mistake, Picture, Point, RankingCurves,
        RunData, SplitReport, TensorStats, ValueMistake, ValueReport,
    };
    use crate::report::plot::tests::well_formed;

    const HOSTILE: &str =
        "</script></style></title><script>alert('1')</script><img src=x onerror=\"a()\">&\u{202e}\u{1b}\0";

    fn ranked() -> RankingCurves {
        RankingCurves {
            roc: vec![(0.0, 0.0), (f64::NAN, 1.0), (1.0, 1.0)],
            area: 0.5,
            ..RankingCurves::default()
        }
    }

    fn hostile_split() -> SplitReport {
        let name = || HOSTILE.to_owned();
        let cells = || vec![(name(), name())];
        let mistake = Mistake {
            is: 7,
            picture: Some(Picture { width: 1, height: 1, channels: 1, bytes: vec![9] }),
            cells: cells(),
            ..Mistake::default()
        };
        let classes = ClassReport {
            names: vec![name(); 2],
            confusion: vec![vec![f64::INFINITY; 2]; 2],
            per_class: vec![ClassSummary { precision: f64::NAN, ..ClassSummary::default() }; 2],
            calibration: vec![Calibrated { confidence: 0.5, accuracy: f64::NAN, count: 1.0 }],
            ranked: vec![ranked()],
            worst: vec![mistake],
        };
        let values = ValueReport {
            names: vec![name()],
            scatter: vec![vec![(1.0, 2.0), (2.0, f64::NAN), (3.0, 3.0)]],
            worst: vec![ValueMistake { text: name(), ..ValueMistake::default() }],
            ..ValueReport::default()
        };
        let (classes, values) = (Some(classes), Some(values));
        SplitReport { split: name(), classes, values, series: None }
    }

    fn hostile() -> Page {
        let name = || HOSTILE.to_owned();
        let cells = || vec![(name(), name())];
        let point = |epoch: u8| Point {
            epoch: f64::from(epoch),
            values: vec![(name(), f64::from(epoch)), ("val_loss".to_owned(), f64::NAN)],
            ..Point::default()
        };
        let run = RunData {
            name: name(),
            points: (0..3).map(point).collect(),
            tests: vec![(name(), f64::INFINITY)],
            config: name(),
            facts: cells(),
            evaluation: Some(hostile_split()),
            importance: vec![ColumnImportance { name: name(), ..ColumnImportance::default() }],
            tensors: vec![TensorStats { name: name(), ..TensorStats::default() }],
        };
        Page { title: name(), runs: vec![run.clone(), run], differences: vec![(name(), vec![name()])] }
    }

    /// The page without its head, its script and the elements that need no end.
    fn body(html: &str) -> String {
        let start = html.find("<body>").unwrap();
        let end = html.rfind("<script>").unwrap();
        let mut body = format!("{}</body>", &html[start..end]);
        while let Some((before, after)) = body.split_once("<script type=\"application/json\">") {
            body = before.to_owned() + after.split_once("</script>").unwrap().1;
        }
        for open in ["<br>", "<input ", "<img "] {
            body = body.split(open).enumerate().fold(String::new(), |out, (index, part)| {
                let rest =
                    if open == "<br>" { part } else { part.split_once('>').map_or(part, |(_, rest)| rest) };
                out + if index == 0 { part } else { rest }
            });
        }
        body
    }

    #[test]
    fn names_stay_text() {
        let html = html(&hostile());
        assert!(well_formed(&body(&html)));
        // One script of the page, and the data of one figure.
        assert_eq!(html.matches("<script").count(), 2);
        assert!(!html.contains("<img src=x") && !html.contains(['\u{202e}', '\u{1b}', '\0']));
        assert_eq!(html.matches("data:image/png").count(), 2);
    }

    #[test]
    fn the_data_for_the_script_is_json() {
        let html = html(&hostile());
        let data = html
            .split("<script type=\"application/json\">")
            .nth(1)
            .and_then(|rest| rest.split("</script>").next());
        let lines: Vec<serde_json::Value> = serde_json::from_str(data.unwrap()).unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["epochs"], serde_json::json!([0, 1, 2]));
        assert!(lines[0]["name"].as_str().unwrap().contains("<img src=x onerror=\"a()\">"));
    }

    #[test]
    fn ids_and_captions_are_counted_once() {
        let html = html(&hostile());
        let mut ids: Vec<&str> =
            html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), all);
        let tables = html.matches("<table").count();
        assert!(
            html.contains(&format!("Table {tables}.")) && !html.contains(&format!("Table {}.", tables + 1))
        );
    }

    #[test]
    fn nothing_is_fetched() {
        let html = html(&hostile());
        assert!(html.contains("default-src 'none'"));
        let outside = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!outside.contains("http:") && !outside.contains("https:") && !outside.contains("@import"));
    }

    #[test]
    fn a_page_of_nothing_is_a_page() {
        for runs in [vec![], vec![RunData::default()]] {
            assert!(well_formed(&body(&html(&Page { runs, ..Page::default() }))));
        }
    }
}
