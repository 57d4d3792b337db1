//! The colours and dashes of series, and the style of charts.
//!
//! The colours were searched for the largest difference in CIE Lab under the colour blindness of Machado, Oliveira,
//! Fernandes, "A physiologically-based model for simulation of color vision deficiency" (2009), at a contrast of 4.5
//! and more to the paper (WCAG 2.2, 1.4.3): labels are set in them too.

use std::fmt::Write as _;

/// On light paper.
const LIGHT: [&str; 8] =
    ["#1261e2", "#ac4d0f", "#023d43", "#952c8e", "#272111", "#6d4423", "#301ea2", "#06826e"];
/// On dark paper.
const DARK: [&str; 8] =
    ["#7e91e4", "#dd712e", "#47db96", "#ce8bb3", "#dbf2ef", "#dcd01d", "#9a6cff", "#9ccfff"];
/// Light and dark, and what is printed on them.
pub(super) const PAPER: [&str; 2] = ["#fdfcf8", "#16181b"];
pub(super) const INK: [&str; 2] = ["#1d1c1a", "#e6e3dc"];
pub(super) const MUTED: [&str; 2] = ["#5f5b53", "#a5a198"];
pub(super) const RULE: [&str; 2] = ["#dcd8cd", "#34373c"];

/// As `stroke-dasharray`; the first is solid.
const DASHES: [&str; 4] = ["none", "7 3", "2 2", "9 2.5 2 2.5"];

/// The classes of a series: 32 of them differ, the eight colours by their dashes too.
pub(super) fn classes(series: usize) -> String {
    let colours = LIGHT.len();
    format!("s{} d{}", series % colours, (series + series / colours) % DASHES.len())
}

/// The style of charts: rules for their classes in light and in dark, without variables, which not all that read SVG
/// know.
pub(super) fn style() -> String {
    let mut css = String::from(
        ".chart{font:11.5px system-ui,\"Segoe UI\",\"Helvetica Neue\",Arial,sans-serif;\
         font-variant-numeric:tabular-nums}\
         .chart .end{text-anchor:end}.chart .mid{text-anchor:middle}.chart .name{font-weight:500}\
         .chart .heading{font-size:14px;font-weight:600}\
         .grid,.axis{fill:none;stroke-width:1;shape-rendering:crispEdges}\
         .line,.ends{fill:none;stroke:currentColor;stroke-width:1.75;stroke-linejoin:round}\
         .thin{stroke-width:1.2}.faint{stroke-width:1.1;opacity:.55}.ends{stroke-width:1;stroke-dasharray:1 3}\
         .dot,.label{fill:currentColor}.bar{fill:currentColor;fill-opacity:.75}\
         .cloud{fill:none;stroke:currentColor;stroke-width:4;stroke-linecap:round;stroke-opacity:.4}\
         .fine{stroke-width:2.5}.solid{stroke-opacity:1;stroke-width:6}\
         .even{fill:none;stroke-width:1;stroke-dasharray:4 3}",
    );
    for (index, dash) in DASHES.iter().enumerate().skip(1) {
        let _ = write!(css, ".d{index}{{stroke-dasharray:{dash}}}");
    }
    colours(&mut css, LIGHT, 0);
    css.push_str("@media (prefers-color-scheme:dark){");
    colours(&mut css, DARK, 1);
    css.push('}');
    css
}

fn colours(css: &mut String, series: [&str; 8], scheme: usize) {
    let (paper, ink, muted, rule) = (PAPER[scheme], INK[scheme], MUTED[scheme], RULE[scheme]);
    let _ = write!(
        css,
        ".chart text{{fill:{muted}}}.chart .name,.chart .heading{{fill:{ink}}}.paper{{fill:{paper}}}\
         .grid{{stroke:{rule}}}\
         .counts{{fill:{rule};fill-opacity:1}}.axis,.even{{stroke:{muted}}}.chart .label{{fill:currentColor}}"
    );
    for (index, colour) in series.iter().enumerate() {
        let _ = write!(css, ".s{index}{{color:{colour}}}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2.2: the contrast of two colours, 1 to 21.
    fn contrast(first: &str, second: &str) -> f64 {
        let light = |colour: &str| {
            [(1, 0.2126), (3, 0.7152), (5, 0.0722)].map(|(at, weight)| {
                let part = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
                weight * if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
            })
        };
        let [first, second] = [first, second].map(|colour| light(colour).iter().sum::<f64>() + 0.05);
        first.max(second) / first.min(second)
    }

    #[test]
    fn all_that_is_read_stands_out_from_the_paper() {
        assert!((contrast("#000000", "#ffffff") - 21.0).abs() < 1e-9);
        for (scheme, series) in [LIGHT, DARK].iter().enumerate() {
            for colour in series.iter().chain([&INK[scheme], &MUTED[scheme]]) {
                assert!(contrast(colour, PAPER[scheme]) >= 4.5, "{colour}");
            }
        }
    }

    #[test]
    fn thirty_two_series_differ() {
        let mut all: Vec<String> = (0..32).map(classes).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 32);
    }
}
