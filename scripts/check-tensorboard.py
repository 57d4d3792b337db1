#!/usr/bin/env python3
"""What TensorBoard reads of a run: check-tensorboard.py RUN prints tags, steps and last values as JSON (pip install tensorboard)."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
events.Reload()
tags = events.Tags()
found = {
    "scalars": {tag: [[event.step, event.value] for event in events.Scalars(tag)] for tag in tags["scalars"]},
    "histograms": {tag: [[event.step, event.histogram_value.num] for event in events.Histograms(tag)] for tag in tags["histograms"]},
    "texts": {tag: events.Tensors(tag)[0].tensor_proto.string_val[0].decode() for tag in tags["tensors"]},
}
json.dump(found, sys.stdout, indent=1)
print()
