//! Path data in tenths of a unit, each point relative to the one before.

use std::fmt::Write as _;

/// Points in tenths.
#[allow(clippy::cast_possible_truncation, reason = "places on a chart")]
fn tenths(place: f64) -> i64 {
    (place * 10.0).round() as i64
}

/// A line.
pub(super) struct Drawn {
    /// The path of an SVG.
    pub(super) path: String,
    /// Points with a gap on both sides, which would not be seen.
    pub(super) alone: Vec<(f64, f64)>,
}

/// A line through the points; a gap where there is none.
pub(super) fn line(points: impl Iterator<Item = Option<(f64, f64)>>) -> Drawn {
    let (mut path, mut alone) = (String::new(), Vec::new());
    let mut stretch: Vec<(f64, f64)> = Vec::new();
    for point in points.chain([None]) {
        match (point, stretch.as_slice()) {
            (Some(point), _) => stretch.push(point),
            (None, []) => {}
            (None, [point]) => alone.push(*point),
            (None, points) => write_stretch(&mut path, points),
        }
        if point.is_none() {
            stretch.clear();
        }
    }
    Drawn { path, alone }
}

fn write_stretch(path: &mut String, points: &[(f64, f64)]) {
    let mut last = (0, 0);
    for (index, (x, y)) in points.iter().enumerate() {
        let here = (tenths(*x), tenths(*y));
        if index == 0 {
            path.push('M');
        } else if here == last {
            continue;
        } else if index == 1 {
            path.push('l');
        }
        pair(path, here.0 - last.0, here.1 - last.1);
        last = here;
    }
}

/// Two numbers with the shortest valid separator.
fn pair(path: &mut String, x: i64, y: i64) {
    if x >= 0 && path.ends_with(|c: char| c.is_ascii_digit()) {
        path.push(' ');
    }
    one(path, x);
    if y >= 0 {
        path.push(' ');
    }
    one(path, y);
}

fn one(path: &mut String, tenths: i64) {
    let size = tenths.unsigned_abs();
    path.push_str(if tenths < 0 { "-" } else { "" });
    let _ = match (size / 10, size % 10) {
        (whole, 0) => write!(path, "{whole}"),
        (0, part) => write!(path, ".{part}"),
        (whole, part) => write!(path, "{whole}.{part}"),
    };
}

/// Dots: strokes without length, which round ends make visible.
pub(super) fn dots(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        path.push('M');
        pair(&mut path, tenths(x), tenths(y));
        path.push_str("h0");
    }
    path
}

/// Upright bars from `base`: where each begins and ends along x, and how high it reaches.
pub(super) fn bars(base: f64, bars: impl Iterator<Item = (f64, f64, f64)>) -> String {
    let mut path = String::new();
    for (left, right, top) in bars {
        path.push('M');
        pair(&mut path, tenths(left), tenths(base));
        path.push('V');
        one(&mut path, tenths(top));
        path.push('H');
        one(&mut path, tenths(right));
        path.push('V');
        one(&mut path, tenths(base));
        path.push('z');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_part_a_line() {
        let points = [
            Some((0.0, 1.0)),
            Some((1.5, 0.5)),
            None,
            Some((3.0, 3.0)),
            None,
            Some((4.0, 0.0)),
            Some((5.0, 2.0)),
        ];
        let Drawn { path, alone } = line(points.into_iter());
        assert_eq!((path.as_str(), alone.as_slice()), ("M0 1l1.5-.5M4 0l1 2", &[(3.0, 3.0)][..]));
    }

    #[test]
    fn rounding_does_not_add_up() {
        let Drawn { path, .. } = line((0..1000).map(|index| Some((f64::from(index) * 0.14, 0.0))));
        let steps: f64 = path[1..].split(['l', ' ']).step_by(2).filter_map(|x| x.parse::<f64>().ok()).sum();
        assert!((steps - 139.9).abs() < 1e-6, "{steps}");
    }

    #[test]
    fn bars_and_dots_are_drawn_from_their_places() {
        assert_eq!(bars(10.0, [(0.0, 2.0, 4.5)].into_iter()), "M0 10V4.5H2V10z");
        assert_eq!(dots([(1.0, -2.0)].into_iter()), "M1-2h0");
    }
}
