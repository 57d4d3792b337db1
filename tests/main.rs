//! The integration tests, in one binary: the library against PyTorch's golden files and finite differences, the
//! program as a user starts it, and the house's import order.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cli;
mod common;
mod configs;
#[cfg(feature = "cuda")]
mod cuda;
mod durability;
mod golden;
mod gradcheck;
mod init;
mod layering;
mod library;
mod metrics;
#[cfg(feature = "mpi")]
mod mpi;
mod parquet_files;
mod run;
mod schema;
mod splits;
mod training;
