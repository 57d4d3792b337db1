//! The program as its users start it.

mod bad_images;
mod bad_input;
mod decision;
mod fetch;
mod metrics;
pub(crate) mod npz;
mod options;
mod report;
mod runs;
mod tables;
mod tools;
