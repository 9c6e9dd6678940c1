"""The columns that every comparison with cortical areas shares."""

from __future__ import annotations

from probekit.analysis import Column

FITS = (
    Column("model", "str", "Network, or the control that is none: pixels, gabor energy, categories"),
    Column("network", "str", 'Whether it is "trained", "untrained" or a "control"'),
    Column("seed", "int", "Of the untrained twin", nan="", range="0 for all others"),
    Column("layer", "str", "Layer of the network; of a control, what it is"),
    Column("depth", "float", "Place of the layer in the order of computation", range="0 (first) … 1 (last)",
           nan="a control has no depth"),
    Column("region", "str", "Cortical area, or other system, compared with"),
    Column("score", "float", "Similarity of the RDMs, mean over subjects", range="−1 … 1",
           nan="the layer does not tell the stimuli apart: all distances are the same, or none is defined",
           source="Kriegeskorte 2008"),
    Column("score_low", "float", "Lower end of its 95 % interval", nan="score is missing"),
    Column("score_high", "float", "Upper end of its 95 % interval", nan="score is missing"),
    Column("p", "float", "Of a score above 0, one-sided, generalising as the interval does",
           range="0 … 1", nan="score is missing"),
    Column("q", "float", "False discovery rate over the rows of one model and region", range="0 … 1",
           nan="score is missing", source="Benjamini & Hochberg 1995"),
    Column("ceiling_low", "float", "Lower noise ceiling: a subject against the mean of the others", range="−1 … 1",
           nan="one subject only", source="Nili 2014"),
    Column("ceiling_high", "float", "Upper noise ceiling: a subject against the mean of all", range="−1 … 1",
           nan="one subject only", source="Nili 2014"),
    Column("n_subjects", "int", "Subjects, or sessions, of the region"),
)  # fmt: skip
"""One row a layer and region."""

CLAIMS = (
    Column("claim", "str", "What the publication says"),
    Column("model", "str", "Network on which it was tested; empty where it is not about one"),
    Column("variant", "str", '"as published" or "clean", or which choices were made'),
    Column("published", "str", "What the publication found, in its own measure"),
    Column("ours", "str", "What was found here, in words"),
    Column("value", "float", "The number behind it", nan="not tested, or not one number"),
    Column("value_low", "float", "Lower end of its 95 % interval", nan="as value, or it has none"),
    Column("value_high", "float", "Upper end of its 95 % interval", nan="as value, or it has none"),
    Column("p", "float", "Of the test behind the verdict", range="0 … 1", nan="an interval stands instead, or nothing"),
    Column("verdict", "str", '"agrees", "differs", "undecided" or "not tested"'),
    Column("reason", "str", "Why it could not be tested, or what the verdict rests on"),
)  # fmt: skip
"""One row a claim: theirs beside ours."""
