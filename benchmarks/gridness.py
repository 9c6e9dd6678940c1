"""Gridness of many units beside spatial-maps and beside plain scipy code of the released score; and all of its nulls.

Every way starts from the same rate maps: half grids with noise, half smooth noise. The plain code is the released
definition with scipy, unit by unit; our scores are compared with it first. spatial-maps has a definition of its own, so
its scores are only correlated with ours. Peers are called for a few units and their time is scaled. The limit, five
times the faster peer, is asked of autocorrelogram and score together. Then all scores with every null.

spatial-maps imports astropy for smoothing, which is not used here: where it is missing, a stand-in takes its place.

Run: python benchmarks/gridness.py [--units N] [--peer-units N] [--shuffles N] [--no-nulls]
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from unittest.mock import MagicMock

import numpy as np
from scipy import ndimage, signal

from probekit.navigation import Arena, Tracking
from probekit.spatial.autocorrelation import autocorrelograms
from probekit.spatial.gridness import ANGLES, gridness
from probekit.spatial.nulls import matched_spectrum, replaced_fields, time_shifts
from probekit.spatial.rate_maps import rate_maps

LIMIT = 5
LIMIT_NULLS_S = 180
METHODS = ("banino2018", "banino2018_minmax", "sargolini2006", "langston2010", "opexebo")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=512)
    parser.add_argument("--peer-units", type=int, default=24)
    parser.add_argument("--shuffles", type=int, default=100)
    parser.add_argument("--no-nulls", action="store_true")
    options = parser.parse_args()
    print(f"{options.units} units; seconds, fastest of 5 (peers: one round of {options.peer_units} units, scaled)\n")
    print("| bins | plain scipy | spatial-maps | probekit | ratio to the faster | limit | all five methods |")
    print("|---|---|---|---|---|---|---|")
    for n_bins in (20, 40):
        scores(n_bins, options.units, options.peer_units)
    if not options.no_nulls:
        print(f"\n{options.shuffles} shuffles of each null, gridness of all units; seconds, limit {LIMIT_NULLS_S}\n")
        print("| bins | time shifts | re-placed fields | matched spectrum | all |")
        print("|---|---|---|---|---|")
        for n_bins in (20, 40):
            with_nulls(n_bins, options.units, options.shuffles)


def scores(n_bins: int, n_units: int, n_peer: int) -> None:
    maps = half_grids(n_units, n_bins)
    ours_s, ours = min((timed(lambda: released(maps)) for _ in range(5)), key=lambda run: run[0])
    all_s, _ = timed(lambda: every_method(maps))
    some = np.arange(n_peer) * n_units // n_peer
    plain_s, plain = timed(lambda: np.array([plain_score(one) for one in maps[some]]))
    peer = spatial_maps()
    theirs_s, theirs = timed(lambda: np.array([peer.gridness(one) for one in maps[some]]))
    np.testing.assert_allclose(ours[some], plain, atol=1e-6)
    assert np.corrcoef(ours[some], theirs)[0, 1] > 0.5
    plain_s, theirs_s = plain_s * n_units / n_peer, theirs_s * n_units / n_peer
    ratio = f"{min(plain_s, theirs_s) / ours_s:.0f} | {LIMIT}"
    print(f"| {n_bins} | {plain_s:.1f} | {theirs_s:.1f} | {ours_s:.3f} | {ratio} | {all_s:.2f} |", flush=True)


def with_nulls(n_bins: int, n_units: int, n_shuffles: int) -> None:
    arena = Arena.square(2.2)
    tracking = walk(arena, 100_000)
    size = arena.width / n_bins
    cells = np.floor((tracking.positions + arena.width / 2) / size).astype(int).clip(0, n_bins - 1)
    activity = half_grids(n_units, n_bins)[:, cells[:, 1], cells[:, 0]].T.astype(np.float32)
    maps = rate_maps(activity, tracking, n_bins=n_bins).maps
    nulls = {
        "time shifts": lambda: time_shifts(activity, tracking, n_shuffles, 0, n_bins=n_bins),
        "re-placed fields": lambda: replaced_fields(maps, n_shuffles, 0),
        "matched spectrum": lambda: matched_spectrum(maps, n_shuffles, 0),
    }
    spent = [timed(lambda null=null: [released(shuffled) for shuffled in null()])[0] for null in nulls.values()]
    spent.append(sum(spent) + timed(lambda: every_method(maps))[0])
    print(f"| {n_bins} | " + " | ".join(f"{seconds:.0f}" for seconds in spent) + " |", flush=True)


def half_grids(n_units: int, n_bins: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    noise = ndimage.gaussian_filter(rng.normal(size=(n_units, n_bins, n_bins)), (0, n_bins / 15, n_bins / 15))
    noise /= noise.std((1, 2), keepdims=True)
    centre = (np.arange(n_bins) + 0.5) / n_bins
    angle = rng.uniform(0, np.pi / 3, n_units)[:, None] + np.arange(3) * np.pi / 3
    phase = rng.uniform(0, 2 * np.pi, (n_units, 3))
    along = np.cos(angle)[..., None, None] * centre + np.sin(angle)[..., None, None] * centre[:, None]
    grids = np.cos(4 * np.pi / np.sqrt(3) / 0.4 * along + phase[..., None, None]).sum(1)
    is_grid = np.arange(n_units)[:, None, None] % 2
    return np.maximum(is_grid * grids + (1 - 0.7 * is_grid) * noise, 0)


def walk(arena: Arena, n_samples: int) -> Tracking:
    rng = np.random.default_rng(1)
    steps = ndimage.gaussian_filter1d(rng.normal(size=(n_samples, 2)), 10, axis=0).cumsum(0) * 0.05
    half = arena.width / 2
    folded = np.abs((steps + half) % (4 * half) - 2 * half) - half  # walls reflect
    return Tracking(positions=folded, dt=0.02, arena=arena)


def released(maps: np.ndarray) -> np.ndarray:
    return gridness(autocorrelograms(maps, method="banino2018")).score_60


def every_method(maps: np.ndarray) -> list[np.ndarray]:
    pearson, from_zeros = autocorrelograms(maps), autocorrelograms(maps, method="banino2018")
    return [gridness(from_zeros if "banino" in method else pearson, method).score_60 for method in METHODS]


def plain_score(one: np.ndarray) -> float:
    ones = np.ones_like(one)

    def lags(a, b):
        return signal.convolve2d(a, b[::-1, ::-1])

    n, first, second = lags(ones, ones), lags(one, ones), lags(ones, one)
    with np.errstate(all="ignore"):
        spread = (lags(one**2, ones) / n - (first / n) ** 2) * (lags(ones, one**2) / n - (second / n) ** 2)
        sac = np.nan_to_num((lags(one, one) / n - first * second / n**2) / np.sqrt(spread), posinf=0, neginf=0)
    n_bins = len(one)
    distance = np.hypot(*np.mgrid[-n_bins + 1 : n_bins, -n_bins + 1 : n_bins])
    rotated = {angle: ndimage.rotate(sac, angle, reshape=False) for angle in ANGLES}
    best = -np.inf
    for outer in np.linspace(0.4, 1.0, 10) * n_bins:
        ring = (distance > 0.2 * n_bins) & (distance <= outer)
        centred = sac[ring] - sac[ring].mean()
        r = {angle: (centred * turned[ring]).mean() / (centred.var() + 1e-5) for angle, turned in rotated.items()}
        best = max(best, (r[60] + r[120]) / 2 - (r[30] + r[90] + r[150]) / 3)
    return best


def spatial_maps():
    if "astropy" not in sys.modules and importlib.util.find_spec("astropy") is None:
        sys.modules["astropy"] = sys.modules["astropy.convolution"] = MagicMock()
    import spatial_maps

    return spatial_maps


def timed(run):
    start = time.perf_counter()
    found = run()
    return time.perf_counter() - start, found


if __name__ == "__main__":
    main()
