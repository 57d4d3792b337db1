#!/usr/bin/env bash
# What can be proved of the CUDA path without a GPU: the feature compiles and links, the binary needs no CUDA library to
# start, the unit tests pass with it, it trains on the CPU where there is no driver and where a driver finds no GPU, and the
# kit for machines with a GPU (kit.sh) does all of its work on an emulated one (tests/cuda/emulator), without cargo and away
# from here. The toolkit is that of `make cuda-toolkit`.
#
# candle's kernels for quantised models are left out (nvcc-fast.sh): a trainer never calls them, and they take most of
# the time.
set -euo pipefail
cd "$(dirname "$0")/../.."
start=$SECONDS
export NVCC="$PWD/scripts/cuda/nvcc-fast.sh" CUDAFORGE_THREADS="${CUDAFORGE_THREADS:-2}" DESCENT_CUDA_SASS=90
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

scripts/cuda/kit.sh
cp -r target/cuda-kit "$folder/kit"
emulator=$PWD/target/cuda-emulator
bare=
while read -rd : at; do
    if [ ! -x "$at/cargo" ] && [ ! -x "$at/rustc" ]; then bare=$bare:$at; fi
done <<<"$PATH:"
if ! (cd "$folder" && env -u NVCC -u CUDA_HOME PATH="${bare#:}" DESCENT_EMULATOR="$emulator" kit/run.sh --emulated result); then
    cat "$folder/result/result.md" >&2
    exit 1
fi

echo "cuda-check passed in $((SECONDS - start)) s: built with CUDA, linked, starts without CUDA's libraries; unit tests, a" \
    "training run on the CPU, and all that the kit does on a GPU on an emulated one"
