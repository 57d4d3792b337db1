//! The window, the horizon and the splits of a series, by its calendar and its length.

use crate::data::profile::{SeriesProfile, SplitShares, WindowRows};

/// The fewest windows of a split.
const LEAST_WINDOWS: usize = 3;
/// The shares that are held out, and those of a series that is short for its calendar.
const SHARES: [SplitShares; 2] =
    [SplitShares { test: 0.2, validation: 0.15 }, SplitShares { test: 0.25, validation: 0.25 }];
/// The fraction of the windows that there would be without gaps that is enough to set no `max_gap`.
const ENOUGH_WINDOWS: f64 = 0.5;
/// The fraction of them that a `max_gap` has to leave.
const ENOUGH_WINDOWS_ACROSS: f64 = 0.8;

/// The window, the horizon and the held-out rows of a series, with the reasons.
#[derive(Debug)]
pub(super) struct SeriesPlan<'a> {
    pub(super) series: &'a SeriesProfile,
    pub(super) rows: WindowRows,
    pub(super) why_window: String,
    pub(super) why_horizon: String,
    pub(super) shares: SplitShares,
    /// The most rows that may be missing between two consecutive rows, where it has to be set.
    pub(super) max_gap: Option<usize>,
}

/// The window and the horizon that the calendar suggests.
struct Natural {
    rows: WindowRows,
    window: &'static str,
    horizon: &'static str,
}

impl Natural {
    fn new(rows: WindowRows, window: &'static str, horizon: &'static str) -> Self {
        Self { rows, window, horizon }
    }

    /// By the usual step.
    fn of(series: &SeriesProfile) -> Self {
        let each = "as many rows as may matter";
        if let Some(months) = series.months() {
            return match months {
                1 => Self::new(rows(24, 12), "two years", "a year"),
                2..=4 => {
                    let year = usize::try_from(12 / months).unwrap_or(3);
                    Self::new(rows(3 * year, year), "three years", "a year")
                }
                _ => Self::new(rows(10, 1), each, "the next row"),
            };
        }
        if let Some(days) = series.days_a_week() {
            return Self::new(rows(4 * days, days), "four weeks", "a week of the days that have rows");
        }
        match series.days() {
            Some(days) if days < 0.9 => Self::within_a_day(series, days),
            Some(days) if days < 4.0 => {
                let week = ratio(7.0, days);
                Self::new(rows(4 * week, week), "four weeks", "a week")
            }
            Some(days) if days < 20.0 => Self::new(
                rows(ratio(182.0, days), ratio(28.0, days)),
                "half a year",
                "four weeks; 52 for a year of weeks",
            ),
            Some(days) if days < 200.0 => {
                Self::new(rows(ratio(730.0, days), ratio(365.0, days)), "two years", "a year")
            }
            Some(_) => Self::new(rows(10, 1), each, "the next row"),
            None => Self::new(rows(24, 1), each, "the next row"),
        }
    }

    /// Of several rows a day.
    fn within_a_day(series: &SeriesProfile, days: f64) -> Self {
        let day = ratio(1.0, days).min(series.rows_a_day()).max(2);
        let (hour, minute) = (ratio(1.0 / 24.0, days), ratio(1.0 / 1440.0, days));
        match day {
            2..=24 => Self::new(rows(7 * day, day), "seven days with rows", "a day"),
            25..=144 => Self::new(rows(2 * day, day), "two days with rows", "a day"),
            _ if hour > 1 && hour <= 120 => {
                Self::new(rows(2 * hour.max(30), hour), "the last hours", "an hour")
            }
            _ if minute > 1 && minute <= 120 => {
                Self::new(rows(2 * minute.max(30), minute), "the last minutes", "a minute")
            }
            _ => Self::new(rows(120, 60), "as much as is practical", "as much as is practical"),
        }
    }
}

/// A window and the horizon behind it.
fn rows(window: usize, horizon: usize) -> WindowRows {
    WindowRows { window, horizon }
}

/// The rows of a length of time.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
fn ratio(length: f64, days: f64) -> usize {
    (length / days).round().clamp(1.0, 1e6) as usize
}

impl<'a> SeriesPlan<'a> {
    /// The plan for a series: what its calendar suggests, as far as every split has room for it. Nothing where a split has no
    /// room for any window.
    pub(super) fn of(series: &'a SeriesProfile) -> Option<Self> {
        let natural = Natural::of(series);
        let FittedWindows { rows, shares } = fitting(series, natural.rows)?;
        let max_gap = max_gap(series, rows, shares);
        let crossed = max_gap.unwrap_or(series.usual_gap());
        if series.windows(shares, rows, Some(crossed)).contains(&0) {
            return None;
        }
        let short = "as many rows as the splits have room for";
        let why = |is_whole: bool, own: &str| if is_whole { own.to_owned() } else { short.to_owned() };
        Some(Self {
            series,
            rows,
            why_window: why(rows.window == natural.rows.window, natural.window),
            why_horizon: format!(
                "the rows after these that are predicted: {}",
                why(rows.horizon == natural.rows.horizon, natural.horizon)
            ),
            shares,
            max_gap,
        })
    }
}

/// A window and a horizon that every split has room for.
struct FittedWindows {
    rows: WindowRows,
    shares: SplitShares,
}

/// The longest horizon, and behind it window, up to these, of which every split has some windows.
fn fitting(series: &SeriesProfile, most: WindowRows) -> Option<FittedWindows> {
    let fits = |rows: WindowRows, shares: SplitShares| {
        series.windows(shares, rows, None).iter().all(|windows| *windows >= LEAST_WINDOWS)
    };
    let longest = |horizon: usize, least: usize, shares: SplitShares| {
        let least = least.min(most.window);
        // The largest that fits, by halves: what fits is no longer than what does not.
        let of = |window: usize| WindowRows { window, horizon };
        if !fits(of(least), shares) {
            return None;
        }
        let (mut good, mut bad) = (least, most.window + 1);
        while bad - good > 1 {
            let middle = usize::midpoint(good, bad);
            if fits(of(middle), shares) { good = middle } else { bad = middle }
        }
        Some(FittedWindows { rows: of(good), shares })
    };
    let [usual, wide] = SHARES;
    let horizon = most.horizon;
    longest(horizon, horizon.max(most.window / 2), usual)
        .or_else(|| longest(horizon, (horizon / 2).max(2), wide))
        .or_else(|| (1..horizon).rev().find_map(|horizon| longest(horizon, horizon.max(2), wide)))
        .or_else(|| longest(1, 1, wide))
}

/// The gaps that windows have to cross so that there are enough of them; nothing where there are.
fn max_gap(series: &SeriesProfile, rows: WindowRows, shares: SplitShares) -> Option<usize> {
    let all = series.windows(shares, rows, None);
    let is_enough = |max_gap: usize, share: f64| {
        #[allow(clippy::cast_precision_loss, reason = "counts of rows")]
        let enough = |(own, all): (&usize, &usize)| *own > 0 && *own as f64 >= share * *all as f64;
        series.windows(shares, rows, Some(max_gap)).iter().zip(&all).all(enough)
    };
    if is_enough(series.usual_gap(), ENOUGH_WINDOWS) {
        return None;
    }
    series.gaps().into_iter().find(|gap| is_enough(*gap, ENOUGH_WINDOWS_ACROSS))
}
