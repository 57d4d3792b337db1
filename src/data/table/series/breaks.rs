//! Irregularities of a series that a user may not expect.

use std::path::Path;

use super::step::describe_days;
use super::timeline::Timeline;
use crate::data::table::read::quoted;
use crate::names::counted;

/// Where the rows of a series are not evenly spaced.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Breaks {
    /// Gaps that no window crosses.
    gaps: u64,
    longest: f64,
    /// The line behind the longest gap.
    line: u64,
    /// Places where rows are missing, and windows go on.
    crossed: u64,
    /// The most rows that are missing in one of these.
    most: usize,
    irregular: u64,
}

impl Timeline {
    /// Where the rows are not evenly spaced.
    pub(super) fn breaks(&self) -> Breaks {
        let mut breaks = Breaks::default();
        let Some(step) = self.step() else { return breaks };
        for own in self.steps() {
            let missing = step.missing_between(own.from, own.to);
            if missing > self.max_gap() {
                breaks.gaps += 1;
                if own.to - own.from > breaks.longest {
                    (breaks.longest, breaks.line) = (own.to - own.from, self.line(own.place));
                }
            } else if missing > 0 {
                breaks.crossed += 1;
                breaks.most = breaks.most.max(missing);
            } else if step.is_irregular(own.from, own.to) {
                breaks.irregular += 1;
            }
        }
        breaks
    }
}

impl Breaks {
    /// Logs them: as a warning where windows are lost.
    pub(super) fn log(&self, path: &Path, timeline: &Timeline) {
        let Self { gaps, longest, line, crossed, most, irregular } = self;
        let (Some(step), Some(column)) = (timeline.step(), timeline.column()) else { return };
        let is_dated = timeline.form().is_some();
        let first = format!(
            "{}: the time is {}, in steps of {}",
            path.display(),
            quoted(column),
            step.describe(is_dated)
        );
        let mut message = vec![first];
        if *gaps > 0 {
            let longest = if is_dated { describe_days(*longest) } else { longest.to_string() };
            let gaps = counted(*gaps, "gap");
            message.push(format!(
                "{gaps}, which no window crosses (the longest, {longest}, is before line {line})"
            ));
        }
        if *crossed > 0 {
            let (gaps, rows) = (counted(*crossed, "gap"), counted(*most, "missing row"));
            message.push(format!("{gaps} of up to {rows}, which windows cross"));
        }
        if *irregular > 0 {
            message.push(counted(*irregular, "irregular step"));
        }
        let message = message.join("; ");
        if *gaps > 0 {
            tracing::warn!(
                "{message}; `data.max_gap` is the most rows missing between two consecutive rows that windows cross"
            );
        } else if *irregular > 0 {
            let name = column.escape_debug().to_string();
            tracing::warn!(
                "{message}; `columns = {{ {name} = \"ignore\" }}`, and no `data.time`, takes rows as evenly spaced"
            );
        } else {
            tracing::info!("{message}");
        }
    }
}
