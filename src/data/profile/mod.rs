//! Profiles of data that nobody has described yet: tables and series, folders of pictures, arrays.

mod arrays;
mod pictures;

pub use super::table::profile::{
    CellReading, ColumnProfile, DateRange, GivenReading, KindSetting, Leak, MissingWord, NameCount,
    NumberRange, Remedy, Sentinel, TableProfile, likely_target,
};
pub use super::table::series::detect::{RepeatedTime, broken_dates, detect as detect_series, repeated_time};
pub use super::table::series::profile::{SeriesProfile, SplitShares, WindowRows};
pub use arrays::{ArrayTargets, ArraysProfile};
pub use pictures::PicturesProfile;

pub(crate) use super::mnist::{has_idx_files, idx_pictures};
