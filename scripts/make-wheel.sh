#!/usr/bin/env bash
# Builds the wheel of descent-nn for Linux on x86-64: target/wheels/descent_nn-VERSION-py3-none-manylinux_2_17_x86_64.whl
#
# The linker is zig's, from PyPI, which has the symbols of every glibc: the program asks for none newer than the tag says,
# on whatever system it is built. It needs no CPU newer than x86-64's first; wider vectors are found when it starts.
set -euo pipefail
cd "$(dirname "$0")/.."

glibc=2.17
triple=x86_64-unknown-linux-gnu
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
tools=${WHEEL_VENV:-$HOME/.cache/descent/wheel}
python=${PYTHON:-python3}

if [ ! -e "$tools/installed" ]; then
    "$python" -m venv "$tools"
    "$tools/bin/pip" install --quiet --retries 1 cargo-zigbuild ziglang hatchling
    touch "$tools/installed"
fi
export PATH="$tools/bin:$PATH"

CARGO_PROFILE_RELEASE_STRIP=symbols cargo zigbuild --release --locked --bin descent --target "$triple.$glibc"
program=$target/$triple/release/descent

share=$target/wheels/share
rm -rf "$share"
mkdir -p "$share"/{man/man1,bash-completion/completions,zsh/site-functions,fish/vendor_completions.d}
"$program" man "$share/man/man1"
"$program" completions bash > "$share/bash-completion/completions/descent"
"$program" completions zsh > "$share/zsh/site-functions/_descent"
"$program" completions fish > "$share/fish/vendor_completions.d/descent.fish"

rm -f "$target"/wheels/*.whl
DESCENT_WHEEL_PROGRAM=$program DESCENT_WHEEL_SHARE=$share DESCENT_WHEEL_PLATFORM=manylinux_${glibc/./_}_x86_64 \
    bash -c 'cd python && python -m hatchling build -t wheel -d "$1"' _ "$target/wheels"
ls -l "$target"/wheels/*.whl
