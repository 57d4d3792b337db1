"""What the machine can do of a workload: the time of its matrix products and of a pass over the optimizer's numbers.

    python limit.py WORKLOAD-AS-JSON     prints the seconds of an update

The products take what a product of 2048 by 2048 by 2048 takes for each operation; the pass reads and writes as many
numbers as the weights, gradients and moments are.
"""
import json
import sys
import time

import torch

from workloads import products, state

SIZE = 2048


def best(work, seconds=0.4):
    """The shortest time of many, so that a neighbour's work does not count."""
    shortest, end = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest


work = json.loads(sys.argv[1])
torch.set_num_threads(work["threads"])
a, b = torch.rand(SIZE, SIZE), torch.rand(SIZE, SIZE)
out = torch.empty(SIZE, SIZE)
product = best(lambda: torch.mm(a, b, out=out)) / (2 * SIZE**3)
numbers = torch.rand(state(work))
numbers_pass = best(lambda: numbers.mul_(1.0)) if len(numbers) else 0.0
print(products(work) * product + numbers_pass)
