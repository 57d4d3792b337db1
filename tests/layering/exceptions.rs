//! What does not keep to the rules, each with the reason. Remove entries, add none without one.

/// Imports from a room that stands above: `FROM -> TO`.
pub(super) const UPWARD: &[&str] = &[];

/// Files that are part of a cycle of imports.
pub(super) const CYCLIC: &[&str] = &[];

/// Files that are too long.
pub(super) const LONG_FILES: &[&str] = &[];

/// Functions that are too long: `FILE NAME`.
pub(super) const LONG_FUNCTIONS: &[&str] = &[];

/// Functions that take or give a tuple of unlike things: `FILE NAME`.
pub(super) const TUPLES: &[&str] = &[
    // A step to write and another to read, of one buffer, as `split_at_mut` gives them.
    "src/kernels/recurrent/rows.rs two",
    // As `Iterator` has it.
    "src/trainer/update_rows.rs size_hint",
];

/// Files of the kernels with `unsafe` code; no other file has any.
pub(super) const UNSAFE_FILES: &[&str] = &[
    "allocator.rs",
    "gemm.rs",
    "gemm/job.rs",
    "buffers.rs",
    "team/jobs.rs",
    "cuda/devices.rs",
    "cuda/host.rs",
    "cuda/launch.rs",
    "cuda/libraries.rs",
];
