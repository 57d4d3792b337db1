#!/usr/bin/env bash
# On a machine with a GPU: every kernel against the CPU's, every config on both devices, PyTorch's trajectories, memory
# over 1,000 updates, and the time of an update. Needs nvcc (CUDA_HOME, or `make cuda-toolkit`), cuBLAS and cuRAND.
set -euo pipefail
cd "$(dirname "$0")/../.."
export NVCC="${NVCC:-$PWD/scripts/cuda/nvcc-fast.sh}" DESCENT_TEST_DEVICE=cuda
target="${CARGO_TARGET_DIR:-target}"

cargo build --locked --features cuda
"$target/debug/descent" list devices
# One thread: tests share the GPU.
cargo test --locked --features cuda --lib -- --test-threads=1 kernels::cuda:: optim::gpu_tests::
cargo test --locked --features cuda --test main -- --include-ignored --test-threads=1 cuda:: golden:: training::
scripts/cuda/throughput.py "$target/debug/descent"
