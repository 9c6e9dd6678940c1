"""Time 1,000 bootstraps over conditions with noise ceiling beside rsatoolbox, after comparing both on the same draws.

92 conditions, 20 layers, 15 subjects. rsatoolbox makes fewer resamples, and its time is scaled.

Run: python benchmarks/rsa_inference.py [--their-resamples N]
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import resource
import sys
import time
import warnings

import numpy as np
import rsatoolbox.inference.evaluate as their_inference
from rsatoolbox.model import ModelFixed
from rsatoolbox.rdm import RDMs

from probekit.rsa.bootstrap import draw_counts, resampled

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
LIMITS = {"spearman": 20.0, "pearson": 50.0}
THEIR_NAMES = {"spearman": "spearman", "pearson": "corr"}
N_CONDITIONS, N_LAYERS, N_SUBJECTS, N_RESAMPLES, ROUNDS = 92, 20, 15, 1000, 3


def rdms(seed=0):
    """Return layers and subjects that share a part, shape (rdm, pair)."""
    rng = np.random.default_rng(seed)
    n_pairs = N_CONDITIONS * (N_CONDITIONS - 1) // 2
    shared = rng.random(n_pairs)
    return shared + 2 * rng.random((N_LAYERS, n_pairs)), shared + 2 * rng.random((N_SUBJECTS, n_pairs))


def theirs(layers, subjects, measure, n_resamples):
    """Return rsatoolbox's scores and ceilings, how often it drew each condition, and the seconds it took."""
    models = [ModelFixed(str(index), RDMs(row[None])) for index, row in enumerate(layers)]
    data, draws, draw = RDMs(subjects), [], their_inference.bootstrap_sample_pattern

    def recorded(*args):
        sample, drawn = draw(*args)
        draws.append(np.bincount(drawn, minlength=N_CONDITIONS))
        return sample, drawn

    their_inference.bootstrap_sample_pattern = recorded
    np.random.seed(0)  # noqa: NPY002 (rsatoolbox draws from the global generator)
    start = time.perf_counter()
    try:
        with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            found = their_inference.eval_bootstrap_pattern(
                models, data, method=THEIR_NAMES[measure], N=n_resamples, boot_noise_ceil=True
            )
    finally:
        their_inference.bootstrap_sample_pattern = draw
    return found.evaluations, found.noise_ceiling, np.array(draws), time.perf_counter() - start


def ours(layers, subjects, measure, counts):
    """Return scores, ceilings and the seconds for them, from how often each condition is drawn."""
    start = time.perf_counter()
    all_once = np.ones((1, len(counts), N_SUBJECTS), dtype=np.int64)
    found = resampled(layers, subjects, counts, all_once, measure=measure)
    return found.scores.mean(axis=2), found.ceilings[0].T, time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--their-resamples", type=int, default=50)
    n_theirs = parser.parse_args().their_resamples
    if not ONE_THREAD.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ONE_THREAD)
    layers, subjects = rdms()
    counts = draw_counts(N_CONDITIONS, N_RESAMPLES, np.random.default_rng(0))
    print(f"{N_RESAMPLES:,} resamples of {N_CONDITIONS} conditions, {N_LAYERS} layers, {N_SUBJECTS} subjects, 1 thread")
    for measure, limit in LIMITS.items():
        scores, ceilings, draws, their_s = theirs(layers, subjects, measure, n_theirs)
        same_scores, same_ceilings, _ = ours(layers, subjects, measure, draws)
        apart = max(np.abs(scores - same_scores).max(), np.abs(ceilings - same_ceilings).max())
        if not apart < 1e-10:
            raise SystemExit(f"{measure}: results differ by {apart}")
        seconds = min(ours(layers, subjects, measure, counts)[2] for _ in range(ROUNDS))
        their_s *= N_RESAMPLES / n_theirs
        print(f"{measure}: results differ by {apart:.0e} at most on {n_theirs} of rsatoolbox's own draws")
        print(f"  probekit    {seconds:8.2f} s   (fastest of {ROUNDS})")
        print(f"  rsatoolbox  {their_s:8.2f} s   (scaled from {n_theirs} resamples)")
        print(f"  ratio       {their_s / seconds:8.1f}     limit {limit:.0f}")
    print(f"peak memory of both {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


if __name__ == "__main__":
    main()
