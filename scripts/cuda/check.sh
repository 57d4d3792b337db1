#!/usr/bin/env bash
# What can be proved of the CUDA path without a GPU: the feature compiles and links, the binary needs no CUDA library to
# start, the unit tests pass with it, it trains on the CPU where there is no driver and where a driver finds no GPU, and on
# an emulated GPU (tests/cuda/emulator) it has the CPU's losses. The toolkit is that of `make cuda-toolkit`.
#
# candle's kernels for quantised models are left out (nvcc-fast.sh): a trainer never calls them, and they take most of
# the time.
set -euo pipefail
cd "$(dirname "$0")/../.."
start=$SECONDS
export NVCC="$PWD/scripts/cuda/nvcc-fast.sh" CUDAFORGE_THREADS="${CUDAFORGE_THREADS:-2}"
target="${CARGO_TARGET_DIR:-target}"

cargo build --locked --features cuda
binary="$target/debug/descent"
if readelf -d "$binary" | grep NEEDED | grep -E 'libcu|libnv'; then
    echo "the binary needs a CUDA library to start" >&2
    exit 1
fi
cargo test --locked --features cuda --lib --test main -- kernels:: optim:: cuda::

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$binary" train --device cpu --out "$folder/cpu" | grep test_accuracy
scripts/cuda/emulated.sh "$folder/emulator"

echo "cuda-check passed in $((SECONDS - start)) s: built with CUDA, linked, starts without CUDA's libraries;" \
    "unit tests, a training run on the CPU, and the tests of a GPU on an emulated one"
