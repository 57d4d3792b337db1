//! The places in the calendar that are worth features of their own.

use crate::data::profile::{DateRange, SeriesProfile};
use crate::stats::real;

/// A circle of the calendar.
struct Circle {
    name: &'static str,
    /// The longest step with several rows on it, and how long a series is that goes round it more than once, in days.
    step: f64,
    least: f64,
}

const HOUR: &str = "hour";
const MONTH: &str = "month";

const CIRCLES: [Circle; 3] = [
    Circle { name: HOUR, step: 0.5, least: 2.0 },
    Circle { name: "weekday", step: 3.0, least: 21.0 },
    Circle { name: MONTH, step: 184.0, least: 700.0 },
];

/// The circles of the calendar that a series goes round more than once, with several rows on each. A window with a whole
/// year of rows shows the months by itself.
pub(super) fn of_series(series: &SeriesProfile, window: usize) -> Vec<&'static str> {
    let (Some(step), span) = (series.days(), series.span()) else { return Vec::new() };
    let is_shown = |circle: &Circle| circle.name == MONTH && real(window) * step >= 360.0;
    let fits = |circle: &&Circle| span >= circle.least && step <= circle.step && !is_shown(circle);
    CIRCLES.iter().filter(fits).map(|circle| circle.name).collect()
}

/// The circles that one of a table's columns of dates goes round more than once; that of the day where dates have times.
pub(super) fn of_dates(columns: &[DateRange]) -> Vec<&'static str> {
    let goes_round = |circle: &Circle, range: &DateRange| {
        range.days() >= circle.least && (circle.name != HOUR || range.has_times)
    };
    let fits = |circle: &&Circle| columns.iter().any(|range| goes_round(circle, range));
    CIRCLES.iter().filter(fits).map(|circle| circle.name).collect()
}
