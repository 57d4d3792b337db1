//! Predicted over actual numbers.

use super::frame::{Frame, Room};
use super::scale::Scale;
use super::{Chart, draw, path};
use crate::stats::real;

/// More points than this add nothing to see.
const MOST: usize = 2000;

/// A cloud of points over equal axes, with the line on which both are the same.
pub(crate) fn scatter(chart: &Chart, points: &[(f64, f64)]) -> String {
    let every = points.len().div_ceil(MOST).max(1);
    let points: Vec<_> = points.iter().step_by(every).copied().collect();
    let both = points.iter().filter(|(x, y)| x.is_finite() && y.is_finite()).flat_map(|(x, y)| [*x, *y]);
    let scale = Scale::over(both, false, 0.04);
    let frame = Frame::new(Room::SQUARE, scale, scale);
    let mut body = frame.axes(chart);
    let Frame { x, y, .. } = frame;
    draw(&mut body, "even", &format!("M{} {}L{} {}", x.from, y.from, x.to, y.to));
    let dots = path::dots(points.iter().filter_map(|point| frame.place(*point)));
    // Many points must not become one blot.
    let class = if real(points.len()) > 400.0 { "cloud fine s0" } else { "cloud s0" };
    draw(&mut body, class, &dots);
    frame.wrap(chart, &body)
}

#[cfg(test)]
mod tests {
    use super::super::tests::well_formed;
    use super::*;

    #[test]
    fn a_cloud_has_a_dot_a_point_that_can_be_drawn() {
        let points = [(1.0, 2.0), (f64::NAN, 1.0), (3.0, f64::INFINITY), (2.0, 2.0)];
        let svg = scatter(&Chart::default(), &points);
        assert!(well_formed(&svg));
        assert_eq!(svg.matches("h0").count(), 2);
        assert!(scatter(&Chart::default(), &vec![(0.0, 1.0); 9000]).matches("h0").count() <= MOST);
        assert!(well_formed(&scatter(&Chart::default(), &[])));
    }
}
