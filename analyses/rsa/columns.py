"""The columns of representational similarity."""

from __future__ import annotations

from probekit.analyses.ventral.columns import FITS
from probekit.analysis import Column

TABLE = FITS

SUMMARY = (
    Column("model", "str", "Network, or the control that is none: pixels, gabor energy, categories"),
    Column("network", "str", 'Whether it is "trained", "untrained" or a "control"'),
    Column("seed", "int", "Of the untrained twin", range="0 for all others"),
    Column("layer", "str", "Layer of the network; of a control, what it is"),
    Column("depth", "float", "Place of the layer in the order of computation", range="0 (first) … 1 (last)",
           nan="a control has no depth"),
    Column("best_region", "str", "Region that it fits best, as a share of the region's lower noise ceiling where there "
           "is one"),
    Column("best_score", "float", "Similarity of the RDMs there, mean over subjects", range="−1 … 1",
           nan="the layer does not tell the stimuli apart", source="Kriegeskorte 2008"),
    Column("best_score_low", "float", "Lower end of its 95 % interval", nan="best_score is missing"),
    Column("best_score_high", "float", "Upper end of its 95 % interval", nan="best_score is missing"),
    Column("n_significant", "int", "Regions that it fits above 0 (q < 0.05)"),
)  # fmt: skip
