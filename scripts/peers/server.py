"""A peer as a process that answers requests, so that its start-up is paid once: a JSON object a line on both sides.

It begins with `{"ready": "what it is"}`, or `{"left_out": "why"}` and ends. A request names the `work` (as in workloads.py),
the `variant` and the `updates` to make; the answer has the `microseconds` of an update, warm and with the device waited
for, or an `error`.
"""
import json
import sys
import time


def answer(build, request, known):
    """`build(work, variant)` gives a function that makes so many updates and waits for them."""
    key = json.dumps([request["work"], request["variant"]])
    if key not in known:
        known[key] = build(request["work"], request["variant"])
        known[key](request["updates"])
    start = time.perf_counter()
    made = known[key](request["updates"])
    return (time.perf_counter() - start) / made * 1e6


def serve(ready, build):
    # What libraries print must not get between the answers.
    out, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(ready), file=out, flush=True)
    known = {}
    for line in sys.stdin if "ready" in ready else ():
        try:
            reply = {"microseconds": answer(build, json.loads(line), known)}
        except Exception as error:  # The next request may go well.
            reply = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print(json.dumps(reply), file=out, flush=True)
