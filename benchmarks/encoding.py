"""Time ridge regression of 10,000 voxels beside himalaya called by hand, after comparing both; each in its process.

By hand is KernelRidgeCV on standardised features with the same folds and penalties: as it comes, and with its own
options for batches set as here. They take turns; the fastest of the rounds counts, on the
wall and of processor time.

Run: python benchmarks/encoding.py [--voxels N] [--rounds N] [--threads N]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

N_STIMULI, N_NEW, N_FEATURES = 1000, 100, 2000
ALPHAS = np.logspace(-1, 7, 25)
LIMIT = 1.05
WAYS = ("probekit", "himalaya, same batches", "himalaya")


def data(n_voxels):
    """Return features of training and of new stimuli, and voxels of unlike noise."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(N_STIMULI + N_NEW, N_FEATURES)) * np.arange(1, N_FEATURES + 1) ** -0.5
    signal = features[:N_STIMULI] @ rng.normal(size=(N_FEATURES, n_voxels))
    voxels = signal / signal.std(axis=0) + rng.normal(size=signal.shape) * rng.uniform(0.2, 5, n_voxels)
    return features[:N_STIMULI], features[N_STIMULI:], voxels


def ours(features, voxels):
    from probekit.encoding import fit_ridge

    start = clocks()
    model = fit_ridge(features, voxels, alphas=ALPHAS)
    return model.predict, model.alphas, clocks() - start


def by_hand(features, voxels, batches):
    from himalaya.kernel_ridge import KernelRidgeCV
    from sklearn.model_selection import PredefinedSplit
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from probekit.encoding.folds import fold_labels

    folds = PredefinedSplit(fold_labels(len(features), 5, seed=0))
    start = clocks()
    ridge = KernelRidgeCV(alphas=ALPHAS, cv=folds, fit_intercept=True, solver_params=batches)
    pipeline = make_pipeline(StandardScaler(), ridge).fit(features, voxels)
    return pipeline.predict, ridge.best_alphas_, clocks() - start


def clocks():
    """Return seconds on the wall, and of processor time, which other work on the machine stretches less."""
    return np.array([time.perf_counter(), time.process_time()])


def one(way, n_voxels, path):
    """Fit in this process; write predictions, penalties, seconds and peak memory beyond that of making the data."""
    from probekit.encoding.solver import batches

    features, new, voxels = data(n_voxels)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if way == "probekit":
        predict, alphas, seconds = ours(features, voxels)
    else:
        given = batches(N_STIMULI, N_STIMULI, len(ALPHAS)) if way != "himalaya" else {}
        predict, alphas, seconds = by_hand(features, voxels, given)
    gigabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / 1e9
    np.savez(path, predicted=predict(new), alphas=alphas, seconds=seconds, gigabytes=gigabytes)


def measured(way, asked, folder):
    """Return what `one` wrote, from a process of its own."""
    path = folder / "fit.npz"
    arguments = ["--one", way, "--voxels", str(asked.voxels), "--path", str(path)]
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    threads = dict.fromkeys(names, str(asked.threads))
    subprocess.run([sys.executable, __file__, *arguments], check=True, env={**os.environ, **threads})
    with np.load(path) as found:
        return dict(found)


def compare(found, expected, way):
    """Stop if penalties or predictions differ."""
    if not np.allclose(found["alphas"], expected["alphas"], rtol=1e-9):
        raise SystemExit(f"{way}: another penalty for {np.mean(found['alphas'] != expected['alphas']):.2%} of voxels")
    difference = np.abs(found["predicted"] - expected["predicted"]).max()
    if difference > 1e-8:  # of voxels of variance 1 and more: rounding of a solve
        raise SystemExit(f"{way}: predictions differ by {difference}")


def rounds(asked, folder):
    """Return each way's last fit, with the least seconds of all its fits."""
    best = {}
    for _ in range(asked.rounds):
        for way in WAYS:
            found = measured(way, asked, folder)
            compare(found, best.get("probekit", found), way)
            print(row(way, found), file=sys.stderr)
            best[way] = {**found, "seconds": np.minimum(found["seconds"], best.get(way, found)["seconds"])}
    return best


def row(way, found):
    wall, busy = found["seconds"]
    return f"{way:24} {wall:7.2f} s   {busy:7.2f} s of processor time   {found['gigabytes']:5.2f} GB"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxels", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.voxels, asked.path)
        return
    with tempfile.TemporaryDirectory() as folder:
        best = rounds(asked, Path(folder))
    print(f"same penalties and predictions of {N_NEW} new stimuli as himalaya's for {asked.voxels:,} voxels")
    print(f"{N_STIMULI:,} stimuli × {N_FEATURES:,} features, {len(ALPHAS)} penalties, 5 folds, {asked.threads} threads")
    for way, found in best.items():
        ratio = best["probekit"]["seconds"] / found["seconds"]
        print(f"{row(way, found)}   probekit's ratio to it {ratio[0]:5.2f}, {ratio[1]:5.2f}")
    print(f"limit of the ratio       {LIMIT:7.2f}")


if __name__ == "__main__":
    main()
