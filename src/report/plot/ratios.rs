//! Curves of one ratio over another in the unit square: ROC and precision-recall.

use super::frame::{Frame, Room};
use super::scale::Scale;
use super::{Chart, draw, path};
use crate::report::palette::classes;

/// The curve of guessing.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Guessing {
    /// The diagonal.
    Diagonal,
    /// This height.
    Height(f64),
}

/// Curves of a ratio over another, both from 0 to 1, and the line of guessing where it is one for all.
pub(crate) fn ratios(chart: &Chart, curves: &[&[(f64, f64)]], guessing: Option<Guessing>) -> String {
    let unit = Scale::over([0.0, 1.0].into_iter(), false, 0.0);
    let frame = Frame::new(Room::SQUARE, unit, unit);
    let mut body = frame.axes(chart);
    let Frame { x, y, .. } = frame;
    match guessing {
        Some(Guessing::Diagonal) => {
            draw(&mut body, "even", &format!("M{} {}L{} {}", x.from, y.from, x.to, y.to));
        }
        Some(Guessing::Height(share)) => {
            let at = y.place(share).unwrap_or(y.from);
            draw(&mut body, "even", &format!("M{} {at:.1}H{}", x.from, x.to));
        }
        None => {}
    }
    for (series, curve) in curves.iter().enumerate() {
        let line = path::line(curve.iter().map(|point| frame.place(*point))).path;
        draw(&mut body, &format!("line {}", classes(series)), &line);
    }
    frame.wrap(chart, &body)
}
