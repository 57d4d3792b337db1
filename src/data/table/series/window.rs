//! The shape of a window and its targets.

use std::num::NonZeroU32;
use std::ops::Range;
use std::path::Path;

use crate::data::RowUse;
use crate::error::Error;
use crate::names::counted;

/// The place behind the last row of a window, in four bytes: a file has one for each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowEnd(NonZeroU32);

impl WindowEnd {
    /// The end of the rows before this place; nothing at place 0, and beyond 2³² rows.
    pub(super) fn before(place: usize) -> Option<Self> {
        u32::try_from(place).ok().and_then(NonZeroU32::new).map(Self)
    }

    /// The places of the last `window` rows before it.
    pub fn places(self, window: usize) -> Range<usize> {
        let end = self.0.get() as usize;
        end.saturating_sub(window)..end
    }
}

/// The rows of a window, and which of those after it are predicted.
#[derive(Debug, Clone, Copy)]
pub(super) struct WindowShape<'a> {
    pub(super) window: usize,
    /// Counted from 1, in order.
    pub(super) steps: &'a [usize],
}

impl WindowShape<'_> {
    /// The rows that a window and its targets take.
    pub(super) fn rows(self) -> usize {
        self.window + self.reach()
    }

    /// How many rows after the window the last target is.
    pub(super) fn reach(self) -> usize {
        self.steps.last().copied().unwrap_or(1)
    }

    /// The error for a file of too few rows.
    pub(super) fn too_short(self, path: &Path, rows: usize, row_use: RowUse) -> Error {
        let (window, horizon) = (self.window, self.reach());
        let problem = format!(
            "{} {row_use} {} too few for a window of {} and a target {} ahead",
            counted(rows, "row"),
            if rows == 1 { "is" } else { "are" },
            counted(window, "row"),
            counted(horizon, "row")
        );
        Error::data(path, problem)
    }

    /// The problem with rows that have no window.
    pub(super) fn broken(self) -> String {
        let (window, horizon) = (self.window, self.reach());
        format!(
            "no {} follow each other without a gap, which a window of {} and a target {} ahead take; \
             make `data.window` smaller, set `data.max_gap` to the number of missing rows that a window may cross, or set the \
             column of the time to \"ignore\" in `[data.columns]`, so that the rows count as evenly spaced",
            self.rows(),
            counted(window, "row"),
            counted(horizon, "row")
        )
    }
}
