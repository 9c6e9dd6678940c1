"""What the figures need, as labelled arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from probekit.analyses.studies.kuzovkin2018.measured import Measured
from probekit.analyses.studies.kuzovkin2018.verdicts import beyond, twins_of

ALIGNMENTS = (
    "tau", "low", "high", "p", "formula_p", "false_share", "n_pairs", "volume", "high_to_low",
    "beyond_twins", "beyond_low", "beyond_high",
)  # fmt: skip
_PLACE = ("model", "network", "seed", "variant", "brain")


def arrays(measured: Mapping[str, Sequence[Measured]], noise: Mapping[str, xr.DataArray]) -> dict[str, xr.DataArray]:
    """Return all arrays of the study.

    Parameters
    ----------
    measured : mapping of str to sequence of Measured
        By network.
    noise : mapping of str to xarray.DataArray
        By network, as `false_positives` returns it.

    Returns
    -------
    dict of str to xarray.DataArray
        "alignment", a row a system, variant and brain; "noise", of false positives; "layers 0" and so on, of each
        network and brain: mean score that counts and share of probes that count.
    """
    found = {
        "alignment": as_rows(pd.DataFrame([_row(one, of) for of in measured.values() for one in of]), ALIGNMENTS),
        "noise": xr.concat([one.expand_dims(model=[model]) for model, one in noise.items()], dim="model"),
    }
    for number, one in enumerate(_by_layer(measured)):
        found[f"layers {number}"] = one
    return found


def as_rows(table: pd.DataFrame, quantities: Sequence[str]) -> xr.DataArray:
    """Return a table as an array of its numbers, its words as coordinates of the rows."""
    words = {
        str(name): ("row", table[name].astype(str).to_numpy(dtype=str)) for name in table.columns.drop(list(quantities))
    }
    values = table[list(quantities)].to_numpy(dtype=np.float64)
    return xr.DataArray(values, dims=("row", "quantity"), coords={**words, "quantity": list(quantities)})


def as_table(rows: xr.DataArray) -> pd.DataFrame:
    """Return what `as_rows` was given, words as text."""
    words = {str(name): rows[name].to_numpy() for name in rows.coords if rows[name].dims == ("row",)}
    numbers = {str(name): rows.sel(quantity=name).to_numpy() for name in rows["quantity"].to_numpy()}
    return pd.DataFrame({**words, **numbers})


def _row(one: Measured, others: Sequence[Measured]) -> dict[str, object]:
    system, found = one.system, one.alignment
    place = (system.model, system.network, system.seed, one.variant.name, one.brain.kind)
    twins = twins_of(one, others) if system.network == "trained" else []
    more = beyond(one, twins) if twins else (np.nan, np.nan, np.nan)
    numbers = (
        found.tau, found.low, found.high, found.p, found.formula_p, found.false_share, found.n_pairs,
        one.volume, one.high_to_low, *more,
    )  # fmt: skip
    return dict(zip((*_PLACE, *ALIGNMENTS), (*place, *numbers), strict=True))


def _by_layer(measured: Mapping[str, Sequence[Measured]]) -> Iterator[xr.DataArray]:
    for of in measured.values():
        for brain in dict.fromkeys(one.brain for one in of):
            yield xr.concat([_of_layers(one) for one in of if one.brain is brain], dim="row")


def _of_layers(one: Measured) -> xr.DataArray:
    values = np.stack([one.by_area(one.counted), one.by_area((one.counted > 0).astype(np.float64))])
    system = one.system
    place = (system.model, system.network, str(system.seed), one.variant.name, one.brain.kind)
    return xr.DataArray(
        values[None],
        dims=("row", "number", "area", "layer"),
        coords={
            **{name: ("row", [value]) for name, value in zip(_PLACE, place, strict=True)},
            "number": ["score", "share"],
            "area": list(one.brain.regions),
            "layer": [str(name) for name in system.rdms.table["layer"]],
        },
    )


def layer_arrays(found: Mapping[str, xr.DataArray]) -> Iterable[xr.DataArray]:
    """Return the arrays "layers 0" and so on."""
    return [one for name, one in found.items() if name.startswith("layers ")]
