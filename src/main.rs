//! The program: parse, run, print the error, exit code.

use std::process::ExitCode;

/// Large temporaries come and go in every update; this allocator keeps their pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    descent::cli::run()
}
