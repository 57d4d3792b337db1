#!/usr/bin/env python3
"""What TensorBoard reads of a run: check-tensorboard.py RUN prints tags and last values as JSON (pip install tensorboard)."""

import json
import math
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

if len(sys.argv) != 2:
    sys.exit("usage: check-tensorboard.py RUN")
events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
events.Reload()
tags = events.Tags()


def number(value):
    """JSON knows no NaN and no infinity: they are text."""
    return value if math.isfinite(value) else str(value)


def scalar(tag):
    every = events.Scalars(tag)
    return {"steps": len(every), "last step": every[-1].step, "last": number(every[-1].value)}


def histogram(tag):
    every = events.Histograms(tag)
    last = every[-1].histogram_value
    return {
        "steps": len(every),
        "last step": every[-1].step,
        "num": last.num,
        "min": number(last.min),
        "max": number(last.max),
        "buckets": len(last.bucket),
        "in buckets": sum(last.bucket),
    }


def text(tag):
    last = events.Tensors(tag)[-1]
    return {"last step": last.step, "last": last.tensor_proto.string_val[0].decode()}


# A restart may have dropped all that a tag had.
texts = [tag for tag in tags["tensors"] if events.SummaryMetadata(tag).plugin_data.plugin_name == "text"]
found = {
    "scalars": {tag: scalar(tag) for tag in tags["scalars"] if events.Scalars(tag)},
    "histograms": {tag: histogram(tag) for tag in tags["histograms"] if events.Histograms(tag)},
    "texts": {tag: text(tag) for tag in texts if events.Tensors(tag)},
}
if not any(found.values()):
    sys.exit(f"no events in {sys.argv[1]}; is it the folder of a run that was trained?")
json.dump(found, sys.stdout, indent=1, allow_nan=False)
print()
