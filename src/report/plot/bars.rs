//! Histograms, with axes and without.

use super::frame::{Frame, Room};
use super::scale::Scale;
use super::{Chart, draw, path};
use crate::report::data::HistogramBin;
use crate::report::numbers::real64;

/// The size of a histogram in a row of a table.
const SMALL: (f64, f64) = (120.0, 26.0);

/// A histogram; a bar's height is its number of rows, divided by its width if the widths differ.
pub(crate) fn bar_chart(chart: &Chart, bins: &[HistogramBin]) -> String {
    let bins = heights(bins);
    let x = Scale::over(bins.iter().flat_map(|bin| [bin.0, bin.1]), false, 0.0);
    let y = Scale::over(bins.iter().map(|bin| bin.2).chain([0.0]), false, 0.04);
    let frame = Frame::new(Room::FLAT, x, y);
    let mut body = frame.axes(chart);
    draw(&mut body, "bar s0", &shapes(&bins, x.between(frame.x.from, frame.x.to), frame.y));
    frame.wrap(chart, &body)
}

/// The same without axes, as high as a line of text.
pub(crate) fn sparkline(chart: &Chart, bins: &[HistogramBin]) -> String {
    let bins = heights(bins);
    let x = Scale::over(bins.iter().flat_map(|bin| [bin.0, bin.1]), false, 0.0).between(0.0, SMALL.0);
    let top = Scale::over(bins.iter().map(|bin| bin.2).chain([0.0]), false, 0.0).between(SMALL.1 - 1.0, 1.0);
    let mut body = String::new();
    draw(&mut body, "bar s0", &shapes(&bins, x, top));
    draw(&mut body, "axis", &format!("M0 {0}H{1}", SMALL.1 - 0.5, SMALL.0));
    chart.wrap(SMALL, "", &body)
}

/// Left, right and height of the bins that can be drawn. Equal widths, up to rounding, leave the counts as they are.
fn heights(bins: &[HistogramBin]) -> Vec<(f64, f64, f64)> {
    let drawn = |bin: &&HistogramBin| bin.left.is_finite() && bin.right.is_finite() && bin.right > bin.left;
    let width = |bin: &HistogramBin| bin.right - bin.left;
    let bins: Vec<&HistogramBin> = bins.iter().filter(drawn).collect();
    let widest = bins.iter().map(|bin| width(bin)).fold(0.0, f64::max);
    let equal = bins.iter().all(|bin| width(bin) > 0.99 * widest);
    let height = |bin: &HistogramBin| real64(bin.count) / if equal { 1.0 } else { width(bin) };
    bins.into_iter().map(|bin| (bin.left, bin.right, height(bin))).collect()
}

fn shapes(bins: &[(f64, f64, f64)], x: Scale, y: Scale) -> String {
    let base = y.place(0.0).unwrap_or(y.from);
    let bars = bins.iter().filter(|bin| bin.2 > 0.0);
    path::bars(
        base,
        bars.filter_map(|(left, right, height)| Some((x.place(*left)?, x.place(*right)?, y.place(*height)?))),
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::well_formed;
    use super::*;

    fn bin(left: f64, right: f64, count: u64) -> HistogramBin {
        HistogramBin { left, right, count }
    }

    #[test]
    fn bins_of_different_widths_show_density() {
        assert_eq!(heights(&[bin(0.0, 1.0, 4), bin(1.0, 3.0, 4)]), [(0.0, 1.0, 4.0), (1.0, 3.0, 2.0)]);
        assert_eq!(heights(&[bin(0.0, 0.1, 4), bin(0.1, 0.2, 6)])[1], (0.1, 0.2, 6.0));
    }

    #[test]
    fn odd_bins_are_left_out() {
        let bins = [bin(f64::NAN, 1.0, 1), bin(1.0, 1.0, 9), bin(2.0, f64::INFINITY, 3), bin(0.0, 1.0, 0)];
        for svg in [bar_chart(&Chart::default(), &bins), sparkline(&Chart::default(), &bins)] {
            assert!(well_formed(&svg) && !svg.contains("class=\"bar"), "{svg}");
        }
        assert_eq!(
            sparkline(&Chart::default(), &[bin(0.0, 1.0, 1), bin(1.0, 2.0, 2)]).matches('z').count(),
            2
        );
    }
}
