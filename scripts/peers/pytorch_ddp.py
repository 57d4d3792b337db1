"""PyTorch's DistributedDataParallel over gloo, for compare-mpi.py: each rank is a process of one thread.

    python pytorch_ddp.py WORKLOAD-AS-JSON UPDATES RANKS
"""
import json
import os
import socket
import sys

import torch
from torch import distributed, multiprocessing
from torch.nn.parallel import DistributedDataParallel

from pytorch import Training


class Shared(Training):
    """A batch of the same size, of which each rank has its part."""

    def __init__(self, work, rank, ranks):
        super().__init__(work)
        self.rank, self.ranks = rank, ranks
        self.net = DistributedDataParallel(self.net)

    def update(self, index):
        super().update(index.tensor_split(self.ranks)[self.rank])


def run(rank, work, updates, ranks, port):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", rank=rank, world_size=ranks)
    Shared(work, rank, ranks).train(updates)
    distributed.destroy_process_group()


if __name__ == "__main__":
    work, updates, ranks = json.loads(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(run, (work, updates, ranks, port), nprocs=ranks)
