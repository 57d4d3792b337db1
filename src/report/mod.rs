//! Reports on training runs: one HTML page without outside files, and single charts as SVG.
//!
//! Plain data comes in ([`Page`]), text goes out. Every chart is drawn here, so a page shows all of it without
//! JavaScript; the script in it only adds what a pointer and the arrow keys read.

mod data;
mod numbers;
mod page;
mod palette;
mod picture;
pub(crate) mod plot;
mod series;
mod text;

pub(crate) use data::{
    Calibrated, ClassReport, ClassSummary, ColumnImportance, Gradient, HistogramBin, Mistake, Page, Picture,
    Point, RankingCurves, RunData, SplitReport, TensorStats, ValueMistake, ValueReport,
};
pub(crate) use numbers::thousands;
pub(crate) use page::{curve_svg, html};
pub(crate) use series::{ErrorsByStep, SeriesReport, StepForecasts, TargetForecasts};
pub(crate) use text::{shorten, without_shared_folders};
