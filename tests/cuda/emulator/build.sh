#!/usr/bin/env bash
# The emulated GPU: libcuda.so.1, libcublas.so.13 and libcurand.so.10 in the folder $1, by a C++ compiler alone, from the
# kernels of this project and those of candle (found through Cargo).
set -euo pipefail
out=$1
here=$(cd "$(dirname "$0")" && pwd)
own="$here/../../../src/kernels/cuda"
cxx=${CXX:-c++}
mkdir -p "$out"
# With the feature `cuda` Cargo.lock names candle-kernels; where its source lies Cargo knows.
candle=$(cd "$here/../../.." && cargo metadata --format-version 1 --locked --features cuda |
    python3 -c 'import json, pathlib, sys
for package in json.load(sys.stdin)["packages"]:
    if package["name"] == "candle-kernels": print(pathlib.Path(package["manifest_path"]).parent / "src")')
flags=(-std=c++17 -O2 -w -fPIC -ffp-contract=off -fno-strict-aliasing -I"$own" -I"$here" -I"$here/device")

build() {  # build NAME FLAG …: reads C++ and writes NAME.o
    "$cxx" "${flags[@]}" "${@:2}" -x c++ -c - -o "$out/$1.o"
}

for name in affine binary cast fill indexing reduce ternary unary; do
    {
        echo "#include \"$candle/$name.cu\""
        echo "#include \"$candle/$name.cu\"" | "$cxx" "${flags[@]}" -include candle.h -E -P -x c++ - |
            grep -oE 'extern "C" +void +[a-z0-9_]+ *\(' | sed -E 's/.*void +([a-z0-9_]+).*/REGISTERED(\1)/'
    } | build "$name" -include candle.h -I"$candle" &
    # Two at a time.
    (($(jobs -rp | wc -l) < 2)) || wait -n
done
wait
build kernels <"$own/kernels.cu"
build driver <"$here/driver.cpp"
build libraries -O3 <"$here/libraries.cpp"
# Candle's files each have the same helpers.
"$cxx" -shared -Wl,-z,muldefs -o "$out/libcuda.so.1" "$out"/*.o
for other in libcublas.so.13 libcurand.so.10; do ln -sf libcuda.so.1 "$out/$other"; done
rm "$out"/*.o
