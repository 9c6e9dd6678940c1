"""From measured networks to one Result: tables together, the twin beside the network, where every number came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pandas as pd
import xarray as xr

import probekit
from probekit.analyses.selectivity.contrasts import Design
from probekit.analyses.selectivity.measure import Measured, Options
from probekit.analyses.selectivity.published import published
from probekit.analyses.selectivity.rule import ALPHA, REPLICATED_D_PRIME, SELECTIVE_D_PRIME
from probekit.analyses.selectivity.summary import against_twin
from probekit.result import Result


def assemble(
    measured: Mapping[str, Measured],
    design: Design,
    options: Options,
    said: Mapping[str, Any],
    *,
    label: str,
    arrays: Mapping[str, xr.DataArray] | None = None,
    notes: tuple[str, ...] = (),
) -> Result:
    """Return one Result of all networks.

    Parameters
    ----------
    measured : mapping of str to Measured
        Value of the column `network` → its units.
    design : Design
        Of the stimuli that the networks were shown.
    options : Options
    said : mapping
        What goes into the provenance besides.
    label : str
        Column of the stimulus table.
    arrays : mapping, optional
    notes : tuple of str
        Put first.
    """
    table = pd.concat([one.table for one in measured.values()], ignore_index=True)
    summary = against_twin(pd.concat([one.summary for one in measured.values()], ignore_index=True))
    sides = {
        name: {
            side: [one for one, of_it in zip(design.labels, design.of_label, strict=True) if (of_it & rows).any()]
            for side, rows in (("preferred", design.preferred[place]), ("against", design.against[place]))
        }
        for place, name in enumerate(design.names)
    }
    parameters = {
        "label": label,
        "contrasts": sides,
        "n_stimuli": len(design.scrambled),
        "n_scrambled": int(design.scrambled.sum()),
        "alpha": ALPHA,
        "selective_d_prime": SELECTIVE_D_PRIME,
        "replicated_d_prime": REPLICATED_D_PRIME,
        **{name: value for name, value in asdict(options).items() if name != "seed"},
    }
    provenance = {
        "probekit": probekit.__version__,
        "seed": options.seed,
        "parameters": parameters,
        "published": [{str(key): value for key, value in row.dropna().items()} for _, row in published().iterrows()],
        **said,
    }
    return Result("selectivity", table, summary, dict(arrays or {}), provenance, (*notes, *_said(measured)))


def _said(measured: Mapping[str, Measured]) -> list[str]:
    """Return every note once, with the names of the networks where it is not said of all."""
    networks: dict[str, list[str]] = {}
    for network, one in measured.items():
        for note in one.notes:
            networks.setdefault(note, []).append(network)
    return [note if len(of) == len(measured) else f"{', '.join(of)}: {note}" for note, of in networks.items()]
