//! Line charts.

use super::frame::{Frame, Room};
use super::path::Drawn;
use super::scale::Scale;
use super::{Chart, draw, labels, path, points_per_line, thin};
use crate::report::palette::classes;

/// With more lines than this, each is drawn thinner.
const CROWD: usize = 12;

/// A line of a chart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    /// The label at its end; empty for a faint line.
    pub(crate) name: String,
    /// Its colour and dashes; lines of one series share them.
    pub(crate) series: usize,
    /// Whether it is a thin background line.
    pub(crate) faint: bool,
    /// Its points, left to right.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Lines over a common axis, named at their ends or, where they are many, in a legend below a standalone chart.
/// A line of more than a few hundred points is thinned.
pub(crate) fn line_chart(chart: &Chart, lines: &[Line]) -> String {
    let most = points_per_line(lines.len());
    let lines: Vec<(&Line, Vec<(f64, f64)>)> = lines.iter().map(|line| (line, thinned(line, most))).collect();
    let named = lines.iter().filter(|(line, _)| !line.faint).count();
    let beside = (2..=labels::MOST).contains(&named);
    let right = if beside { labels::ROOM } else { 14.0 };
    let mut room = Room { width: 560.0, height: 300.0, left: 62.0, right, ..Room::SQUARE };
    let points = || lines.iter().flat_map(|(_, points)| points.iter().copied());
    // A point without a value must not stretch the axis.
    let seen = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite() && (!chart.log || *y > 0.0);
    let x = Scale::over(points().filter(seen).map(|(x, _)| x), false, 0.0).of_counts(chart.counts);
    let y = Scale::over(points().filter(seen).map(|(_, y)| y), chart.log, 0.04);
    let frame = Frame::new(room, x, y);
    let mut body = frame.axes(chart);
    let mut ends = Vec::new();
    let strong = if lines.len() > CROWD { " thin" } else { "" };
    for (faint, weight) in [(true, " faint"), (false, strong)] {
        for (line, points) in lines.iter().filter(|(line, _)| line.faint == faint) {
            let last = draw_line(&mut body, &frame, line, points, weight);
            ends.extend(last.filter(|_| !faint).map(|last| (line.series, line.name.as_str(), last)));
        }
    }
    if beside {
        body += &labels::at_ends(&frame, &mut ends);
    } else if chart.standalone && named > 1 {
        let names: Vec<_> = lines
            .iter()
            .filter(|(line, _)| !line.faint)
            .map(|(line, _)| (line.series, line.name.as_str()))
            .collect();
        body += &labels::legend(&frame, &names);
        room.height += labels::legend_height(names.len());
    }
    Frame { room, ..frame }.wrap(chart, &body)
}

fn thinned(line: &Line, most: usize) -> Vec<(f64, f64)> {
    let values: Vec<f64> = line.points.iter().map(|point| point.1).collect();
    thin(&values, most).into_iter().map(|index| line.points[index]).collect()
}

/// Draws a line and gives its last point.
fn draw_line(
    out: &mut String,
    frame: &Frame,
    line: &Line,
    points: &[(f64, f64)],
    weight: &str,
) -> Option<(f64, f64)> {
    let classes = classes(line.series);
    let places = || points.iter().map(|point| frame.place(*point));
    let Drawn { path, alone } = path::line(places());
    draw(out, &format!("line {classes}{weight}"), &path);
    let (colour, _) = classes.split_once(' ').unwrap_or((&classes, ""));
    draw(out, &format!("cloud {colour}"), &path::dots(alone.into_iter()));
    places().flatten().last()
}

#[cfg(test)]
mod tests {
    use super::super::tests::well_formed;
    use super::*;

    fn line(series: usize, points: &[(f64, f64)]) -> Line {
        Line { name: format!("<run & \"{series}\">\u{202e}"), series, faint: false, points: points.to_vec() }
    }

    fn chart(log: bool, standalone: bool) -> Chart {
        let text = "a < b & c".to_owned();
        Chart {
            id: "c".to_owned(),
            title: text.clone(),
            description: text.clone(),
            x: text.clone(),
            y: text,
            log,
            standalone,
            counts: log,
        }
    }

    #[test]
    fn nothing_breaks_a_chart() {
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1.0, 1e308, -1e308, 5e-324];
        let points: Vec<_> = odd.iter().flat_map(|x| odd.iter().map(|y| (*x, *y))).collect();
        for count in [0, 1, 2, 12, 30] {
            for points in [&points[..], &[], &[(1.0, f64::NAN)], &[(1.0, 2.0)]] {
                let lines: Vec<_> = (0..count).map(|series| line(series, points)).collect();
                for (log, standalone) in [(false, false), (true, false), (false, true), (true, true)] {
                    let svg = line_chart(&chart(log, standalone), &lines);
                    assert!(well_formed(&svg), "{svg}");
                    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
                }
            }
        }
    }

    #[test]
    fn a_long_line_is_thinned_and_a_gap_is_left() {
        let mut points: Vec<_> = (0..10_000).map(|x| (f64::from(x), f64::from(x % 100))).collect();
        points[5000].1 = f64::NAN;
        let svg = line_chart(&chart(false, false), &[line(0, &points)]);
        let path =
            svg.split("class=\"line s0 d0\" d=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        assert_eq!(path.matches('M').count(), 2);
        assert!(path.len() < 6000, "{}", path.len());
    }

    #[test]
    fn a_file_stands_alone() {
        let svg = line_chart(&chart(false, true), &[line(0, &[(0.0, 1.0), (1.0, 2.0)])]);
        assert!(svg.starts_with("<svg ") && svg.contains("xmlns=\"http://www.w3.org/2000/svg\""));
        assert!(svg.contains("<style>") && svg.contains(".s0{color:"));
        assert!(!line_chart(&chart(false, false), &[]).contains("<style>"));
    }
}
