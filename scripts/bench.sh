#!/usr/bin/env bash
# Microseconds an update of the systems on full MNIST: the time of a long run less that of a short one, so that
# loading and start-up do not count. Only ratios of one run mean anything: a shared machine drifts.
#
#     scripts/bench.sh target/release/descent [CONFIG …]
set -euo pipefail
descent=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
[ $# -gt 0 ] || set -- stochastic mini-batch batch init batch-norm dropout rnn-rows rnn

# seconds CONFIG STEPS
seconds() {
    local start end
    start=$(date +%s%N)
    "$descent" -q train "configs/$1.toml" --out "$out/$1-$2" --set train.epochs=1000 --set "train.max_steps=$2" \
        --set train.checkpoint_every=never --set data.validation=0.0 >/dev/null
    end=$(date +%s%N)
    rm -rf "${out:?}/$1-$2"
    echo $((end - start))
}

for config in "$@"; do
    case $config in
        batch) short=2 long=22 ;;
        stochastic) short=1000 long=41000 ;;
        *) short=100 long=1600 ;;
    esac
    best=
    for _ in 1 2 3; do
        a=$(seconds "$config" $short)
        b=$(seconds "$config" $long)
        time=$(((b - a) / (long - short)))
        if [ -z "$best" ] || [ "$time" -lt "$best" ]; then best=$time; fi
    done
    printf '%-12s %10d.%d µs an update\n' "$config" $((best / 1000)) $((best % 1000 / 100))
done
