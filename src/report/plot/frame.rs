//! The axes that charts are drawn between.

use std::fmt::Write as _;

use super::scale::Scale;
use super::{Chart, draw, put};
use crate::stats::real;

/// Half of what a digit is wide.
const HALF_LETTER: f64 = 4.0;

/// A chart's size and the room around its axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    pub(super) width: f64,
    pub(super) height: f64,
    /// For the labels of ticks.
    pub(super) left: f64,
    /// For the names of lines.
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Room {
    /// The size of a chart that is about square.
    pub(super) const SQUARE: Self =
        Self { width: 340.0, height: 320.0, left: 54.0, right: 14.0, top: 26.0, bottom: 40.0 };
    /// The size of a chart of bars.
    pub(super) const FLAT: Self = Self { height: 260.0, width: 340.0, ..Self::SQUARE };
}

/// Two scales in their room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) room: Room,
    pub(super) x: Scale,
    pub(super) y: Scale,
}

impl Frame {
    pub(super) fn new(room: Room, x: Scale, y: Scale) -> Self {
        let x = x.between(room.left, room.width - room.right);
        Self { room, x, y: y.between(room.height - room.bottom, room.top) }
    }

    /// The position of a point; `None` if it cannot be drawn.
    pub(super) fn place(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        Some((self.x.place(x)?, self.y.place(y)?))
    }

    /// The axes with ticks and names, to be drawn below all else.
    pub(super) fn axes(&self, chart: &Chart) -> String {
        let (mut out, mut grid, mut marks) = (String::new(), String::new(), String::new());
        let (left, right, base) = (self.x.from, self.x.to, self.y.from);
        for (y, label) in self.y.ticks(if self.room.width > 400.0 { 7 } else { 5 }) {
            let _ = write!(grid, "M{left} {y:.1}H{right}");
            put(&mut out, "end", (left - 7.0, y + 4.0), &label);
        }
        let edge = self.room.width;
        let along = self.x.ticks(if self.room.width > 400.0 { 6 } else { 5 });
        for (x, label) in along {
            let _ = write!(marks, "M{x:.1} {base}v4");
            // A number at the edge of the paper would be cut.
            let outside = x + HALF_LETTER * real(label.chars().count()) > edge;
            let (class, at) = if outside { ("end", edge) } else { ("mid", x) };
            put(&mut out, class, (at, base + 17.0), &label);
        }
        let _ = write!(marks, "M{left} {base}H{right}");
        put(&mut out, "name", (2.0, 13.0), &chart.y);
        put(&mut out, "name end", (right, self.room.height - 5.0), &chart.x);
        let mut all = String::new();
        draw(&mut all, "grid", &grid);
        draw(&mut all, "axis", &marks);
        all + &out
    }

    /// The `<svg>` around what was drawn, with the scales for the script.
    pub(super) fn wrap(&self, chart: &Chart, body: &str) -> String {
        let Room { width, height, .. } = self.room;
        if chart.standalone {
            return chart.wrap((width, height), "", body);
        }
        let data = |scale: Scale| format!("{:e} {:e} {} {}", scale.low, scale.high, scale.from, scale.to);
        let log = u8::from(self.y.log);
        let mut attributes =
            format!(" data-x=\"{}\" data-y=\"{}\" data-log=\"{log}\"", data(self.x), data(self.y));
        // On a narrow page the names beside the lines are cut off.
        if self.room.right > Room::SQUARE.right {
            attributes.push_str(" data-named=\"\"");
        }
        chart.wrap((width, height), &attributes, body)
    }
}
