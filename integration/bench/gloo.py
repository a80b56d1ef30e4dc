"""All-reduce over gloo, as one rank of two or more. Reads `bytes warm-up rounds` lines, answers with a JSON list of milliseconds.

Environment: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT as torch.distributed wants them.
"""
import json
import sys
import time

import torch
import torch.distributed as dist

torch.set_num_threads(1)
dist.init_process_group("gloo")
print("ready", flush=True)
for line in sys.stdin:
    size_bytes, warm_up, rounds = (int(word) for word in line.split())
    values = torch.ones(size_bytes // 4)
    times_ms = []
    for i in range(warm_up + rounds):
        values.fill_(1)
        dist.barrier()
        start = time.perf_counter()
        dist.all_reduce(values)
        if i >= warm_up:
            times_ms.append((time.perf_counter() - start) * 1e3)
        if values[-1].item() != dist.get_world_size():
            sys.exit("gloo added wrongly")
    print(json.dumps(times_ms), flush=True)
dist.destroy_process_group()
