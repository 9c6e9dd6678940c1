"""Statistics that analyses share: tests over subjects, over time, corrections, resampling, reliability, latencies."""

from __future__ import annotations

from probekit.stats.bootstrap import Draws, resamples
from probekit.stats.clusters import Clusters, cluster_permutation
from probekit.stats.fdr import Floats, benjamini_hochberg
from probekit.stats.isotonic import isotonic
from probekit.stats.jackknife import Jackknife, corrected_f, corrected_t, jackknife, jackknife_of_mean
from probekit.stats.ks import KSBins, bin_for_ks, ks_distance
from probekit.stats.latency import onset_latency, peak_latency
from probekit.stats.matching import matched_sets, standardized_differences
from probekit.stats.permutation import two_sided_p
from probekit.stats.reliability import spearman_brown, split_half
from probekit.stats.sign_permutation import max_sign_permutation, sign_permutation

__all__ = [
    "Clusters",
    "Draws",
    "Floats",
    "Jackknife",
    "KSBins",
    "benjamini_hochberg",
    "bin_for_ks",
    "cluster_permutation",
    "corrected_f",
    "corrected_t",
    "isotonic",
    "jackknife",
    "jackknife_of_mean",
    "ks_distance",
    "matched_sets",
    "max_sign_permutation",
    "onset_latency",
    "peak_latency",
    "resamples",
    "sign_permutation",
    "spearman_brown",
    "split_half",
    "standardized_differences",
    "two_sided_p",
]
