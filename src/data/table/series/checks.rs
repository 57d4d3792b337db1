//! The options of a series, checked.

use super::TimeSeries;
use super::horizon::{MOST_ROWS, out_of_range};
use super::timeline::Timeline;
use crate::data::{Request, Task};
use crate::error::{Error, Result};
use crate::names::counted;

impl TimeSeries {
    /// Checks what needs no data.
    pub(super) fn check(&self, request: &Request<'_>) -> Result<()> {
        if request.task != Task::Values {
            return Err(Error::key(
                "loss.name",
                "is for classes, but a series has numeric targets; set it to `mse`",
            ));
        }
        let named = |name: &String| self.target.0.contains(name);
        if let Some(name) = self.group.0.iter().chain(&self.time).find(|name| named(name)) {
            let key = if self.time.as_ref() == Some(name) { "data.time" } else { "data.group" };
            return Err(Error::key(key, format!("is `{}`, which is a target too", name.escape_debug())));
        }
        let numbers = [("data.window", Some(self.window)), ("data.season_length", self.season_length)];
        for (key, value) in numbers {
            if let Some(value) = value.filter(|value| !(1..=MOST_ROWS).contains(value)) {
                return Err(Error::key(key, out_of_range(&value, 1)));
            }
        }
        if let Some(gap) = self.max_gap.filter(|gap| *gap > MOST_ROWS) {
            return Err(Error::key("data.max_gap", out_of_range(&gap, 0)));
        }
        self.horizon.check().map_err(|problem| Error::key("data.horizon", problem))
    }

    /// Checks that a season that is set is within a series.
    pub(super) fn check_season(&self, timeline: &Timeline, request: &Request<'_>) -> Result<()> {
        let longest = timeline.series().iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        let length = self.season_length.filter(|length| *length >= longest && request.fitted.is_none());
        length.map_or(Ok(()), |length| {
            let rows = counted(longest, "row");
            let problem = format!(
                "is {length}; a season is shorter than the series, which has {rows}: set fewer, or leave it out, and it is \
                 found"
            );
            Err(Error::key("data.season_length", problem))
        })
    }
}
