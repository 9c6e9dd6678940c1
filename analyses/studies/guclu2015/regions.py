"""Best layers of two regions: what became of the claim, from one way of analysis and from all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from probekit.analyses.studies.guclu2015.choices import (
    FORMS,
    MAIN,
    N_RESAMPLES,
    N_RESAMPLES_QUICK,
    RAW,
    Representations,
    View,
    cells,
    numbers,
)
from probekit.analyses.ventral.claims import Claim, Verdict, direction
from probekit.analyses.ventral.depths import Depths, depths
from probekit.analyses.ventral.representations import Form
from probekit.analyses.ventral.resampling import n_resamples
from probekit.rsa import RDMs
from probekit.study import StudyOptions

CLAIM = "The deeper a region, the deeper the layer that fits it best"
THEIRS = "An explicit gradient of feature complexity along the ventral stream (abstract; voxels, encoding)"
NOT_THEIRS = "Not in the abstract"


@dataclass(frozen=True, eq=False)
class Viewer:
    """A network that saw the images.

    Parameters
    ----------
    model : str
    network : {"trained", "untrained"}
    seed : int
        Of an untrained twin.
    seen : mapping of View to mapping of Form to RDMs
    """

    model: str
    network: str
    seed: int
    seen: Representations

    @property
    def first(self) -> View:
        """The view that the study rests on."""
        return next(iter(self.seen))


@dataclass(frozen=True)
class Pair:
    """Two regions that are compared.

    Parameters
    ----------
    shallow, deep : str
        The one that is expected to fit early layers, and the one that is expected to fit late ones.
    kind : str
        Such as "planted"; "" if measured.
    """

    shallow: str
    deep: str
    kind: str = ""

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.deep} minus {self.shallow}"


@dataclass(frozen=True, eq=False)
class Found:
    """Where the best layers of a pair of regions lie in each network.

    Parameters
    ----------
    pair : Pair
    table : pandas.DataFrame
        One row a network and form: `pair, kind, model, network, seed, form, shallow_layer, deep_layer` and the columns
        of `choices.numbers`.
    bootstraps : dict of (model, network, seed, str(form)) to Depths
    cells : pandas.DataFrame
        One row a network and cell, see `choices.cells`, with `pair, kind, model, network`.
    """

    pair: Pair
    table: pd.DataFrame
    bootstraps: dict[tuple[str, str, int, str], Depths]
    cells: pd.DataFrame


def best_layers(viewers: Sequence[Viewer], regions: Mapping[str, RDMs], pair: Pair, options: StudyOptions) -> Found:
    """Return where the best layers of the pair lie: in the two main forms with care, in all cells more quickly.

    An untrained twin is looked at in the main form. Cells are those of the viewers whose RDMs have all forms, in the
    ways in which they saw the images.
    """
    rows, bootstraps, tables = [], {}, []
    ends = (pair.shallow, pair.deep)
    for done, viewer in enumerate(viewers):
        options.progress("bootstrapping best layers", done, len(viewers))
        head = {"pair": str(pair), "kind": pair.kind, "model": viewer.model, "network": viewer.network}
        for form in (MAIN, RAW) if viewer.network == "trained" else (MAIN,):
            found = depths(
                viewer.seen[viewer.first][form], regions, shallow=pair.shallow, deep=pair.deep,
                n_resamples=n_resamples(options), seed=options.seed,
            )  # fmt: skip
            bootstraps[viewer.model, viewer.network, viewer.seed, str(form)] = found
            best = {f"{end}_layer": found.layers[found.best[name]] for end, name in zip(_ENDS, ends, strict=True)}
            rows.append(head | {"seed": viewer.seed, "form": str(form)} | best | numbers(found))
        if len(viewer.seen[viewer.first]) == len(FORMS):
            n = N_RESAMPLES_QUICK if options.quick else N_RESAMPLES
            tables.append(cells(viewer.seen, regions, ends, n_resamples=n, seed=options.seed).assign(**head))
    options.progress("bootstrapping best layers", len(viewers), len(viewers))
    return Found(pair, pd.DataFrame(rows), bootstraps, pd.concat(tables, ignore_index=True))


_ENDS = ("shallow", "deep")


def claims(found: Found, model: str) -> Iterator[Claim]:
    """Yield what became of the claim in one network: in both main forms, beside its twin, over all cells."""
    table = found.table[found.table["model"] == model]
    for form in (MAIN, RAW):
        for _, row in table[table["form"] == str(form)].iterrows():
            yield _difference(row, form, found.pair)
            if row["network"] == "trained":
                yield _trend(row, form, found.pair)
    yield from _against_twin(found, model)
    of_model = found.cells[found.cells["model"] == model]
    for (_, _), chosen in of_model.groupby(["network", "standardize"], sort=False):
        yield _share(chosen, model, found.pair)


def _variant(form: Form, network: str, seed: int, kind: str) -> str:
    twin = f"; untrained twin, seed {seed}" if network == "untrained" else ""
    return f"clean, by region: {form}{twin}{f'; {kind}' if kind else ''}"


def _difference(row: pd.Series, form: Form, pair: Pair) -> Claim:
    far = abs(int(row["difference"]))
    words = "deeper than" if row["difference"] > 0 else "shallower than" if row["difference"] < 0 else "the same as"
    by = f"{far} of {row['n_layers']:.0f} layers " if far else ""
    ours = (
        f"Best layer of {pair.deep}: {row['deep_layer']}, {by}{words} that of {pair.shallow}, {row['shallow_layer']} "
        f"(95 % {round(row['low'])} … {round(row['high'])})"
    ).replace("-", "−")
    untrained = row["network"] == "untrained"
    return Claim(
        f"{CLAIM} – of an untrained network too" if untrained else CLAIM,
        row["model"], _variant(form, row["network"], row["seed"], pair.kind), NOT_THEIRS if untrained else THEIRS, ours,
        direction(row["low"], row["high"]), "By whether the interval of the difference excludes 0",
        row["difference"], row["low"], row["high"],
    )  # fmt: skip


def _trend(row: pd.Series, form: Form, pair: Pair) -> Claim:
    return Claim(
        "With depth, layers fit the deeper region more and more, compared with the shallower one",
        row["model"], _variant(form, row["network"], row["seed"], pair.kind), THEIRS,
        f"Rank correlation of depth with the fit of {pair.deep} minus that of {pair.shallow}: {row['trend']:.2f} "
        f"(95 % {row['trend_low']:.2f} … {row['trend_high']:.2f})".replace("-", "−"),
        direction(row["trend_low"], row["trend_high"]), "By whether the interval of the correlation excludes 0",
        row["trend"], row["trend_low"], row["trend_high"],
    )  # fmt: skip


def _against_twin(found: Found, model: str) -> Iterator[Claim]:
    """Yield how the trend of a network compares with that of its twins in the same resamples."""
    trained = found.bootstraps[model, "trained", 0, str(MAIN)]
    twins = [
        one
        for (name, network, _, form), one in found.bootstraps.items()
        if (name, network, form) == (model, "untrained", str(MAIN))
    ]
    if not twins:
        return
    more = trained.trend - np.mean([one.trend for one in twins], axis=0)
    observed = trained.observed_trend - float(np.mean([one.observed_trend for one in twins]))
    low, high = trained.interval(more)
    yield Claim(
        "The gradient is learned: steeper than in an untrained network",
        model, _variant(MAIN, "trained", 0, found.pair.kind), NOT_THEIRS,
        f"Rank correlation of depth with the fit of {found.pair}: {observed:+.2f} beside the mean of "
        f"{len(twins)} untrained twins (95 % {low:+.2f} … {high:+.2f})".replace("-", "−"),
        direction(low, high), "By whether the interval of the difference excludes 0; same images and subjects drawn",
        observed, low, high,
    )  # fmt: skip


def _share(chosen: pd.DataFrame, model: str, pair: Pair) -> Claim:
    deeper, rising = chosen["low"] > 0, chosen["trend_low"] > 0
    n, both = len(chosen), int((deeper & rising).sum())
    opposite = int(((chosen["high"] < 0) | (chosen["trend_high"] < 0)).sum())
    verdict: Verdict = "agrees" if both == n else "differs" if not both and opposite else "undecided"
    first = chosen.iloc[0]
    twin = "; untrained twin" if first["network"] == "untrained" else ""
    kind = f"; {pair.kind}" if pair.kind else ""
    return Claim(
        f"{CLAIM} – whichever way it is analysed",
        model, f"clean, by region: every {first['standardize']} cell{twin}{kind}", NOT_THEIRS,
        f"Of {n} ways, {deeper.sum()} put the best layer of {pair.deep} deeper than that of {pair.shallow}, in "
        f"{rising.sum()} the trend rises, and in {both} both, with intervals that exclude 0; {opposite} say the "
        "opposite of one",
        verdict, "Agrees if all ways show both; differs if none does and one says the opposite", both / n,
    )  # fmt: skip
