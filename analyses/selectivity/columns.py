"""Every column of the selectivity analysis: what it means, its range, what a missing value means, its source."""

from __future__ import annotations

from probekit.analysis import Column

_NO_UNIT = "constant activity, or activity that is not finite"
_NO_SIZE = f"{_NO_UNIT}; fewer than two stimuli on a side; or no variance on either side"
_NO_HALF = f"{_NO_UNIT}; fewer than two stimuli on a side of the half; or no variance there"
_FDR, _WELCH, _GREEN = "Benjamini & Hochberg 1995", "Welch 1947", "Green & Swets 1966"
NETWORKS = (
    "trained; untrained: the twin with fresh weights; pixels: the images themselves; gabor-pyramid: filters that "
    "learned nothing; IT: macaque neurons, of which a trial is a stimulus and an object a category"
)
_SHUFFLED = "labels shuffled over the stimuli of the contrast, by the same rule"

TABLE = (
    Column("network", "str", "Network of the unit", range=NETWORKS),
    Column("layer", "str", "Dotted name of the layer"),
    Column("call", "int", "Which call of a module that runs more than once", range="0 …; -1: it runs once"),
    Column("channel", "int", "Channel, or the place in a vector", range="0 …; -1: no such axis"),
    Column("y", "int", "Row of the unit in the feature map", range="0 …; -1: no such axis, or pooled"),
    Column("x", "int", "Column of the unit in the feature map, or the token", range="0 …; -1: no such axis, or pooled"),
    Column("address", "str", "layer[channel,y,x]"),
    Column("contrast", "str", "What is compared: the preferred categories against all others that are not scrambled, "
           "or as asked for"),
    Column("preferred_category", "str", "Category with the unit's largest mean response, whatever the contrast",
           range="those of the stimuli; none: constant activity, or activity that is not finite"),
    Column("mean_preferred", "float", "Mean activity over the stimuli that the contrast prefers",
           nan="activity that is not finite"),
    Column("mean_others", "float", "Mean activity over those that it is compared with",
           nan="activity that is not finite"),
    Column("d_prime", "float", "d′: difference of these means over the root of the mean of both variances over stimuli",
           "", "unbounded; 0: alike, 1: a standard deviation apart, below 0: prefers the others", _NO_SIZE, _GREEN),
    Column("selectivity_index", "float", "Difference of the means over their sum, no baseline subtracted", "",
           "-1: the others only … 0: alike … 1: the preferred only; 1/3: twice the response",
           f"{_NO_UNIT}; or activity below 0, with which the ratio means nothing", "Tsao 2006"),
    Column("t", "float", "Welch's t of the means", "", "unbounded; above 0: prefers", _NO_SIZE, _WELCH),
    Column("p", "float", "One-sided p of t: the preferred have the larger mean", "", "0 … 1", _NO_SIZE, _WELCH),
    Column("q", "float", "False discovery rate of p, over the units of the layer", "", "0 … 1", _NO_SIZE, _FDR),
    Column("d_prime_selected", "float", "d′ in one random half of each category's stimuli, by which units may be "
           "chosen", "", "unbounded", _NO_HALF, _GREEN),
    Column("d_prime_replicated", "float", "d′ in the other half, stimuli that had no part in that choice", "",
           "unbounded", _NO_HALF, _GREEN),
    Column("d_prime_scrambled", "float", "d′ of the preferred against scrambled stimuli", "", "unbounded",
           f"{_NO_SIZE}; or fewer than two scrambled stimuli", _GREEN),
    Column("selective", "bool", "q ≤ .05, d′ ≥ 1, d′ ≥ .5 in each half, and a larger mean response to the preferred "
           "than to scrambled stimuli, where there are some"),
    Column("nan_reason", "str", "Why values are missing; several are separated by '; '", "", "empty: none is"),
)  # fmt: skip

SUMMARY = (
    Column("network", "str", "Network of the layer", range=NETWORKS),
    Column("layer", "str", "Dotted name of the layer"),
    Column("depth", "int", "Place of the layer in the order of computation", range="0 …"),
    Column("contrast", "str", "What is compared"),
    Column("n_units", "int", "Units"),
    Column("n_measured", "int", "Units that have a d′"),
    Column("n_selective", "int", "Units that count as selective"),
    Column("selective_share", "float", "Selective units as a share of all units", "", "0 … 1", "no units"),
    Column("selective_by_chance", "float", f"Mean number of selective units with {_SHUFFLED}", "", "0 …"),
    Column("selective_by_chance_95", "float", "95th percentile of that number", "", "0 …"),
    Column("p_selective", "float", "p of the number of selective units against the shuffles", "", "above 0 … 1",
           source="Phipson & Smyth 2010"),
    Column("n_d_prime_1", "int", "Units with d′ ≥ 1, whatever else"),
    Column("n_chosen", "int", "Units that one half of the stimuli chooses (q ≤ .05 and d′ ≥ 1 there)"),
    Column("n_replicated", "int", "Of these, units with d′ ≥ .5 in the other half"),
    Column("replicated_share", "float", "The same as a share", "", "0 … 1", "no unit was chosen"),
    Column("median_d_prime_chosen", "float", "Median d′ of the chosen in the half that chose them", "", "1 …",
           "no unit was chosen", _GREEN),
    Column("median_d_prime_other_half", "float", "Median d′ of the same units in the other half", "", "unbounded",
           "no unit was chosen", _GREEN),
    Column("split_half_r", "float", "Correlation over units of d′ in one half with d′ in the other", "", "-1 … 1",
           "fewer than three units have both, or they do not vary"),
    Column("max_d_prime", "float", "Largest d′", "", "unbounded", "no unit has one", _GREEN),
    Column("median_d_prime", "float", "Median d′", "", "unbounded", "no unit has one", _GREEN),
    Column("index_share", "float", "Units with a selectivity index of 1/3 or more, as a share of those that have one",
           "", "0 … 1", "no unit has one", "Tsao 2006"),
    Column("p_vs_untrained", "float", "p of Fisher's exact test, one-sided: more selective units than in the untrained "
           "twin's same layer", "", "0 … 1", "no untrained twin, or not the trained network"),
    Column("q_vs_untrained", "float", "False discovery rate of it, over all layers and contrasts", "", "0 … 1",
           "no untrained twin, or not the trained network", _FDR),
)  # fmt: skip
