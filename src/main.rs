//! The program: parse, run, print the error, exit code.

use std::process::ExitCode;

/// Large temporaries come and go in every update; this allocator keeps their pages.
#[global_allocator]
static ALLOCATOR: descent::kernels::allocator::Allocator = descent::kernels::allocator::Allocator;

fn main() -> ExitCode {
    descent::cli::run()
}
