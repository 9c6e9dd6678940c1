"""Windowed gratings, one table row each: patches, annuli, plaids, colour modulations, and drifting ones."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from probekit.errors import UsageError, check_option, unknown_name
from probekit.stimuli.base import IMAGE_DIMS, NUMBER, Stimuli, count, table_digest
from probekit.stimuli.cones import COLOURS, cone_contrasts, rgb_direction
from probekit.stimuli.sine import waves

_RANGES: dict[str, tuple[float, float, str]] = {
    "spatial_frequency_cpp": (1e-6, 0.5, "above 0 and at most 0.5 cycles a pixel"),
    "contrast": (0, 1, "0 … 1"),
    "mask_contrast": (0, 1, "0 … 1"),
    "outer_radius_px": (1e-6, math.inf, "above 0"),
    "inner_radius_px": (0, math.inf, "at least 0"),
    "temporal_frequency_cpf": (0, 0.5, "0 … 0.5 cycles a frame"),
}
_COLUMNS = (
    "series",
    "centre_y_px",
    "centre_x_px",
    "outer_radius_px",
    "inner_radius_px",
    "orientation_deg",
    "spatial_frequency_cpp",
    "phase_deg",
    "contrast",
    "mask_orientation_deg",
    "mask_phase_deg",
    "mask_contrast",
    "colour",
    "temporal_frequency_cpf",
)
_WORDS = ("series", "colour")
_NUMBERS = tuple(name for name in _COLUMNS if name not in _WORDS)
_NOT_OF_BLANKS = ["orientation_deg", "spatial_frequency_cpp", "phase_deg", "mask_orientation_deg", "mask_phase_deg"]


def crossed(columns: Mapping[str, Sequence[Any] | np.ndarray | str | float]) -> pd.DataFrame:
    """Return every combination of these values, one row each; the last column varies fastest.

    Parameters
    ----------
    columns : mapping of str to values
        Column → its values; a single one stands in every row.

    Raises
    ------
    UsageError
        If there is no column, or a value is neither a single one nor a sequence.

    Examples
    --------
    >>> crossed({"series": "size", "outer_radius_px": [4, 8], "phase_deg": [0, 180]}).to_numpy().tolist()
    [['size', 4, 0], ['size', 4, 180], ['size', 8, 0], ['size', 8, 180]]
    """
    if not isinstance(columns, Mapping) or not columns:
        raise UsageError(f"columns is {columns!r}; expected a mapping of column to its values, of one or more.")
    levels = {name: [values] if isinstance(values, str | int | float) else values for name, values in columns.items()}
    for name, values in levels.items():
        if not isinstance(values, Sequence | np.ndarray):
            raise UsageError(f"column {name} is {values!r}; expected a value, or a sequence of values.")
    return pd.MultiIndex.from_product(list(levels.values()), names=list(levels)).to_frame(index=False)


def grating_patches(
    rows: pd.DataFrame, *, size: int = 224, channels: int = 3, n_frames: int | None = None, edge_px: float = 1.0
) -> Stimuli:
    r"""Return gratings seen through a round window on mean grey, one a row of a table.

    A channel with weight d (its share of the colour direction) is :math:`\tfrac12 + \tfrac d2\,w\,(c \cos a + c_m
    \cos a_m)`, where :math:`a = 2\pi f (x\sin\theta + y\cos\theta) + \varphi + 2\pi\omega t`, with x to the right and
    y down in pixels from the centre *of the patch*, so that the phase goes with the patch; a_m is the same of the mask,
    the second grating of a plaid, which shares window, frequency f and drift ω with the first. The window w is 1 from
    the inner to the outer radius and 0 elsewhere, with a linear edge `edge_px` wide that is centred on the radius: the
    disc of a radius and the annulus from that radius on add up to the whole.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a stimulus, as `crossed` makes them; several series may be put together with `pandas.concat`. Columns
        that are missing, and values that are nan, take what is said here:

        - `series`: a name for what the row belongs to (""),
        - `centre_y_px`, `centre_x_px`: centre of the patch, from the upper left pixel (centre of the image),
        - `outer_radius_px`: inf is the whole field (inf), `inner_radius_px`: of an annulus (0),
        - `orientation_deg`: of the bars, 0° horizontal, counter-clockwise (0), `phase_deg` (0),
        - `spatial_frequency_cpp`: cycles a pixel, above 0 … 0.5 (needed, except of blanks),
        - `contrast`: Michelson, 0 … 1 (1); with `mask_contrast` at most 1,
        - `mask_contrast` (0), `mask_orientation_deg` (90° from the first), `mask_phase_deg` (0),
        - `colour`: "luminance", "l-m" or "s", see `probekit.stimuli.cones` ("luminance"),
        - `temporal_frequency_cpf`: cycles a frame, 0 … 0.5; the grating moves towards orientation_deg + 90°
          (0: right, 90: up), so that orientations over 360° are directions over 360° (0).
    size : int
        Height and width in pixels.
    channels : int
        3 for colours; any number has the same luminance in each.
    n_frames : int, optional
        Makes a time axis of so many frames. Default: still images without one.
    edge_px : float
        Above 0. 1 is an edge smoothed over one pixel.

    Returns
    -------
    Stimuli
        Its table has every column above and `blank`: both contrasts are 0. The orientation, frequency and phase of a
        blank are nan, as in `probekit.stimuli.gratings`. With frames there is also `direction_deg`.

    Raises
    ------
    UsageError
        If a column is not known, a value is out of its range, or a colour needs three channels.

    Examples
    --------
    >>> rows = crossed({"spatial_frequency_cpp": [0.1], "outer_radius_px": [4, 8, 16], "phase_deg": [0, 90]})
    >>> stimuli = grating_patches(rows, size=32)
    >>> len(stimuli), stimuli.shape
    (6, (3, 32, 32))
    """
    size, channels = count("size", size, 2), count("channels", channels, 1)
    frames = None if n_frames is None else count("n_frames", n_frames, 1)
    if not isinstance(edge_px, NUMBER) or not 0 < edge_px < math.inf:
        raise UsageError(f"edge_px is {edge_px!r}; expected a finite number above 0.")
    table = _completed(rows, size)
    _check(table, channels, frames)
    if (table["inner_radius_px"] > table["outer_radius_px"]).any():
        raise UsageError("rows have an inner_radius_px above their outer_radius_px; nothing of them would be seen.")
    if frames is not None:
        table["direction_deg"] = (table["orientation_deg"] + 90) % 360
    parameters = {
        "kind": "grating patches",
        "size_px": size,
        "channels": channels,
        "n_frames": frames,
        "edge_px": float(edge_px),
        "series": list(dict.fromkeys(table["series"])),
        "cone_contrasts": {name: cone_contrasts(name) for name in sorted(set(table["colour"]))},
    }
    parts = torch.tensor(table[list(_NUMBERS)].fillna(0.0).to_numpy())
    weights = torch.stack([_weights(colour, channels) for colour in table["colour"]])

    def draw(chosen: np.ndarray) -> Tensor:
        at = torch.from_numpy(chosen)
        part = dict(zip(_NUMBERS, parts[at].T, strict=True))
        drawn = _draw(part, weights[at], size, frames or 1, float(edge_px))
        return drawn if frames is not None else drawn[:, 0]

    return Stimuli(
        "grating patches",
        table,
        IMAGE_DIMS if frames is None else ("time", *IMAGE_DIMS),
        (channels, size, size) if frames is None else (frames, channels, size, size),
        table_digest(table, {"recipe": "grating patches 1", **parameters}).hexdigest(),
        parameters,
        draw,
    )


def _completed(rows: pd.DataFrame, size: int) -> pd.DataFrame:
    if not isinstance(rows, pd.DataFrame):
        raise UsageError(f"rows is a {type(rows).__name__}; expected a pandas.DataFrame, as crossed makes it.")
    if not rows.columns.is_unique:
        raise UsageError(f"rows has the column '{rows.columns[rows.columns.duplicated()][0]}' twice; expected it once.")
    for name in rows:
        if name not in _COLUMNS:
            raise unknown_name("column of grating patches", str(name), _COLUMNS)
    if not len(rows):
        raise UsageError("rows is empty; expected one row a stimulus.")
    middle = (size - 1) / 2
    defaults = {"centre_y_px": middle, "centre_x_px": middle, "outer_radius_px": math.inf, "contrast": 1.0}
    table = pd.DataFrame(index=pd.RangeIndex(len(rows)))
    for name in _COLUMNS:
        given = rows[name].reset_index(drop=True) if name in rows else pd.Series(np.nan, table.index)
        if name in _WORDS:
            table[name] = given.astype(object).fillna("luminance" if name == "colour" else "").astype(str)
        elif name == "mask_orientation_deg":
            table[name] = _floats(given).fillna(table["orientation_deg"] + 90)
        else:
            missing = np.nan if name == "spatial_frequency_cpp" else defaults.get(name, 0.0)
            table[name] = _floats(given).fillna(missing)
    table["blank"] = (table["contrast"] == 0) & (table["mask_contrast"] == 0)
    table.loc[table["blank"], _NOT_OF_BLANKS] = math.nan
    return table


def _floats(given: pd.Series) -> pd.Series:
    if not given.map(lambda value: isinstance(value, NUMBER) or pd.isna(value)).all():
        bad = next(value for value in given if not isinstance(value, NUMBER))
        raise UsageError(f"{given.name} holds {bad!r}; expected numbers.")
    return given.astype(np.float64)


def _check(table: pd.DataFrame, channels: int, frames: int | None) -> None:
    shown = table[~table["blank"]]
    for name, (low, high, allowed) in _RANGES.items():
        values = (shown if name in _NOT_OF_BLANKS else table)[name]
        if not values.between(low, high).all():
            raise UsageError(f"{name} is {values[~values.between(low, high)].iloc[0]:g}; expected numbers {allowed}.")
    for name in _NUMBERS:
        if name != "outer_radius_px" and np.isinf(table[name]).any():
            raise UsageError(f"{name} holds infinite values; expected finite numbers.")
    highest = (table["contrast"] + table["mask_contrast"]).max()
    if highest > 1 + 1e-9:
        raise UsageError(f"contrast and mask_contrast add up to {highest:g}; expected at most 1, to stay within 0 … 1.")
    for colour in set(table["colour"]):
        check_option("colour", colour, COLOURS)
        if colour != "luminance" and channels != 3:
            raise UsageError(f"colour '{colour}' needs 3 channels (red, green, blue); channels is {channels}.")
    if frames is None and (table["temporal_frequency_cpf"] > 0).any():
        raise UsageError("temporal_frequency_cpf is above 0 and there is no time axis; give n_frames.")


def _weights(colour: str, channels: int) -> Tensor:
    return torch.ones(channels) if colour == "luminance" else torch.from_numpy(rgb_direction(colour)).float()


def _draw(part: Mapping[str, Tensor], weights: Tensor, size: int, frames: int, edge_px: float) -> Tensor:
    """Return images, shape (stimulus, frame, channel, y, x)."""
    place = torch.arange(size, dtype=torch.float64)
    y, x = (place - part[name][:, None] for name in ("centre_y_px", "centre_x_px"))
    n = len(y)
    drift = (360 * part["temporal_frequency_cpf"][:, None] * torch.arange(frames)).flatten()
    seen = torch.zeros(n * frames, size, size)
    for prefix in ("", "mask_"):
        contrast = part[f"{prefix}contrast"].float()
        if not contrast.any():
            continue
        grating = torch.stack(
            [part[f"{prefix}orientation_deg"], part["spatial_frequency_cpp"], part[f"{prefix}phase_deg"]], 1
        ).repeat_interleave(frames, 0)
        grating[:, 2] += drift
        wave = waves(grating, y.repeat_interleave(frames, 0), x.repeat_interleave(frames, 0))
        seen += contrast.repeat_interleave(frames)[:, None, None] * wave
    window = _window(y.float(), x.float(), part, edge_px)
    seen = seen.view(n, frames, 1, size, size).mul_(window[:, None, None])
    return seen.mul(weights[:, None, :, None, None] / 2).add_(0.5)


def _window(y: Tensor, x: Tensor, part: Mapping[str, Tensor], edge_px: float) -> Tensor:
    distance = torch.hypot(y[:, :, None], x[:, None, :])
    outer, inner = (part[name].float()[:, None, None] for name in ("outer_radius_px", "inner_radius_px"))
    within = ((outer - distance) / edge_px + 0.5).clamp(0, 1)
    hole = torch.where(inner > 0, ((inner - distance) / edge_px + 0.5).clamp(0, 1), 0.0)
    return (within - hole).clamp(min=0)
