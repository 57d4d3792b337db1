#!/usr/bin/env bash
# Installs the wheel of `make wheel` into new environments, with the oldest Python that it takes and the newest here, and
# runs the package's tests and notebook there; the estimators' also beside the release of scikit-learn before the last.
# cargo is off the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."

target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
wheel=$(ls "$target"/wheels/*.whl)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
before_the_last="scikit-learn==1.8.*"

# All Pythons here, oldest first: on the PATH, and pyenv's.
pythons() {
    for version in 11 12 13 14 15; do
        for place in "$(command -v "python3.$version" || true)" "$HOME"/.pyenv/versions/3."$version".*/bin/python; do
            if [ -x "$place" ] && "$place" -c "import sys; sys.exit(sys.version_info[:2] != (3, $version))" 2>/dev/null; then
                echo "$place"
                break
            fi
        done
    done
}

check() { # PYTHON PACKAGES TESTS…
    local python=$1 packages=$2
    shift 2
    echo "== $("$python" --version), ${packages%% *}: $*"
    rm -rf "$work/venv"
    "$python" -m venv "$work/venv"
    # shellcheck disable=SC2086
    "$work/venv/bin/pip" install --quiet --retries 1 "$wheel" $packages
    cp -r python/tests "$work/tests"
    env -u PYTHONPATH -u DESCENT_PROGRAM PATH="$work/venv/bin:/usr/bin:/bin" DESCENT_WHEEL="$wheel" \
        DESCENT_REPOSITORY="$PWD" bash -c 'cd "$1" && shift && python -m unittest "$@"' _ "$work" "$@"
    rm -rf "$work/tests"
}

mapfile -t all < <(pythons)
if [ ${#all[@]} = 0 ]; then
    echo "there is no Python 3.11 or newer here" >&2
    exit 1
fi
oldest=${all[0]}
newest=${all[-1]}
everything="pandas pyarrow polars scikit-learn nbclient ipykernel"
check "$oldest" "$everything" tests.test_wheel tests.test_package tests.test_estimators tests.test_notebook
if [ "$newest" != "$oldest" ]; then
    check "$newest" "$everything" tests.test_package tests.test_estimators tests.test_notebook
fi
check "$oldest" "$before_the_last pandas pyarrow" tests.test_estimators
