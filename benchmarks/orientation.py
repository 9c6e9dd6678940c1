"""Time orientation tuning of 100,000 units beside a plain loop over units of the same maths, after comparing both.

The measure's time holds all of it: table, curves, summary, 1000 permutations, 500 bootstrap resamples. The loop is
without the summary.

Run: python benchmarks/orientation.py [--units N]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch
import xarray as xr
from scipy.interpolate import CubicSpline

from probekit.analyses.orientation import orientation
from probekit.recording import Recording
from probekit.stimuli import gratings

N_PERMUTATIONS = 1000
LIMIT_S = 5.0
LOOP_UNITS = 200


def activity(table, n_units, seed=0):
    """Return responses, shape (stimulus, unit): tuned units, each with noise."""
    rng = np.random.default_rng(seed)
    angle, phase = (np.deg2rad(table[name].fillna(0).to_numpy(np.float32)) for name in ("orientation_deg", "phase_deg"))
    octave = np.log2(table["spatial_frequency_cpp"].fillna(1).to_numpy(np.float32))
    responses = np.empty((len(table), n_units), dtype=np.float32)
    for start in range(0, n_units, 2000):
        part = responses[:, start : start + 2000]
        preferred, sharp, shift = (
            rng.uniform(0, np.pi, part.shape[1]),
            rng.uniform(0, 4, part.shape[1]),
            rng.uniform(0, 2 * np.pi, part.shape[1]),
        )
        octaves = rng.uniform(-7, -2, part.shape[1])
        over_angle = np.exp(sharp * (np.cos(2 * (angle[:, None] - preferred)) - 1))
        over_frequency = np.exp(-((octave[:, None] - octaves) ** 2))
        over_phase = 1 + np.cos(phase[:, None] - shift)
        part[:] = over_angle * over_frequency * over_phase + rng.normal(0, 0.1, part.shape)
    return responses


def loop(responses, table, labels):
    """Return circular variance, bandwidths, preferred orientation, F1/F0 and p, one unit at a time."""
    shown = table[~table["blank"]]
    angles = np.unique(shown["orientation_deg"])
    n_frequencies, n_phases = shown["spatial_frequency_cpp"].nunique(), shown["phase_deg"].nunique()
    phases = np.deg2rad(np.unique(shown["phase_deg"]))
    vector = np.exp(2j * np.deg2rad(angles))
    shuffled = vector[labels].reshape(len(labels), -1)
    rows = []
    for unit in range(responses.shape[1]):
        seen, tonic = responses[: len(shown), unit], max(0.0, responses[-1, unit])  # the blank is last
        rates = np.maximum(seen - tonic, 0).astype(np.float64)
        rates = rates.reshape(len(angles), n_frequencies, n_phases)
        mean = rates.mean(2)
        best, frequency = np.unravel_index(mean.argmax(), mean.shape)
        curve = mean[:, frequency]
        spline = CubicSpline(np.append(angles, angles[0] + 180), np.append(curve, curve[0]), bc_type="periodic")
        fine = spline(np.arange(0, 180, 0.5))
        strongest = rates[:, mean.mean(0).argmax()].ravel()
        size = abs(shuffled @ strongest)
        rows.append(
            (
                np.arange(0, 180, 0.5)[fine.argmax()],
                1 - abs(curve @ vector) / curve.sum(),
                half_width(fine),
                half_width(smooth(fine)),
                2 * abs(rates[best, frequency] @ np.exp(-1j * phases)) / n_phases / rates[best, frequency].mean(),
                np.mean(size >= size[0]),
            )
        )
    return np.array(rows)


def smooth(fine):
    distance = 0.5 * np.minimum(np.arange(360), 360 - np.arange(360))
    kernel = np.where(distance < 27, 1 + np.cos(np.pi * distance / 27), 0)
    return np.fft.ifft(np.fft.fft(fine) * np.fft.fft(kernel / kernel.sum())).real


def half_width(fine):
    turned = np.roll(fine, -fine.argmax())
    level = turned[0] / np.sqrt(2)
    width = 0.0
    for side in (turned, np.roll(turned[::-1], 1)):
        below = np.flatnonzero(side < level)
        if len(below) == 0:
            return np.nan
        at = below[0]
        width += at - 1 + (side[at - 1] - level) / (side[at - 1] - side[at])
    return width * 0.5 / 2


def compare(responses, table, labels):
    """Stop if the measure and the loop disagree; return the loop's seconds."""
    start = time.perf_counter()
    expected = loop(responses, table, labels)
    seconds = time.perf_counter() - start
    found = orientation(recording(responses, table), n_permutations=N_PERMUTATIONS).table
    columns = (
        "preferred_orientation_deg",
        "circular_variance",
        "bandwidth_deg",
        "bandwidth_smoothed_deg",
        "f1_f0",
        "p_permutation",
    )
    # the loop's peak is the nearest half degree of the spline (0.25), the measure's that of a parabola (0.05);
    # shuffles on the edge may fall either way in single precision
    allowed = (0.3, 1e-5, 0.1, 0.1, 1e-4, 2 / N_PERMUTATIONS)
    for number, (name, atol) in enumerate(zip(columns, allowed, strict=True)):
        difference = np.abs(found[name].to_numpy(np.float64) - expected[:, number])
        if name == "preferred_orientation_deg":
            difference = np.minimum(difference, 180 - difference)
        if np.nanmax(difference) > atol or (np.isnan(found[name]) != np.isnan(expected[:, number])).any():
            raise SystemExit(f"{name}: the measure and the loop differ by {np.nanmax(difference)}")
    print(f"same results as the loop on {responses.shape[1]} units")
    return seconds


def recording(responses, table):
    return Recording({"layer": xr.DataArray(responses, dims=("stimulus", "unit"))}, table)


def measure_s(given):
    start = time.perf_counter()
    orientation(given, n_permutations=N_PERMUTATIONS)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=100_000)
    n_units = parser.parse_args().units
    table = gratings(size=8).table
    responses = activity(table, n_units)
    labels = np.broadcast_to(np.arange(24)[:, None], (N_PERMUTATIONS, 24, 16))
    labels = np.concatenate([labels[:1], np.random.default_rng(0).permuted(labels, axis=1)])
    loop_s = compare(np.ascontiguousarray(responses[:, :LOOP_UNITS]), table, labels) / LOOP_UNITS * n_units
    seconds = min(measure_s(recording(responses, table)) for _ in range(3))
    print(
        f"{n_units:,} units × {len(table):,} stimuli, {N_PERMUTATIONS} permutations, {torch.get_num_threads()} threads"
    )
    print(f"measure             {seconds:8.2f} s   (best of 3)   limit {LIMIT_S:.0f} s for 100,000 units")
    print(f"loop over units     {loop_s:8.2f} s   (scaled from {LOOP_UNITS} units)")
    print(f"ratio               {loop_s / seconds:8.1f}")


if __name__ == "__main__":
    main()
