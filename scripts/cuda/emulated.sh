#!/usr/bin/env bash
# The tests of a GPU, on an emulated one that is built in the folder $1 (tests/cuda/emulator).
set -euo pipefail
cd "$(dirname "$0")/../.."
tests/cuda/emulator/build.sh "$1"
export NVCC="${NVCC:-$PWD/scripts/cuda/nvcc-fast.sh}" LD_LIBRARY_PATH="$1" DESCENT_TEST_DEVICE=cuda
cargo test --locked --features cuda --lib -- kernels::cuda:: optim::gpu_tests::
cargo test --locked --features cuda --test main -- --include-ignored cuda::present:: golden:: training::
