"""Every column of the lesion analysis: a row a dose, and a row a layer."""

from __future__ import annotations

from probekit.analysis import Column

NETWORKS = "trained: the network; untrained: its twin"
_TASK = "in the unit of the task"
_NO_SHAM = "there is no honest sham (see nan_reason)"
_NO_TEST = "there is no test (see nan_reason)"
_BH = "Benjamini & Hochberg 1995"

KEYS = (
    Column("network", "str", "Network that is lesioned", range=NETWORKS),
    Column("task", "str", "What it is asked to do"),
    Column("unit", "str", "Unit of the task's scores", range="empty: a pure number"),
    Column("layer", "str", "Lesioned layer; after a colon the part: of a recurrent layer, output is what later layers "
           "read, h the state inside the recurrence"),
    Column("ranking", "str", "What the units are ranked by; the highest are lesioned"),
)  # fmt: skip

TABLE = (
    *KEYS,
    Column("dose", "float", "Share of the layer's ranked units that is lesioned", "", "above 0, below 1"),
    Column("n_lesioned", "int", "Units lesioned", range="1 …"),
    Column("score_intact", "float", "Score of the intact network, mean over trials", _TASK),
    Column("score_targeted", "float", "Score without the highest-ranked units", _TASK),
    Column("score_sham", "float", "Mean score over shams: as many untargeted units, matched", _TASK, "", _NO_SHAM),
    Column("sham_sd", "float", "Standard deviation of the score over shams", _TASK, "0 …", _NO_SHAM),
    Column("score_random", "float", "Mean score over sets of units drawn at random from the whole layer", _TASK),
    Column("score_reversed", "float", "Score without the lowest-ranked units", _TASK),
    Column("effect", "float", "Targeted minus mean sham", _TASK, "", _NO_SHAM),
    Column("effect_low", "float", "Lower end of its 95 % bootstrap interval over trials and shams", _TASK, "",
           _NO_SHAM),
    Column("effect_high", "float", "Upper end of the same", _TASK, "", _NO_SHAM),
    Column("effect_size", "float", "Effect in standard deviations of the shams", "", "unbounded",
           f"{_NO_SHAM}, or all shams score alike"),
    Column("effect_adjusted", "float", "Targeted minus what sets with its covariates score, by regression over sets "
           "drawn from all units", _TASK),
    Column("p", "float", "Two-sided permutation p of the adjusted effect: sets drawn from all units, targets included, "
           "within strata of the covariates", "", "2 / (sets + 1) … 1", _NO_TEST, "Phipson & Smyth 2010"),
    Column("q", "float", "False discovery rate of p over the doses, layers, tasks and rankings of the network", "",
           "0 … 1", _NO_TEST, _BH),
    Column("p_random", "float", "Two-sided permutation p of the targeted score among sets drawn at random from all "
           "units, not matched", "", "2 / (sets + 1) … 1", "", "Phipson & Smyth 2010"),
    Column("detectable_effect", "float", "Effect that this test would find with a probability of .8", _TASK,
           "0 …; infinite where all sets alike are the target itself"),
    Column("n_sham", "int", "Sets of each kind of control"),
    Column("match_difference", "float", "Largest standardised difference of target and shams over what is matched",
           "standard deviations", "0: alike; above .25 poor; 0 where nothing is matched", _NO_SHAM, "Austin 2009"),
    Column("match_difference_before", "float", "The same of the target and all untargeted units",
           "standard deviations", "0 …", "", "Austin 2009"),
    Column("match", "str", "How good the match is", "", "good (up to .25), poor (up to .5), none, not asked"),
    Column("verdict", "str", "Whether the targeted units matter more than matched ones, by q ≤ .05", "",
           "more, less, no difference, not tested"),
    Column("nan_reason", "str", "Why values are missing", "", "empty: none is"),
)  # fmt: skip

SUMMARY = (
    *KEYS,
    Column("n_units", "int", "Ranked units of the layer"),
    Column("matched_on", "str", "What shams are matched on", "", "empty: nothing"),
    Column("n_doses", "int", "Doses with a test"),
    Column("n_more", "int", "Doses at which the target matters more than its shams"),
    Column("n_less", "int", "Doses at which it matters less"),
    Column("score_intact", "float", "Score of the intact network, mean over trials", _TASK),
    Column("score_largest_dose", "float", "Score at the largest dose", _TASK),
    Column("rank_correlation", "float", "Spearman correlation, over units lesioned one by one, of rank and damage", "",
           "-1 … 1; above 0: higher-ranked units do more", "single units were not lesioned, or all do alike"),
    Column("p_rank", "float", "Two-sided permutation p of the same", "", "0 … 1", "as above"),
    Column("rank_correlation_partial", "float", "The same without what the matched variables explain", "", "-1 … 1",
           "as above"),
    Column("p_rank_partial", "float", "Two-sided permutation p of the same", "", "0 … 1", "as above"),
    Column("n_single", "int", "Units lesioned one by one"),
    Column("pair_excess", "float", "Damage of pairs of the highest-ranked units minus that of their members alone",
           _TASK, "above 0: units stand in for each other", "pairs were not lesioned"),
    Column("pair_excess_low", "float", "Lower end of its 95 % bootstrap interval over pairs", _TASK, "", "as above"),
    Column("pair_excess_high", "float", "Upper end of the same", _TASK, "", "as above"),
    Column("verdict", "str", "What the doses say together", "",
           "more, less, mixed, depends on the dose, no difference, not tested"),
)  # fmt: skip
