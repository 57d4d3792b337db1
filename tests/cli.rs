//! The program as its users start it.

mod bad_images;
mod bad_input;
mod bag;
mod calibration;
mod compare;
mod decision;
mod diagnostics;
mod export;
mod export_series;
mod fetch;
mod folders;
mod given_up;
mod init;
mod init_refused;
mod initial_weights;
#[cfg(not(feature = "mpi"))]
mod launched;
mod metrics;
mod moved;
mod multi_run;
pub(crate) mod npz;
mod npz_rows;
mod options;
mod own_files;
mod parts;
mod predict_keys;
mod refused_memory;
mod report;
mod runs;
mod schedules;
mod skipped;
mod special_files;
mod tables;
mod tools;
mod verify;
mod ways_out;
mod words;
