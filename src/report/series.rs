//! The data of a report on a series. Names are escaped when the page is written.

/// Forecasts of a series beside what came, and their errors.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeriesReport {
    /// The time of the first window's forecast, and of the last one's; may be empty.
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) targets: Vec<TargetForecasts>,
}

/// The forecasts of one target.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetForecasts {
    pub(crate) name: String,
    /// The actual values, `(place, value)`, where places count the rows of the split.
    pub(crate) actual: Vec<(f64, f64)>,
    /// The forecasts of some steps.
    pub(crate) forecasts: Vec<StepForecasts>,
    /// The mean absolute errors of the network, then of each baseline.
    pub(crate) errors: Vec<ErrorsByStep>,
}

/// The forecasts of a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepForecasts {
    /// The rows between the window and them, plus one.
    pub(crate) ahead: usize,
    /// As the actual values.
    pub(crate) points: Vec<(f64, f64)>,
}

/// The mean absolute error of a forecast at each step.
#[derive(Debug, Clone, Default)]
pub(crate) struct ErrorsByStep {
    /// Who made it.
    pub(crate) name: String,
    /// `(step, error)`
    pub(crate) points: Vec<(f64, f64)>,
}
