"""Selectivity: which units prefer a category, on other stimuli too and beyond what shuffled labels give."""

from __future__ import annotations

from probekit.analyses.selectivity.assemble import assemble
from probekit.analyses.selectivity.columns import SUMMARY, TABLE
from probekit.analyses.selectivity.contrasts import Contrasts, design_of
from probekit.analyses.selectivity.measure import Options, measure_units
from probekit.analyses.selectivity.protocol import run_protocol
from probekit.analysis import Analysis, Source
from probekit.arguments import instance, whole
from probekit.recording import Recording
from probekit.result import Result

__all__ = ["ANALYSIS", "selectivity"]


def selectivity(
    recording: Recording,
    *,
    label: str = "category",
    contrasts: Contrasts | None = None,
    scrambled: str = "scrambled",
    n_shuffles: int = 100,
    seed: int = 0,
    network: str = "trained",
) -> Result:
    r"""Return how selective every unit is for labelled stimuli, images or sequences.

    With m and v the mean and the variance of a unit's activity over the stimuli of either side of a contrast,

    - d′ is :math:`(m_1 - m_2) / \sqrt{(v_1 + v_2) / 2}`;
    - the selectivity index is :math:`(m_1 - m_2) / (m_1 + m_2)`, for activity that is never below 0;
    - t is Welch's, its p one-sided (the preferred have the larger mean), q its false discovery rate over the layer;
    - `d_prime_selected` and `d_prime_replicated` are d′ in two random halves of the stimuli of each label.

    A unit is `selective` with q ≤ .05, d′ ≥ 1, d′ ≥ .5 in each half, and a larger mean response to the preferred than
    to scrambled stimuli. The summary says how many such units labels give that are shuffled over the stimuli.

    Parameters
    ----------
    recording : Recording
        Of stimuli with a label each. A time axis is averaged over; every place of a feature map is a unit of its own
        (`probekit.Units(space="mean")` records the mean over places instead).
    label : str
        Column of the stimulus table.
    contrasts : mapping, optional
        Name → a label or a list of labels that are preferred, such as ``{"animate": ["faces", "bodies"]}``, against all
        others but the scrambled; or a tuple of two: preferred, and what they are compared with. Default: each label
        against all others.
    scrambled : str
        Label of stimuli that are a control; there need not be any.
    n_shuffles : int
        Shuffles of the labels behind the number of selective units by chance, at least 20.
    seed : int
        Of the halves and the shuffles.
    network : str
        What to write into the column `network`.

    Returns
    -------
    Result
        Columns as `ANALYSIS` declares them. Lesion targets are rows of the table:
        ``result.table.query("selective and contrast == 'faces'")``.

    Raises
    ------
    UnknownNameError
        If the stimuli have no such column, or a contrast names a label that they do not have.
    UsageError
        If labels are missing, there are fewer than two, or a contrast has the same label on both sides.

    Examples
    --------
    >>> import numpy as np, pandas as pd, xarray as xr
    >>> rng = np.random.default_rng(0)
    >>> shown = pd.DataFrame({"category": ["faces"] * 30 + ["places"] * 30})
    >>> activity = rng.normal(10, 1, (60, 3))
    >>> activity[:30, 1] += 3
    >>> recording = Recording({"area": xr.DataArray(activity, dims=("stimulus", "unit"))}, shown)
    >>> found = selectivity(recording, n_shuffles=20).table.query("selective")
    >>> list(found["address"]), list(found["contrast"])
    (['area[1]'], ['faces'])
    """
    instance("recording", recording, Recording)
    options = Options(whole("n_shuffles", n_shuffles, 20), whole("seed", seed, 0))
    design = design_of(recording.stimuli, label=label, contrasts=contrasts, scrambled=scrambled, seed=options.seed)
    measured = {network: measure_units(network, recording, design, options)}
    said = {"recordings": {network: dict(recording.provenance)}}
    return assemble(measured, design, options, said, label=label)


ANALYSIS = Analysis(
    name="selectivity",
    title="Category selectivity",
    description="Which units prefer faces, bodies, places, characters or objects, beyond chance and on other images",
    networks="networks that take square images with 3 channels",
    columns=TABLE,
    summary_columns=SUMMARY,
    sources=(
        Source("Stigliani, Weiner & Grill-Spector 2015, Temporal processing capacity in high-level visual cortex is "
               "domain specific, J Neurosci 35:12412", "10.1523/JNEUROSCI.4822-14.2015"),
        Source("Tsao, Freiwald, Tootell & Livingstone 2006, A cortical region consisting entirely of face-selective "
               "cells, Science 311:670", "10.1126/science.1119983"),
        Source("Aparicio, Issa & DiCarlo 2016, Neurophysiological organization of the middle face patch in macaque "
               "inferior temporal cortex, J Neurosci 36:12729", "10.1523/JNEUROSCI.0237-16.2016"),
        Source("Zhang et al. 2011, Object decoding with attention in inferior temporal cortex, PNAS 108:8850",
               "10.1073/pnas.1100999108"),
        Source("Welch 1947, The generalization of 'Student's' problem when several different population variances are "
               "involved, Biometrika 34:28", "10.1093/biomet/34.1-2.28"),
        Source("Benjamini & Hochberg 1995, Controlling the false discovery rate, J R Stat Soc B 57:289",
               "10.1111/j.2517-6161.1995.tb02031.x"),
        Source("Phipson & Smyth 2010, Permutation P-values should never be zero, Stat Appl Genet Mol Biol 9:39",
               "10.2202/1544-6115.1585"),
    ),
    measure=selectivity,
    protocol=run_protocol,
    unasked=False,
)  # fmt: skip
