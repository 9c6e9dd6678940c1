"""Which kind of cell each unit is, by significance, and how many would be by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from probekit.arguments import Floats, floats, instance, real
from probekit.errors import UsageError, unknown_name
from probekit.stats import benjamini_hochberg

TYPES = ("grid", "border", "head_direction", "place", "speed")
"""What a unit may be; one that is several is "mixed", one that is none "none"."""
LABELS = (*TYPES, "mixed", "none")
P_COLUMNS = ("grid_replaced", "grid_spectrum", "border", "head_direction", "place", "speed")
"""What `cell_types` takes: p of gridness against re-placed fields and against matched spectra; p of the border score,
of the mean vector length, of spatial information, of the speed score."""

_Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class CellTypes:
    """The kind of each unit.

    Parameters
    ----------
    table : DataFrame
        A row a unit, indexed as the p values were. `cell_type`: one of `LABELS`. For each type that was tested, by its
        name: bool, after correction; `p_<type>` and `q_<type>`: its p value and false discovery rate over the units;
        `uncorrected_<type>`: bool, by the same rule from p alone.
    alpha : float
    """

    table: pd.DataFrame
    alpha: float

    @property
    def tested(self) -> tuple[str, ...]:
        """Types that were tested, in the order of `TYPES`."""
        return tuple(name for name in TYPES if name in self.table)


def cell_types(p: pd.DataFrame, *, n_fields: Any = None, alpha: float = 0.05) -> CellTypes:
    """Return the kind of each unit, by significance after correction over units.

    Each type has one p value a unit, corrected by Benjamini & Hochberg over the units, type by type; a unit is of a
    type if q is at most `alpha`:

    - grid: the larger of the p values of gridness against re-placed fields and against matched spectra, so that both
      nulls are beaten;
    - border, head_direction, speed: the p value of that score;
    - place: that of spatial information, with one place field or more, in a unit that is neither grid nor border, which
      explain such information.

    A unit of more than one type is "mixed", of none "none". A p that is nan is no test: the unit is not of that type.

    Parameters
    ----------
    p : DataFrame
        A row a unit; columns as in `P_COLUMNS`. A type whose column is not there is not tested.
    n_fields : array, shape (unit,), optional
        Place fields of each unit; needed with "place". nan: none.
    alpha : float
        Between 0 and 1.

    Returns
    -------
    CellTypes

    Raises
    ------
    UsageError
        If a column is unknown, one of the two of grid is missing, or `n_fields` is missing or does not fit.

    Examples
    --------
    >>> p = pd.DataFrame({"border": [0.01, 0.5, 0.01], "speed": [0.8, 0.9, 0.001]})
    >>> cell_types(p).table["cell_type"].tolist()
    ['border', 'none', 'mixed']
    """
    alpha = real("alpha", alpha, "a number between 0 and 1", above=0, most=np.nextafter(1, 0))
    of_type = _p_of_types(p)
    has_field = _has_field(n_fields, len(p), needed="place" in of_type)
    q_of_type = {name: benjamini_hochberg(values) for name, values in of_type.items()}
    called = _called(q_of_type, has_field, alpha)
    columns: dict[str, Any] = {"cell_type": _labels(called)}
    columns |= called
    columns |= {f"p_{name}": values for name, values in of_type.items()}
    columns |= {f"q_{name}": values for name, values in q_of_type.items()}
    columns |= {f"uncorrected_{name}": values for name, values in _called(of_type, has_field, alpha).items()}
    return CellTypes(pd.DataFrame(columns, index=p.index), alpha)


def count_cell_types(types: CellTypes, untrained: CellTypes | None = None) -> pd.DataFrame:
    """Return how many units are of each type, beside how many are by chance and in the untrained twin.

    Parameters
    ----------
    types : CellTypes
    untrained : CellTypes, optional
        Of the same network before training, measured in the same way.

    Returns
    -------
    DataFrame
        A row for each of `LABELS`. Whole numbers but for the expected ones; nan or <NA> where it has no meaning or was
        not tested.

        - `n_units`: units with that label;
        - `n_significant`: units of that type after correction, mixed ones too;
        - `n_expected_false`: how many of these are false, at most, on average;
        - `n_uncorrected`: units of that type by p alone, as most papers count them;
        - `n_expected_uncorrected`: how many would be by chance, at most: alpha times the units tested;
        - `untrained_n_units`, `untrained_n_significant`, `untrained_n_uncorrected`: the same of the twin.

    Raises
    ------
    UsageError
        If the twin was tested for other types or at another alpha.
    """
    counts = _counts(instance("types", types, CellTypes))
    if untrained is None:
        return counts
    instance("untrained", untrained, CellTypes)
    if untrained.tested != types.tested or untrained.alpha != types.alpha:
        raise UsageError(
            f"untrained was tested for {', '.join(untrained.tested)} at alpha {untrained.alpha:g}; expected "
            f"{', '.join(types.tested)} at {types.alpha:g}, as the trained network."
        )
    whole = ["n_units", "n_significant", "n_uncorrected"]
    return counts.join(_counts(untrained)[whole].add_prefix("untrained_"))


def _p_of_types(p: pd.DataFrame) -> dict[str, Floats]:
    instance("p", p, pd.DataFrame)
    given = {str(name): floats(f"p of {name}", p[name]) for name in p.columns}
    for name in given:
        if name not in P_COLUMNS:
            raise unknown_name("column of p values", name, P_COLUMNS)
    grid = [given[name] for name in P_COLUMNS[:2] if name in given]
    if not given or not len(p) or len(grid) == 1:
        raise UsageError(
            f"p has {len(p)} rows and columns {', '.join(given) or 'none'}; expected a row a unit, and columns of "
            f"{', '.join(P_COLUMNS)}: grid_replaced and grid_spectrum only together."
        )
    found = {"grid": np.maximum(*grid)} if grid else {}
    return found | {name: given[name] for name in TYPES if name in given}


def _has_field(n_fields: Any, n_units: int, *, needed: bool) -> _Mask:
    if n_fields is None and not needed:
        return np.zeros(n_units, dtype=np.bool_)
    if n_fields is None:
        raise UsageError("n_fields is missing; a place cell has one field or more: expected the number of each unit.")
    numbers = floats("n_fields", n_fields)
    if numbers.shape != (n_units,):
        raise UsageError(f"n_fields has shape {numbers.shape}; expected one number for each of {n_units} units.")
    return np.asarray(numbers >= 1)


def _called(values: dict[str, Floats], has_field: _Mask, alpha: float) -> dict[str, _Mask]:
    called = {name: np.asarray(of_units <= alpha) for name, of_units in values.items()}
    if "place" in called:
        called["place"] = called["place"] & has_field
        for explains in ("grid", "border"):
            if explains in called:
                called["place"] = called["place"] & ~called[explains]
    return called


def _labels(called: dict[str, _Mask]) -> list[str]:
    names = np.array([*called, "mixed", "none"])
    masks = np.stack(list(called.values()))
    several = masks.sum(0)
    chosen = np.where(several > 1, len(called), np.where(several == 0, len(called) + 1, masks.argmax(0)))
    return [str(name) for name in names[chosen]]


def _counts(types: CellTypes) -> pd.DataFrame:
    table, rows = types.table, []
    for label in LABELS:
        row: dict[str, Any] = {"cell_type": label, "n_units": int((table["cell_type"] == label).sum())}
        if label in types.tested:
            row["n_significant"] = int(table[label].sum())
            row["n_expected_false"] = types.alpha * row["n_significant"]
            row["n_uncorrected"] = int(table[f"uncorrected_{label}"].sum())
            row["n_expected_uncorrected"] = types.alpha * int(table[f"p_{label}"].notna().sum())
        elif label in TYPES:
            row["n_units"] = pd.NA
        rows.append(row)
    names = ["n_units", "n_significant", "n_expected_false", "n_uncorrected", "n_expected_uncorrected"]
    counts = pd.DataFrame(rows).set_index("cell_type").reindex(columns=names)
    return counts.astype({name: "Float64" if "expected" in name else "Int64" for name in names})
