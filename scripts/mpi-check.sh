#!/usr/bin/env bash
# The tests of several ranks, by the two MPIs that Debian has. The program is built for each of them: mpi-sys, which takes
# the compiler from MPICC, does not notice that this has changed, and is built anew. Exit code 77: the packages are missing,
# and cannot be installed here.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"

packages=(libopenmpi-dev openmpi-bin libmpich-dev mpich libclang-dev)
if ! dpkg -s "${packages[@]}" >/dev/null 2>&1; then
	root=""
	[ "$(id -u)" = 0 ] || root=sudo
	if ! { $root apt-get update -qq && $root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "${packages[@]}" >/dev/null; }; then
		echo "the packages cannot be installed here: ${packages[*]}" >&2
		exit 77
	fi
fi

cargo clippy --all-targets --locked --features mpi -- -D warnings

# The crate is built twice: with less optimisation than in the other tests, which the bits do not depend on.
quickly=(--locked --features mpi --config profile.dev.package.descent-nn.opt-level=1)

with() {
	export MPICC="mpicc.$1"
	cargo clean --locked --quiet -p mpi-sys
}
with mpich
cargo build "${quickly[@]}"
mkdir -p "$target/mpi"
cp "$target/debug/descent" "$target/mpi/descent-mpich"
with openmpi
DESCENT_TEST_MPICH="$(realpath "$target/mpi/descent-mpich")" \
	cargo test "${quickly[@]}" --test main mpi:: -- --test-threads=1
