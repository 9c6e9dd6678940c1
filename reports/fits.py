"""How well layers fit regions, drawn by depth: the network, its twins, the controls and the noise ceiling."""

from __future__ import annotations

import pandas as pd

from probekit.reports.by_depth import DASHED, Line, Reference, depth_panel
from probekit.reports.figures import TRAINED, UNTRAINED
from probekit.reports.section import Panel
from probekit.reports.words import interval, number, short_name

CEILING_SAID = (
    "Vertical lines: 95 % interval for other stimuli and, where there are several, other subjects; full marks: above 0 "
    "at q < 0.05. Dashed: untrained twins. Dotted: controls. Bar: noise ceiling, the best that any model could reach."
)
_ALPHA = 0.05


def fit_panels(fits: pd.DataFrame, model: str) -> tuple[Panel, ...]:
    """Return one panel a region: score by layer of a network and its twins, beside controls and noise ceiling.

    Parameters
    ----------
    fits : pandas.DataFrame
        Columns as `probekit.analyses.ventral.columns.FITS` declares them.
    model : str
        Which network.
    """
    panels = [_panel(str(region), rows, model) for region, rows in fits.groupby("region", sort=False)]
    return tuple(panel for panel in panels if panel is not None)


def best_said(fits: pd.DataFrame, model: str, region: str) -> str:
    """Return a sentence: which layer fits a region best and how well, beside twins, controls and ceiling."""
    rows = fits[(fits["region"] == region) & fits["score"].notna()]
    trained = rows[(rows["model"] == model) & (rows["network"] == "trained")]
    if trained.empty:
        return f"No layer of {model} tells the stimuli of {region} apart."
    best = trained.iloc[int(trained["score"].argmax())]
    beside = [f"{name} {number(score)}" for name, score in _others(rows, model).items()]
    low, high = float(best["ceiling_low"]), float(best["ceiling_high"])
    ceiling = f"; noise ceiling {interval(low, high)}" if low == low else ""
    return (
        f"{region} is fitted best by {short_name(str(best['layer']))} (score {number(float(best['score']))}, 95 % "
        f"interval {interval(float(best['score_low']), float(best['score_high']))}{ceiling}). The best of others: "
        f"{', '.join(beside)}."
    )


def _others(rows: pd.DataFrame, model: str) -> dict[str, float]:
    twins = rows[(rows["model"] == model) & (rows["network"] == "untrained")]
    controls = rows[rows["network"] == "control"]
    best = {"untrained twins": float(twins["score"].max())} if len(twins) else {}
    return best | {str(name): float(group["score"].max()) for name, group in controls.groupby("model", sort=False)}


def _panel(region: str, rows: pd.DataFrame, model: str) -> Panel | None:
    trained = rows[(rows["model"] == model) & (rows["network"] == "trained")].sort_values("depth", kind="stable")
    names = [str(name) for name in trained["layer"]]
    twins = rows[(rows["model"] == model) & (rows["network"] == "untrained")]
    lines = [
        Line(
            "untrained" if place == 0 else "",
            twin.set_index("layer")["score"].reindex(names).to_numpy(float),
            UNTRAINED,
            DASHED,
            1.2,
            marked=False,
        )
        for place, (_, twin) in enumerate(twins.groupby("seed"))
    ]
    scores, low, high = (trained[name].to_numpy(float) for name in ("score", "score_low", "score_high"))
    filled = trained["q"].to_numpy(float) < _ALPHA
    lines.append(Line("trained", scores, TRAINED, filled=filled, low=low, high=high))
    return depth_panel(_key(region), names, lines, f"{region}: similarity of RDMs", references=_references(rows))


def _references(rows: pd.DataFrame) -> tuple[Reference, ...]:
    low, high = float(rows["ceiling_low"].iloc[0]), float(rows["ceiling_high"].iloc[0])
    controls = rows[rows["network"] == "control"].groupby("model", sort=False)["score"].max()
    found = [Reference(str(name), float(score), float(score)) for name, score in controls.items()]
    return (*found, *([Reference("noise ceiling", low, high)] if low == low else []))


def _key(name: str) -> str:
    return "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in name.lower())
