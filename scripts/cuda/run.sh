#!/usr/bin/env bash
# What only a GPU can show, on a machine that has a driver, bash, coreutils and python3, in at most eight minutes:
#
#     run.sh FOLDER              writes result.md and a log a step into FOLDER
#     run.sh FOLDER 2 5          these steps alone
#     run.sh --emulated FOLDER   the same on the emulated GPU: in the folder DESCENT_EMULATOR, else in cuda-emulator beside this one
#
# DESCENT_TABLE_SECONDS is the time for the table of times, 115 if it is not set; DESCENT_TABLE more options of throughput.py.
#
# Needs cuBLAS and cuRAND, which it also finds among Python's packages. Takes PyTorch and JAX from python3 (or
# DESCENT_TORCH and DESCENT_JAX), compute-sanitizer and ncu where they are; what is missing is left out and said.
# `make cuda-kit` lays this out with what it runs; nothing is compiled here, and nothing stays but FOLDER.
set -euo pipefail

emulated=
if [ "${1:-}" = --emulated ]; then emulated=1 && shift; fi
[ $# -ge 1 ] || { echo "usage: $0 [--emulated] FOLDER [STEP …]" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
results=$(cd "$1" && pwd)
shift
steps=("$@")
[ $# -ge 1 ] || steps=(1 2 3 4 5)
for number in "${steps[@]}"; do
    case $number in [1-5]) ;; *) echo "step $number: there are steps 1 to 5" >&2 && exit 2 ;; esac
done
table_seconds=${DESCENT_TABLE_SECONDS:-115}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
logs=$work/logs kit=$work/kit begun=$SECONDS
mkdir "$logs" "$kit"
if [ -n "$emulated" ]; then
    # Unpacking and the five steps; seconds.
    limits=(120 200 900 900 60 300)
    emulator=${DESCENT_EMULATOR:-$here/../cuda-emulator}
    [ -e "$emulator/libcuda.so.1" ] || { echo "no emulated GPU in $emulator: make cuda-kit builds it" >&2; exit 2; }
    emulator=$(cd "$emulator" && pwd)
else
    limits=(20 45 108 68 48 $((table_seconds + 73)))
    emulator=
fi
export emulated emulator results work logs kit table_seconds

unpack() {
    for archive in kit mnist; do
        if command -v tar >/dev/null && command -v xz >/dev/null; then
            tar -xJf "$here/$archive.tar.xz" -C "$kit"
        else
            python3 -W ignore -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])' \
                "$here/$archive.tar.xz" "$kit"
        fi
    done
}

# Folders that CUDA's libraries lie in, where the loader does not find them by itself.
libraries() {
    local found= known folder library
    local folders=(/usr/local/cuda*/lib64 /usr/local/cuda*/targets/x86_64-linux/lib /usr/local/nvidia/lib64 /usr/local/nvidia/lib
        /usr/lib64-nvidia /usr/lib/wsl/lib)
    known=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null | awk '{ print $1 }' || true)
    while read -r folder; do folders+=("$folder"); done < <(python3 -c '
import glob, sys
for folder in sys.path:
    for found in sorted(glob.glob(folder + "/nvidia/*/lib"), reverse=True): print(found)' 2>/dev/null || true)
    for library in libcuda.so.1 libcublas.so.1[23] libcublasLt.so.1[23] libcurand.so.10; do
        if grep -qx "$library" <<<"$known"; then continue; fi
        for folder in "${folders[@]}"; do
            if ! compgen -G "$folder/$library" >/dev/null; then continue; fi
            case ":$found:" in *":$folder:"*) ;; *) found=$found:$folder ;; esac
            break
        done
    done
    echo "${found#:}"
}

# part NAME COMMAND …: runs it with a log of its own.
part() {
    local name=$1 start=$SECONDS code=0
    shift
    "$@" >"$logs/$step.$name.log" 2>&1 || code=$?
    echo "$name: exit code $code, $((SECONDS - start)) s" >>"$logs/$step.parts.log"
    return $code
}

# Waits for all parts in the background; fails where one did.
settle() {
    local failed=0 job
    for job in $(jobs -p); do wait "$job" || failed=1; done
    return $failed
}

descent() { "$kit/bin/descent" "$@"; }

# Runs a test binary; names that match no test are a failure too.
tests() {
    local binary=$1 said=$work/said.$BASHPID code=0
    shift
    "$kit/bin/$binary" --include-ignored "$@" | tee "$said" || code=$?
    grep -q '^test result: ok. [1-9]' "$said" || code=1
    return $code
}

# Cheapest and most telling first: is there a device, does an update go through, does a whole run learn.
step_1() {
    local devices
    devices=$(descent list devices)
    echo "$devices"
    grep -q '^cuda:0 ' <<<"$devices" || { echo "there is no cuda:0"; return 1; }
    descent train --device cuda --set train.max_steps=1 --out "$work/one"
    local epochs=10 device accuracy=()
    [ -z "$emulated" ] || epochs=1
    for device in cuda cpu; do
        descent train --device "$device" --set "train.epochs=$epochs" --out "$work/quick-$device" | tee "$work/said"
        accuracy+=("$(awk '$1 == "test_accuracy" { print $2 }' "$work/said")")
    done
    echo "the quick start's accuracy: ${accuracy[0]} on the GPU, ${accuracy[1]} on the CPU"
    python3 -c 'import sys; a, b = map(float, sys.argv[1:]); sys.exit(abs(a - b) > 0.02)' "${accuracy[@]}"
}

# Each in a process of its own, at once. Within a process one thread where the tests share a device, several where they
# start the program; what measures the device's free memory runs alone.
on_the_gpu() {
    export DESCENT_TEST_DEVICE=cuda DESCENT_TEST_ROOT=$kit/root DESCENT_TEST_PROGRAM=$kit/bin/descent DESCENT_TEST_GRAPH=$1
    local memory=the_memory_is_flat_over_a_thousand_updates
    local left_out=(--skip "$memory")
    [ -n "$emulated" ] || left_out+=(--skip an_emulated_gpu)
    if [ "$1" = false ]; then part kernels tests unit-tests --test-threads=1 kernels::cuda:: optim::gpu_tests:: & fi
    part golden tests main-tests --test-threads=1 golden:: training:: &
    part library tests main-tests --test-threads=1 cuda::present::library:: &
    part programs tests main-tests cuda::present::configs:: cuda::present::program:: cuda::present::updates:: "${left_out[@]}" &
    local failed=0
    settle || failed=1
    part memory tests main-tests "$memory" || failed=1
    return $failed
}

step_2() { on_the_gpu false; }
step_3() { on_the_gpu true; }

step_4() {
    [ -z "$emulated" ] || { echo "left out: the emulated GPU checks memory itself and has no races"; return 77; }
    local found sanitizer= tool config
    for found in "$(command -v compute-sanitizer)" /usr/local/cuda*/bin/compute-sanitizer /opt/nvidia/*/compute-sanitizer; do
        if [ -x "$found" ] && [ ! -d "$found" ]; then sanitizer=$found && break; fi
    done
    [ -n "$sanitizer" ] || { echo "left out: compute-sanitizer is not installed"; return 77; }
    cd "$kit/root"
    sanitize() {
        local code=0
        timeout 42 "$sanitizer" --tool "$1" --error-exitcode 9 "$kit/bin/descent" train "configs/$2.toml" --device cuda \
            --set train.max_steps=20 --set data.limit=1280 --set 'train.checkpoint_every="never"' \
            --set train.tensorboard=false --out "$work/$1-$2" || code=$?
        if [ $code = 124 ]; then echo "left out: $1 of $2 was not done in 42 s" && code=0; fi
        return $code
    }
    for tool in memcheck racecheck; do
        for config in mini-batch batch-norm rnn-rows; do part "$tool-$config" sanitize "$tool" "$config" & done
    done
    settle
}

step_5() {
    local more=(--torch "${DESCENT_TORCH:-python3}" --jax "${DESCENT_JAX:-python3}" --budget "$table_seconds")
    [ -z "$emulated" ] || more=(--quick --rounds 1)
    # Options are words.
    # shellcheck disable=SC2206
    more+=(${DESCENT_TABLE:-})
    part table python3 "$kit/root/scripts/cuda/throughput.py" "$kit/bin/descent" "${more[@]}" --log "$logs/5.peers.log"
}

export -f part settle descent tests on_the_gpu step_1 step_2 step_3 step_4 step_5
titles=(unpacked "the device, an update, the quick start" "kernels, golden trajectories, configs, resume, divergence, memory"
    "the same with CUDA graphs" "memcheck and racecheck" "the table of times")
failed=0 report=

# Runs step $1 within its limit, prints its line and keeps its log.
run_step() {
    export step=$1
    local start=$SECONDS code=0 said=passed took passed missing files
    timeout -k 2 "${limits[$1]}" bash -c "set -euo pipefail; step_$1" >"$logs/$1.0.log" 2>&1 || code=$?
    took=" in $((SECONDS - start)) s"
    files=("$logs/$1".*.log)
    for file in "${files[@]}"; do
        echo "== $(basename "$file" .log)"
        # A log must not fill a disk.
        tail -c 2000000 "$file"
    done >"$results/$1.log"
    missing=$(grep -h '^left out: ' "${files[@]}" | sort -u | sed 's/^left out: //' | paste -sd ';' - | sed 's/;/; /g' || true)
    passed=$(awk '/^test result: / { count += $4 } END { if (count) print ", " count " tests passed" }' "${files[@]}")
    case $code in
        0) said=passed$took ;;
        77) said= took= ;;
        124 | 137) said="failed$took, stopped at its limit" failed=1 ;;
        *) said=failed$took failed=1 ;;
    esac
    said+=$passed
    if [ -n "$missing" ]; then said+="${said:+; }left out: $missing"; fi
    echo "$1. ${titles[$1]}: $said"
    report+="$1. ${titles[$1]}: $said"$'\n'
    if [ $code != 0 ] && [ $code != 77 ]; then
        report+=$'\n'"\`\`\`"$'\n'"$({
            grep -hE '^test .*FAILED|panicked at|^error' "${files[@]}" | sort -u | head -20
            grep -hv ': exit code 0,' "$logs/$1.parts.log" 2>/dev/null
            tail -n 12 "$logs/$1.0.log"
        } || true)"$'\n'"\`\`\`"$'\n\n'
    fi
}

write_result() {
    {
        echo "# descent on a${emulated:+n emulated} GPU"
        echo
        echo "Kit: $(cat "$here/VERSION")"
        echo
        sed 's/^/    /' <<<"${devices:-no device was found}"
        echo
        printf '%s' "$report"
        if [ -s "$logs/5.table.log" ]; then echo && cat "$logs/5.table.log"; fi
        echo
        echo "In all $((SECONDS - begun)) s. The logs of the steps lie beside this file: 1.log to 5.log."
    } >"$results/result.md"
}

if ! timeout -k 2 "${limits[0]}" bash -c "$(declare -f unpack); here='$here'; set -e; unpack" >"$results/0.log" 2>&1; then
    echo "0. not unpacked: $(tail -n 1 "$results/0.log")"
    exit 1
fi
rm "$results/0.log"
if [ -n "$emulated" ]; then
    export LD_LIBRARY_PATH=$emulator
else
    more=$(libraries)
    export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}${LD_LIBRARY_PATH:+${more:+:}}$more
fi
export CUDA_CACHE_PATH=$work/cuda-cache
echo "0. ${titles[0]} in $((SECONDS - begun)) s${LD_LIBRARY_PATH:+, libraries in $LD_LIBRARY_PATH}"
devices=$(timeout 20 "$kit/bin/descent" list devices 2>/dev/null | grep '^cuda:' || true)
for number in "${steps[@]}"; do
    run_step "$number"
    # After each, in case that the machine is taken away.
    write_result
done
exit $failed
