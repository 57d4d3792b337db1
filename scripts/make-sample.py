#!/usr/bin/env python3
"""Makes the sample of MNIST that is embedded in the binary: the first 5,000 training and 1,000 test images.

    python3 scripts/make-sample.py data/mnist

The files are gzipped without a time stamp, so that the same input gives the same bytes.
"""
import gzip
import pathlib
import struct
import sys

COUNTS = {"train": 5000, "t10k": 1000}


def main() -> None:
    source = pathlib.Path(sys.argv[1])
    target = pathlib.Path(__file__).parent.parent / "src/data/mnist-sample"
    for split, count in COUNTS.items():
        for part, rank in (("images", 3), ("labels", 1)):
            name = f"{split}-{part}-idx{rank}-ubyte"
            data = (source / name).read_bytes()
            start = 4 + 4 * rank
            row = 784 if rank == 3 else 1
            header = data[:4] + struct.pack(">I", count) + data[8:start]
            sample = header + data[start:start + count * row]
            (target / f"{name}.gz").write_bytes(gzip.compress(sample, 9, mtime=0))


if __name__ == "__main__":
    main()
