//! Reliability diagrams: accuracy over confidence. Morris H. `DeGroot` and Stephen E.
//! Fienberg, "The comparison and evaluation of forecasters" (1983); the form is that of Guo et al., "On calibration
//! of modern neural networks" (2017).

use std::fmt::Write as _;

use super::frame::{Frame, Room};
use super::scale::Scale;
use super::{Chart, draw, path};
use crate::report::data::Calibrated;

/// The fraction of the height for the number of rows in each bin.
const COUNTS: f64 = 0.18;

/// Accuracy over confidence, a dot a bin with its distance from the line of the perfectly calibrated, and below how
/// many rows each bin has.
pub(crate) fn reliability(chart: &Chart, bins: &[Calibrated]) -> String {
    let unit = Scale::over([0.0, 1.0].into_iter(), false, 0.0);
    let frame = Frame::new(Room::SQUARE, unit, unit);
    let mut body = frame.axes(chart);
    let Frame { x, y, .. } = frame;
    let shares = 0.0..=1.0;
    let full = |bin: &&Calibrated| {
        bin.count > 0.0 && shares.contains(&bin.confidence) && shares.contains(&bin.accuracy)
    };
    let bins: Vec<&Calibrated> = bins.iter().filter(full).collect();
    let most = bins.iter().map(|bin| bin.count).fold(0.0, f64::max);
    let place = |bin: &Calibrated| frame.place((bin.confidence, bin.accuracy));
    let bar = |bin: &&Calibrated| {
        let height = bin.count / most * COUNTS;
        Some((x.place(bin.confidence)?, y.place(height)?))
    };
    let counts = bins.iter().filter_map(bar).map(|(x, y)| (x - 4.0, x + 4.0, y));
    draw(&mut body, "bar counts", &path::bars(y.from, counts));
    draw(&mut body, "even", &format!("M{} {}L{} {}", x.from, y.from, x.to, y.to));
    let mut gaps = String::new();
    for (bin, (x, right)) in bins.iter().filter_map(|bin| Some((bin, place(bin)?))) {
        let even = y.place(bin.confidence).unwrap_or(right);
        let _ = write!(gaps, "M{x:.1} {even:.1}V{right:.1}");
    }
    draw(&mut body, "line s1", &gaps);
    draw(&mut body, "line s0", &path::line(bins.iter().map(|bin| place(bin))).path);
    draw(&mut body, "cloud solid s0", &path::dots(bins.iter().filter_map(|bin| place(bin))));
    frame.wrap(chart, &body)
}

/// The expected calibration error: the mean distance of accuracy and confidence, by rows; none without rows.
pub(crate) fn expected_error(bins: &[Calibrated]) -> Option<f64> {
    let rows: f64 = bins.iter().map(|bin| bin.count).sum();
    let full = bins.iter().filter(|bin| bin.count > 0.0);
    let error: f64 = full.map(|bin| bin.count * (bin.accuracy - bin.confidence).abs()).sum();
    (rows > 0.0).then_some(error / rows)
}

#[cfg(test)]
mod tests {
    use super::super::tests::well_formed;
    use super::*;

    fn bin(confidence: f64, accuracy: f64, count: u32) -> Calibrated {
        Calibrated { confidence, accuracy, count: f64::from(count) }
    }

    #[test]
    fn empty_and_odd_bins_are_left_out() {
        let bins = [bin(0.2, 0.1, 4), bin(f64::NAN, f64::NAN, 0), bin(0.5, 2.0, 1), bin(0.9, 0.8, 16)];
        let svg = reliability(&Chart::default(), &bins);
        assert!(well_formed(&svg) && !svg.contains("NaN"));
        assert_eq!(svg.matches("h0").count(), 2);
        assert!(well_formed(&reliability(&Chart::default(), &[])));
    }

    #[test]
    fn the_error_is_weighted_by_rows() {
        let error = expected_error(&[bin(0.2, 0.1, 1), bin(f64::NAN, f64::NAN, 0), bin(0.9, 0.7, 3)]);
        assert!((error.unwrap() - 0.175).abs() < 1e-12);
        assert_eq!(expected_error(&[]), None);
    }
}
