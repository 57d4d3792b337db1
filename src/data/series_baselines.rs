//! The errors of forecasts that need no network.

/// Mean absolute errors of simple forecasts for the windows of a split, one for each output, in the targets' own units.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesBaselines {
    /// The rows of a season; 1 where there is none, and the seasonal naive forecast is the naive one.
    pub season_length: usize,
    /// The last value goes on.
    pub naive: Vec<f64>,
    /// The value of the same time of the last season comes again.
    pub seasonal_naive: Vec<f64>,
    /// The last value goes on with the mean change from the first to it.
    pub drift: Vec<f64>,
}

impl SeriesBaselines {
    /// Each by its name in logs and reports.
    pub fn each(&self) -> [(&'static str, &[f64]); 3] {
        [("naive", &self.naive), ("seasonal_naive", &self.seasonal_naive), ("drift", &self.drift)]
    }
}
