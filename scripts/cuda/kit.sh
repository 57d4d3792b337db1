#!/usr/bin/env bash
# Lays out target/cuda-kit: what runs on a machine with an NVIDIA driver and nothing else of ours (run.sh). Beside it
# target/cuda-emulator, the emulated GPU that proves the kit here: target/cuda-kit/run.sh --emulated FOLDER.
#
# The kernels are PTX for compute capability 80 and machine code for DESCENT_CUDA_SASS (90). Needs the toolkit of
# `make cuda-toolkit`, and MNIST in data/mnist.
set -euo pipefail
cd "$(dirname "$0")/../.."
export NVCC="${NVCC:-$PWD/scripts/cuda/nvcc-fast.sh}"
export CUDA_COMPUTE_CAP="${CUDA_COMPUTE_CAP:-80}" DESCENT_CUDA_SASS="${DESCENT_CUDA_SASS:-90}"
kit=target/cuda-kit emulator=target/cuda-emulator most=40000000
start=$SECONDS
[ -e data/mnist/train-images-idx3-ubyte ] || { echo "there is no MNIST in data/mnist: make mnist brings it" >&2; exit 1; }

cargo build --release --locked --features cuda --bin descent
cargo test --no-run --locked --features cuda --lib --test main
# Built already: this asks where. The program, which tests of its command line need, is built with them and is no test.
executables() {
    cargo "$@" --locked --features cuda --message-format=json 2>/dev/null | python3 -c 'import json, sys
for line in sys.stdin:
    built = json.loads(line)
    ours = built.get("executable") and built["package_id"].split("#")[0].endswith(sys.argv[1])
    if ours and built["profile"]["test"] == (sys.argv[2] == "test"): print(built["target"]["name"], built["executable"])' "$PWD" "$1"
}
programs=$(executables build --release --bin descent; executables test --no-run --lib --test main)

mkdir -p "$kit"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
mkdir -p "$stage/bin" "$stage/root/scripts/cuda" "$stage/root/tests"
{ read -r _ program; while read -r name file; do
    case $name in descent) unit=$file ;; main) tests=$file ;; esac
done; } <<<"$programs"
strip -o "$stage/bin/descent" "$program"
strip -o "$stage/bin/unit-tests" "$unit"
strip -o "$stage/bin/main-tests" "$tests"
cp -r configs "$stage/root"
cp -r tests/golden tests/tables "$stage/root/tests"
cp -r scripts/peers "$stage/root/scripts"
cp scripts/cuda/throughput.py "$stage/root/scripts/cuda"
find "$stage" -name __pycache__ -prune -exec rm -r {} +
tar -C "$stage" -cf - bin root | xz -T2 -6 >"$kit/kit.tar.xz"

# The four files change with no build.
images=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
if [ ! -e "$kit/mnist.tar.xz" ]; then
    tar --transform 's,^,root/data/mnist/,' -C data/mnist -cf - "${images[@]}" | xz -T2 -6 >"$kit/mnist.new"
    mv "$kit/mnist.new" "$kit/mnist.tar.xz"
fi
cp scripts/cuda/run.sh "$kit/run.sh"
echo "$(git log -1 --format='%h of %cs' 2>/dev/null || echo 'no commit')$(git diff --quiet HEAD 2>/dev/null || echo ', with changes'), machine code for $DESCENT_CUDA_SASS" >"$kit/VERSION"

if [ ! -e "$emulator/libcuda.so.1" ] ||
    [ -n "$(find src/kernels/cuda tests/cuda/emulator Cargo.lock -newer "$emulator/libcuda.so.1" -type f)" ]; then
    tests/cuda/emulator/build.sh "$emulator"
fi

size=$(du -sb "$kit" | cut -f1)
if [ "$size" -gt $most ]; then
    echo "$kit is $size bytes; it is to stay below $most" >&2
    exit 1
fi
echo "$kit is ready in $((SECONDS - start)) s, $((size / 1000000)) MB: run.sh FOLDER on a machine with a GPU," \
    "run.sh --emulated FOLDER here"
