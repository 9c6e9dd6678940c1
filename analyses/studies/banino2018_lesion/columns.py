"""A row a specification: one network, place of the lesion, matching variable, task and dose."""

from __future__ import annotations

from probekit.analysis import Column

_CM = "cm"
_NO_SHAM = "there is no honest sham (see nan_reason)"
_NO_TEST = "there is no test (see nan_reason)"

SPECIFICATIONS = (
    Column("model", "str", "Network"),
    Column("network", "str", 'Whether it is "trained" or its "untrained" twin'),
    Column("site", "str", "Whether units are silenced inside the recurrence, or only for the layer that reads them"),
    Column("layer", "str", "Lesioned layer and part"),
    Column("task", "str", "What is measured"),
    Column("unit", "str", "Unit of the scores"),
    Column("ranking", "str", "What the units are ranked by; the highest are silenced"),
    Column("matched_on", "str", "What the shams share with the target", range="nothing, or variables"),
    Column("dose", "float", "Share of the layer's units that is silenced", range="above 0, below 1"),
    Column("n_lesioned", "int", "Units silenced"),
    Column("score_intact", "float", "Error of the intact network, mean over paths", _CM),
    Column("score_targeted", "float", "Error without the highest-ranked units", _CM),
    Column("score_sham", "float", "Mean error over matched shams", _CM, nan=_NO_SHAM),
    Column("sham_sd", "float", "Standard deviation of the error over shams", _CM, nan=_NO_SHAM),
    Column("score_random", "float", "Mean error over sets drawn at random from all units", _CM),
    Column("score_reversed", "float", "Error without the lowest-ranked units", _CM),
    Column("score_border", "float", "Error without as many of the most border-like units", _CM),
    Column("score_head_direction", "float", "Error without as many of the units most tuned to heading", _CM),
    Column("effect", "float", "Targeted minus mean sham", _CM, nan=_NO_SHAM),
    Column("effect_low", "float", "Lower end of its 95 % bootstrap interval over paths and shams", _CM, nan=_NO_SHAM),
    Column("effect_high", "float", "Upper end of the same", _CM, nan=_NO_SHAM),
    Column("effect_size", "float", "Effect in standard deviations of the shams",
           nan=f"{_NO_SHAM}, or all shams score alike"),
    Column("effect_adjusted", "float", "Targeted minus what sets with its covariates score, by regression", _CM),
    Column("p", "float", "Two-sided permutation p of the adjusted effect among sets drawn alike from all units",
           range="2 / (sets + 1) … 1", nan=_NO_TEST, source="Phipson & Smyth 2010"),
    Column("q", "float", "False discovery rate of p over all rows of one network and ranking", range="0 … 1",
           nan=_NO_TEST, source="Benjamini & Hochberg 1995"),
    Column("p_random", "float", "Two-sided permutation p among sets drawn at random from all units",
           range="2 / (sets + 1) … 1", source="Phipson & Smyth 2010"),
    Column("detectable_effect", "float", "Effect that this test would find with a probability of .8", _CM),
    Column("n_sham", "int", "Sets of each kind of control"),
    Column("match_difference", "float", "Largest standardised difference of target and shams", "standard deviations",
           "0: alike; above .25 poor; 0 where nothing is matched", _NO_SHAM, "Austin 2009"),
    Column("match_difference_before", "float", "The same of the target and all untargeted units",
           "standard deviations", source="Austin 2009"),
    Column("match", "str", "How good the match is", range="good (up to .25), poor (up to .5), none, not asked"),
    Column("verdict", "str", "Whether the targeted units matter more than matched ones, by q ≤ .05",
           range="more, less, no difference, not tested"),
    Column("nan_reason", "str", "Why values are missing", range="empty: none is"),
)  # fmt: skip
