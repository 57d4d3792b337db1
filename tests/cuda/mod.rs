//! The binary with the feature `cuda`: on a machine without a driver, with one that finds no GPU, and, where there is a
//! GPU, real or emulated, beside the CPU. `make cuda-check` runs what needs none, `make cuda-test` the rest.

mod absent;
mod present;
