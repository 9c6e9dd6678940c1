"""Streaming a recording larger than memory to disk: peak memory, and speed against raw Zarr writing of the same arrays.

Limits: 20 GB of activity under 2 GB of peak memory; at least 70 % of the raw speed (same codecs and chunks, same disk,
arrays that lie ready in memory). The network is one cheap convolution, so that writing is what takes the time.

    python benchmarks/storage.py [--gigabytes 20] [--folder DIR]
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import zarr
from torch import nn

import probekit as pk
from probekit.stimuli import IMAGE_DIMS, Stimuli
from probekit.store import codecs

SIZE, CHANNELS, BATCH = 112, 64, 32
MEMORY_LIMIT_GB, SPEED_LIMIT = 2.0, 0.7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=20.0)
    parser.add_argument("--folder", type=Path, help="where to write; default: a temporary folder, deleted afterwards")
    options = parser.parse_args()
    n_images = int(options.gigabytes * 1e9 / (CHANNELS * SIZE * SIZE * 4) / BATCH) * BATCH
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        seconds, stored = record(Path(folder) / "probekit.zarr", n_images)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
        raw = write_raw(Path(folder) / "raw.zarr", Path(folder) / "probekit.zarr", n_images)
    gigabytes = n_images * CHANNELS * SIZE * SIZE * 4 / 1e9
    print(f"{gigabytes:.1f} GB of activity ({n_images} images), {stored / 1e9:.1f} GB on disk\n")
    print("| what | measured | limit |\n|---|---|---|")
    print(f"| peak memory of the process | {peak:.2f} GB | {MEMORY_LIMIT_GB} GB |")
    print(f"| probekit.record to a store | {gigabytes / seconds:.2f} GB/s | |")
    print(f"| raw Zarr writing | {gigabytes / raw:.2f} GB/s | |")
    print(f"| ratio | {raw / seconds:.2f} | at least {SPEED_LIMIT} |")


def record(path: Path, n_images: int) -> tuple[float, int]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, CHANNELS, 1), nn.ReLU()).eval()
    start = time.perf_counter()
    pk.record(network, noise(n_images), layers="1", batch_size=BATCH, store=path)
    seconds = time.perf_counter() - start
    return seconds, sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def noise(n_images: int) -> Stimuli:
    base = torch.randn(BATCH, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
    return Stimuli("noise", pd.DataFrame({"stimulus": np.arange(n_images)}), IMAGE_DIMS, (3, SIZE, SIZE), "noise 1", {},
                   lambda rows: base[: len(rows)].roll(int(rows[0]) % SIZE, -1))  # fmt: skip


def write_raw(path: Path, like: Path, n_images: int) -> float:
    """Write one batch of the same activity again and again, as fast as Zarr goes, until it is as many images."""
    model = zarr.open_array(like / "1" / "activity", mode="r")
    batch = np.asarray(model[:BATCH])
    shutil.rmtree(like)
    array = zarr.create_array(path, shape=model.shape, dtype=model.dtype, chunks=model.chunks, **codecs())
    start = time.perf_counter()
    for first in range(0, n_images, BATCH):
        array[first : first + BATCH] = batch
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
