//! The names of lines: at their ends, or in a legend below.

use std::fmt::Write as _;

use super::frame::Frame;
use super::{LINE_HEIGHT, draw, put, row};
use crate::report::palette::classes;
use crate::report::text::{shorten, without_shared_folders};
use crate::stats::real;

/// The most names that fit beside a chart.
pub(super) const MOST: usize = 12;
/// The room for them, and the letters that fill it.
pub(super) const ROOM: f64 = 124.0;
const LETTERS: usize = 16;
/// The columns of a legend, and their letters.
const COLUMNS: usize = 3;
const COLUMN_LETTERS: usize = 22;

/// The end of a line: its series, its name, and its last point.
pub(super) type LineEnd<'a> = (usize, &'a str, (f64, f64));

/// Names beside the ends of their lines, moved apart as far as they must be.
pub(super) fn at_ends(frame: &Frame, ends: &mut [LineEnd]) -> String {
    ends.sort_by(|a, b| a.2.1.total_cmp(&b.2.1));
    let places = apart(ends.iter().map(|end| end.2.1).collect(), (frame.y.to, frame.y.from));
    let mut out = String::new();
    let names = without_shared_folders(&ends.iter().map(|end| end.1).collect::<Vec<_>>());
    for (((series, _, (x, y)), name), place) in ends.iter().zip(names).zip(places) {
        let classes = classes(*series);
        let colour = classes.split(' ').next().unwrap_or_default();
        let edge = frame.x.to;
        let leader = format!("M{x:.1} {y:.1}L{:.1} {place:.1}h5", edge + 4.0);
        draw(&mut out, &format!("ends {colour}"), &leader);
        put(&mut out, &format!("label {colour}"), (edge + 12.0, place + 4.0), &shorten(name, LETTERS));
    }
    out
}

/// Sorted places pushed apart by a line of text, within limits where there is room.
fn apart(mut places: Vec<f64>, (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut least = top;
    for place in &mut places {
        *place = place.max(least);
        least = *place + LINE_HEIGHT;
    }
    let mut most = bottom;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - LINE_HEIGHT;
    }
    places
}

/// The height of a legend with this number of names.
pub(super) fn legend_height(names: usize) -> f64 {
    real(names.div_ceil(COLUMNS)) * LINE_HEIGHT + 8.0
}

/// A sample of each line with its name, in columns below a chart.
pub(super) fn legend(frame: &Frame, names: &[(usize, &str)]) -> String {
    let rows = names.len().div_ceil(COLUMNS).max(1);
    let mut out = String::new();
    let short = without_shared_folders(&names.iter().map(|(_, name)| *name).collect::<Vec<_>>());
    for (index, ((series, _), name)) in names.iter().zip(short).enumerate() {
        let x = real(index / rows) * (frame.room.width / real(COLUMNS));
        let y = row(frame.room.height + 16.0, index % rows);
        let classes = classes(*series);
        let _ = write!(out, "<path class=\"line {classes}\" d=\"M{x:.1} {:.1}h26\"/>", y - 4.0);
        put(&mut out, "name", (x + 32.0, y), &shorten(name, COLUMN_LETTERS));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_overlap() {
        for places in [vec![50.0, 50.0, 51.0], vec![199.0, 200.0, 200.0], vec![10.0, 100.0, 190.0]] {
            let moved = apart(places, (10.0, 200.0));
            assert!(moved.windows(2).all(|pair| pair[1] - pair[0] >= LINE_HEIGHT - 1e-9), "{moved:?}");
            assert!(moved.iter().all(|place| (10.0..=200.0).contains(place)), "{moved:?}");
        }
        assert_eq!(apart(vec![10.0, 100.0], (10.0, 200.0)), [10.0, 100.0]);
    }
}
