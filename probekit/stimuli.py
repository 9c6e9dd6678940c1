"""Stimuli: what is shown, one table row an item, made batch by batch and never held whole unless given so.

A network's images are float32 in 0 … 1, shape (stimulus, channel, y, x); the network's own normalisation comes after,
in its `Preprocess`. Sequences are (stimulus, time, unit).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from probekit.errors import StimulusError, UsageError
from probekit.tables import table_to_csv

IMAGE_DIMS = ("channel", "y", "x")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")
DEFAULT_SPATIAL_FREQUENCIES = (1 / 128, 1 / 64, 1 / 32, 1 / 16, 1 / 8, 1 / 4)
"""Cycles a pixel: six octave steps from 1.75 cycles over 224 pixels to half the Nyquist limit."""


@dataclass(frozen=True, eq=False)
class Stimuli:
    r"""A set of stimuli: where they come from, one table row each, and a hash of what they are.

    Parameters
    ----------
    name : str
        Such as "gratings".
    table : pandas.DataFrame
        One row a stimulus; units are part of the column names.
    dims : tuple of str
        Axes of one stimulus, such as ("channel", "y", "x") or ("time", "unit").
    shape : tuple of int
        Size of one stimulus along `dims`.
    sha256 : str
        Hash of content: of the values, or of the recipe that makes exactly these values.
    parameters : mapping
        JSON-ready description for the methods text.
    source : callable
        Array of row numbers → float32 tensor (stimulus, \*shape).
    """

    name: str
    table: pd.DataFrame
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    sha256: str
    parameters: Mapping[str, Any]
    source: Callable[[np.ndarray], Tensor] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of stimuli."""
        return len(self.table)

    def batch(self, rows: Sequence[int] | np.ndarray) -> Tensor:
        r"""Return the stimuli of these table rows: float32, shape (stimulus, \*shape)."""
        return self.source(np.asarray(rows, dtype=np.int64))


def array(
    values: np.ndarray | Tensor,
    table: pd.DataFrame | None = None,
    *,
    dims: Sequence[str] | None = None,
    name: str = "array",
) -> Stimuli:
    """Return stimuli held in memory; the caller's array is neither changed nor copied.

    Parameters
    ----------
    values : array or tensor, shape (stimulus, ...)
        Finite numbers, or integers (token ids), which stay integers.
    table : pandas.DataFrame, optional
        One row a stimulus.
    dims : sequence of str, optional
        Axes of one stimulus. Default: ("channel", "y", "x") for three axes, ("unit",) for one, ("time", "unit") for
        two, ("time", "channel", "y", "x") for four.
    name : str
        Name of the set.

    Raises
    ------
    StimulusError
        If there are no stimuli, the table has another length, or a value is nan or infinite.
    """
    data = torch.as_tensor(values)
    if (data.ndim < 2 and not (data.ndim == 1 and not data.is_floating_point())) or len(data) == 0:
        raise StimulusError(
            f"stimuli have shape {tuple(data.shape)}; expected at least one stimulus, shape (stimulus, ...)."
        )
    if data.dtype in (torch.complex64, torch.complex128):
        raise StimulusError("stimuli are complex; expected real numbers or integers.")
    if data.is_floating_point():
        _check_finite(data)
        data = data.to(torch.float32)
    known = {0: (), 1: ("unit",), 2: ("time", "unit"), 3: IMAGE_DIMS, 4: ("time", *IMAGE_DIMS)}
    axes = tuple(dims) if dims is not None else known.get(data.ndim - 1)
    if axes is None or len(axes) != data.ndim - 1:
        raise StimulusError(f"dims are {axes}; one stimulus of shape {tuple(data.shape[1:])} has {data.ndim - 1} axes.")
    if table is None:
        table = pd.DataFrame({"stimulus": np.arange(len(data))})
    if len(table) != len(data):
        raise StimulusError(f"table has {len(table)} rows for {len(data)} stimuli; expected one row a stimulus.")
    table = table.reset_index(drop=True)
    digest = _hash_table(table, {"dims": axes, "shape": tuple(data.shape), "dtype": str(data.dtype)})
    for start in range(0, len(data), 256):
        digest.update(data[start : start + 256].detach().cpu().contiguous().numpy().tobytes())
    return Stimuli(
        name,
        table,
        axes,
        tuple(data.shape[1:]),
        digest.hexdigest(),
        {"kind": "array", "n_stimuli": len(data)},
        lambda rows: data[torch.from_numpy(rows)],
    )


def gratings(
    *,
    size: int = 224,
    orientations: int | Sequence[float] = 24,
    spatial_frequencies: Sequence[float] = DEFAULT_SPATIAL_FREQUENCIES,
    phases: int = 16,
    contrast: float = 1.0,
    channels: int = 3,
    blank: bool = True,
) -> Stimuli:
    r"""Return full-field static sine gratings in every combination, and one blank (mean grey) at the end.

    Luminance is :math:`\tfrac12 + \tfrac{c}{2}\cos(2\pi f (x\sin\theta + y\cos\theta) + \varphi)` with x to the right
    and y down, in pixels from the image centre; :math:`\theta` is the orientation of the *bars*: 0° horizontal, counted
    counter-clockwise as seen on the screen.

    Parameters
    ----------
    size : int
        Height and width in pixels.
    orientations : int or sequence of float
        How many, evenly over 180°, or the angles in degrees.
    spatial_frequencies : sequence of float
        Cycles a pixel, above 0 and at most 0.5 (the Nyquist limit).
    phases : int
        How many, evenly over 360°. F1 needs at least 16 to be near its true value.
    contrast : float
        Michelson contrast, 0 (exclusive) … 1.
    channels : int
        The same luminance in each.
    blank : bool
        Append the blank, whose orientation, frequency and phase are nan.

    Returns
    -------
    Stimuli
        Table columns `orientation_deg`, `spatial_frequency_cpp` (cycles a pixel), `phase_deg`, `contrast`, `blank`.

    Examples
    --------
    >>> stimuli = gratings(size=32, orientations=4, spatial_frequencies=[0.1], phases=4)
    >>> len(stimuli), stimuli.shape
    (17, (3, 32, 32))
    """
    angles = _orientation_angles(orientations)
    frequencies = [float(value) for value in spatial_frequencies]
    if not frequencies or not all(0 < value <= 0.5 for value in frequencies):
        raise UsageError(
            f"spatial_frequencies are {frequencies}; expected numbers above 0 and at most 0.5 cycles a pixel."
        )
    if phases < 1:
        raise UsageError(f"phases is {phases}; expected at least 1.")
    if not 0 < contrast <= 1:
        raise UsageError(f"contrast is {contrast}; expected a number above 0 and at most 1.")
    if size < 2 or channels < 1:
        raise UsageError(f"size is {size} and channels is {channels}; expected at least 2 pixels and 1 channel.")
    grid = np.array(
        [(a, f, 360 * p / phases) for a in angles for f in frequencies for p in range(phases)], dtype=np.float64
    )
    table = pd.DataFrame(grid, columns=["orientation_deg", "spatial_frequency_cpp", "phase_deg"])
    table["contrast"] = float(contrast)
    table["blank"] = False
    if blank:
        table.loc[len(table)] = [math.nan, math.nan, math.nan, 0.0, True]
        table["blank"] = table["blank"].astype(bool)
    parameters = {
        "kind": "gratings",
        "size_px": size,
        "orientations_deg": angles,
        "spatial_frequencies_cpp": frequencies,
        "phases": phases,
        "contrast": contrast,
        "channels": channels,
        "blank": blank,
    }
    parts = torch.tensor(np.nan_to_num(table[["orientation_deg", "spatial_frequency_cpp", "phase_deg"]].to_numpy()))
    amplitude = torch.tensor(table["contrast"].to_numpy()) / 2

    def draw(rows: np.ndarray) -> Tensor:
        chosen = torch.from_numpy(rows)
        return _draw_gratings(parts[chosen], amplitude[chosen], size).expand(-1, channels, -1, -1)

    return Stimuli(
        "gratings",
        table,
        IMAGE_DIMS,
        (channels, size, size),
        _hash_table(table, {"recipe": "sine gratings 1", **parameters}).hexdigest(),
        parameters,
        draw,
    )


def images(paths: str | Path | Iterable[str | Path], *, size: int = 224, crop: float = 1.0) -> Stimuli:
    """Return photographs from files: shorter side resized (bicubic, antialiased), centre cropped, RGB in 0 … 1.

    Parameters
    ----------
    paths : path or iterable of paths
        A folder (read with its sub-folders, sorted) or image files in the order given.
    size : int
        Height and width in pixels.
    crop : float
        Share of the resized image's shorter side that the crop keeps, above 0 … 1 (ImageNet practice: 0.875).

    Returns
    -------
    Stimuli
        Table columns `file` (name) and `folder` (name of the folder that holds it).

    Raises
    ------
    StimulusError
        If there is no image, or a file is not one.
    """
    files = _image_files(paths)
    if not 0 < crop <= 1:
        raise UsageError(f"crop is {crop}; expected a number above 0 and at most 1.")
    table = pd.DataFrame({"file": [file.name for file in files], "folder": [file.parent.name for file in files]})
    parameters = {"kind": "images", "size_px": size, "crop": crop, "n_files": len(files)}
    digest = _hash_table(table, {"recipe": "images 1", **parameters})
    for file in files:
        digest.update(file.read_bytes())

    def read(rows: np.ndarray) -> Tensor:
        return torch.stack([_read_image(files[row], size, crop) for row in rows])

    return Stimuli("images", table, IMAGE_DIMS, (3, size, size), digest.hexdigest(), parameters, read)


def as_stimuli(value: Stimuli | np.ndarray | Tensor) -> Stimuli:
    """Return `value` itself if it is a stimulus set, else the set that `array` makes of it."""
    return value if isinstance(value, Stimuli) else array(value)


def _draw_gratings(parts: Tensor, amplitude: Tensor, size: int) -> Tensor:
    angle, frequency, phase = parts[:, 0] * math.pi / 180, parts[:, 1], parts[:, 2] * math.pi / 180
    place = torch.arange(size, dtype=torch.float64) - (size - 1) / 2
    # cos(a + b) from the cosines and sines of its rows and columns: two outer products instead of size² cosines
    along_x = 2 * math.pi * (frequency * angle.sin())[:, None] * place
    along_y = 2 * math.pi * (frequency * angle.cos())[:, None] * place + phase[:, None]
    wave = (
        along_y.cos().float()[:, :, None] * along_x.cos().float()[:, None, :]
        - along_y.sin().float()[:, :, None] * along_x.sin().float()[:, None, :]
    )
    return (0.5 + amplitude.float()[:, None, None] * wave)[:, None]


def _orientation_angles(orientations: int | Sequence[float]) -> list[float]:
    if isinstance(orientations, int):
        if orientations < 1:
            raise UsageError(f"orientations is {orientations}; expected at least 1.")
        return [180 * k / orientations for k in range(orientations)]
    angles = [float(value) for value in orientations]
    if not angles or not all(math.isfinite(value) for value in angles):
        raise UsageError(f"orientations are {angles}; expected finite angles in degrees.")
    return angles


def _image_files(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    if isinstance(paths, str | Path):
        root = Path(paths)
        if root.is_dir():
            files = sorted(file for file in root.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
            if not files:
                raise StimulusError(f"{root} holds no image ({', '.join(IMAGE_SUFFIXES)}).")
            return files
        paths = [root]
    files = [Path(path) for path in paths]
    missing = [str(file) for file in files if not file.is_file()]
    if missing or not files:
        raise StimulusError(f"no such image file: {', '.join(missing[:3]) or '(no path given)'}.")
    return files


def _read_image(file: Path, size: int, crop: float) -> Tensor:
    try:
        with Image.open(file) as opened:
            picture = opened.convert("RGB")
    except (UnidentifiedImageError, OSError) as err:
        raise StimulusError(f"{file} cannot be read as an image: {err}") from err
    scale = size / crop / min(picture.size)
    picture = picture.resize(
        (max(size, round(picture.width * scale)), max(size, round(picture.height * scale))), Image.Resampling.BICUBIC
    )
    left, top = (picture.width - size) // 2, (picture.height - size) // 2
    pixels = np.asarray(picture.crop((left, top, left + size, top + size)), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


def _check_finite(data: Tensor) -> None:
    for start in range(0, len(data), 256):
        bad = ~torch.isfinite(data[start : start + 256]).flatten(1).all(1)
        if bad.any():
            first = start + int(bad.nonzero()[0])
            raise StimulusError(f"stimulus {first} holds nan or infinite values; expected finite numbers.")


def _hash_table(table: pd.DataFrame, head: Mapping[str, Any]) -> hashlib._Hash:
    text = json.dumps(head, sort_keys=True, default=str) + table_to_csv(table)
    return hashlib.sha256(text.encode())
