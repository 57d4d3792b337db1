//! Forecasts that need no network, and their errors: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice",
//! 5.2, <https://otexts.com/fpp3/simple-methods.html>.

use std::ops::Range;

use super::rows::SeriesRows;
use super::season::season_length;
use super::windows::PartWindows;
use crate::data::SeriesBaselines;
use crate::data::split::Part;
use crate::stats::real;

/// The values of a target up to a row, which follow each other; NaN where one is missing.
struct PastTargets<'a> {
    series: &'a SeriesRows,
    target: usize,
    places: Range<usize>,
}

/// A target that is not missing.
struct KnownTarget {
    place: usize,
    value: f64,
}

impl PastTargets<'_> {
    /// The last known value at these places, with its place; the latest first.
    fn last_of(&self, places: impl Iterator<Item = usize>) -> Option<KnownTarget> {
        let known = |place: usize| KnownTarget { place, value: self.series.targets_at(place)[self.target] };
        places.map(known).find(|known| !known.value.is_nan())
    }

    /// The forecasts `step` rows ahead: the last value, the last one of the same season, and the last one plus the mean
    /// change so far.
    fn forecasts(&self, step: usize, season: usize) -> Option<[f64; 3]> {
        let KnownTarget { place: last, value: naive } = self.last_of(self.places.clone().rev())?;
        let KnownTarget { place: first, value: start } = self.last_of(self.places.clone())?;
        let back = season * step.div_ceil(season);
        let same = (self.places.end - 1 + step).checked_sub(back).filter(|same| self.places.contains(same));
        let seasons = same.into_iter().flat_map(|same| (self.places.start..=same).rev().step_by(season));
        let seasonal = self.last_of(seasons).map_or(naive, |known| known.value);
        let slope = if last > first { (naive - start) / real(last - first) } else { 0.0 };
        let ahead = real(self.places.end - 1 + step - last);
        Some([naive, seasonal, naive + slope * ahead])
    }
}

impl SeriesRows {
    /// The number of rows of a season, by the autocorrelation of the targets of the rows that are trained on.
    pub(super) fn season_length(&self, parts: &[Part]) -> Option<usize> {
        let mut trained: Vec<Range<usize>> = Vec::new();
        for run in self.timeline().runs() {
            let mut start = run.start;
            for same in parts[run.clone()].chunk_by(|a, b| a == b) {
                trained.extend((same[0] == Part::Train).then(|| start..start + same.len()));
                start += same.len();
            }
        }
        let of_target = |target: usize| {
            let values = move |places: &Range<usize>| -> Vec<f64> {
                places.clone().map(|place| self.targets_at(place)[target]).collect()
            };
            trained.iter().map(values)
        };
        season_length(&(0..self.outputs()).flat_map(of_target).collect::<Vec<_>>())
    }

    /// The errors of the baselines for the windows of a part, each from all rows up to its last that follow each other.
    pub(super) fn baselines(&self, of: PartWindows<'_>, season: usize) -> SeriesBaselines {
        let shape = of.shape;
        let outputs = self.outputs() * shape.steps.len();
        let mut sums = [vec![0.0; outputs], vec![0.0; outputs], vec![0.0; outputs]];
        let ends = self.ends_of(of);
        let mut runs = self.timeline().runs().iter().peekable();
        for end in &ends {
            while runs.next_if(|run| run.end <= *end).is_some() {}
            let start = runs.peek().map_or(*end, |run| run.start);
            for (number, step) in shape.steps.iter().enumerate() {
                for target in 0..self.outputs() {
                    let history = PastTargets { series: self, target, places: start..end + 1 };
                    let Some(forecasts) = history.forecasts(*step, season) else { continue };
                    let actual = self.targets_at(end + step)[target];
                    for (sums, forecast) in sums.iter_mut().zip(forecasts) {
                        sums[number * self.outputs() + target] += (actual - forecast).abs();
                    }
                }
            }
        }
        let windows = real(ends.len());
        let [naive, seasonal_naive, drift] =
            sums.map(|sums| sums.into_iter().map(|sum| sum / windows).collect());
        SeriesBaselines { season_length: season, naive, seasonal_naive, drift }
    }
}
