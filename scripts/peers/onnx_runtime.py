"""Predictions of a descent run by ONNX Runtime, from a .npy file into a Parquet file of classes and probabilities.

    python onnx_runtime.py MODEL.onnx ROWS.npy OUTPUT.parquet THREADS
"""
import sys

import numpy
import onnxruntime
import pyarrow
import pyarrow.parquet

BATCH = 10000

model, rows, output, threads = sys.argv[1:]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(threads)
session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
names = [one.name for one in session.get_outputs()]
[given] = session.get_inputs()
kind = {"tensor(uint8)": numpy.uint8, "tensor(float)": numpy.float32}[given.type]
rows = numpy.load(rows, mmap_mode="r")
writer = None
for start in range(0, len(rows), BATCH):
    label, shares = session.run(names, {given.name: rows[start : start + BATCH].astype(kind)})
    columns = {"prediction": label, **{f"probability_{i}": shares[:, i] for i in range(shares.shape[1])}}
    table = pyarrow.table(columns)
    writer = writer or pyarrow.parquet.ParquetWriter(output, table.schema)
    writer.write_table(table)
writer.close()
