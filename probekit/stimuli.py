"""Stimuli: what is shown, one table row an item, made batch by batch and never held whole unless given so.

A network's images are float32 in 0 … 1, shape (stimulus, channel, y, x); the network's own normalisation comes after,
in its `Preprocess`. Sequences are (stimulus, time, unit).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
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
_NUMBER = (int, float, np.integer, np.floating)


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
        If there are no stimuli, the table has another length, or a value is not a number, nan, infinite, or too large
        for float32.
    """
    held = values if isinstance(values, Tensor) else np.asarray(values)
    _check_kind(held)
    n = held.shape[0]
    axes = _axes(dims, tuple(held.shape[1:]))
    if table is None:
        table = pd.DataFrame({"stimulus": np.arange(n)})
    if len(table) != n:
        raise StimulusError(f"table has {len(table)} rows for {n} stimuli; expected one row a stimulus.")
    table = table.reset_index(drop=True)

    def take(rows: np.ndarray) -> Tensor:
        return _as_tensor(held[rows])

    digest = _hash_table(table, {"dims": axes, "shape": tuple(held.shape), "dtype": str(take(np.arange(1)).dtype)})
    for start in range(0, n, 256):
        chunk = _as_tensor(held[start : start + 256])
        _check_finite(chunk, start)
        digest.update(chunk.cpu().contiguous().numpy().data)
    return Stimuli(
        name, table, axes, tuple(held.shape[1:]), digest.hexdigest(), {"kind": "array", "n_stimuli": n}, take
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
    frequencies = _numbers("spatial_frequencies", spatial_frequencies)
    if not frequencies or not all(0 < value <= 0.5 for value in frequencies):
        raise UsageError(
            f"spatial_frequencies are {frequencies}; expected numbers above 0 and at most 0.5 cycles a pixel."
        )
    size, phases, channels = _count("size", size, 2), _count("phases", phases, 1), _count("channels", channels, 1)
    contrast = _share("contrast", contrast)
    grid = np.array(
        [(a, f, 360 * p / phases) for a in angles for f in frequencies for p in range(phases)], dtype=np.float64
    )
    table = pd.DataFrame(grid, columns=["orientation_deg", "spatial_frequency_cpp", "phase_deg"])
    table["contrast"] = contrast
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
        "blank": bool(blank),
    }
    parts = torch.tensor(np.nan_to_num(table[["orientation_deg", "spatial_frequency_cpp", "phase_deg"]].to_numpy()))
    amplitude = torch.tensor(table["contrast"].to_numpy()) / 2

    def draw(rows: np.ndarray) -> Tensor:
        chosen = torch.from_numpy(rows)
        return _draw_gratings(parts[chosen], amplitude[chosen], size).repeat(1, channels, 1, 1)

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

    Pixels are taken as they are stored: an opacity is left out, and a camera's note that the picture lies on its side
    (EXIF) is not followed, as is usual with ImageNet.

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
        If there is no image, or a file is not one; damage further in shows when its batch is made.
    """
    files = _image_files(paths)
    size, crop = _count("size", size, 1), _share("crop", crop)
    table = pd.DataFrame({"file": [file.name for file in files], "folder": [file.parent.name for file in files]})
    parameters = {"kind": "images", "size_px": size, "crop": crop, "n_files": len(files)}
    digest = _hash_table(table, {"recipe": "images 1", **parameters})
    for file in files:
        content = file.read_bytes()
        with _opened(file, BytesIO(content)):
            digest.update(hashlib.sha256(content).digest())

    def read(rows: np.ndarray) -> Tensor:
        pictures = torch.empty(len(rows), 3, size, size)
        for picture, row in zip(pictures, rows, strict=True):
            picture.copy_(_read_image(files[row], size, crop))
        return pictures

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
    if isinstance(orientations, _NUMBER):
        count = _count("orientations", orientations, 1)
        return [180 * k / count for k in range(count)]
    angles = _numbers("orientations", orientations)
    if not angles or not all(math.isfinite(value) for value in angles):
        raise UsageError(f"orientations are {angles}; expected finite angles in degrees.")
    return angles


def _count(argument: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(f"{argument} is {value!r}; expected a whole number, at least {least}.")
    return int(value)


def _share(argument: str, value: Any) -> float:
    if not isinstance(value, _NUMBER) or not 0 < value <= 1:
        raise UsageError(f"{argument} is {value!r}; expected a number above 0 and at most 1.")
    return float(value)


def _numbers(argument: str, values: Any) -> list[float]:
    listed: list[Any] = list(values) if isinstance(values, Iterable) else [None]
    if not all(isinstance(value, _NUMBER) for value in listed):
        raise UsageError(f"{argument} is {values!r}; expected a sequence of numbers.")
    return [float(value) for value in listed]


def _image_files(paths: str | Path | Iterable[str | Path]) -> list[Path]:
    if isinstance(paths, str | Path):
        root = Path(paths)
        if root.is_dir():
            files = sorted(file for file in root.rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES and file.is_file())
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
    with _opened(file, file) as opened:
        picture = _as_rgb(opened)
    scale = size / crop / min(picture.size)
    picture = picture.resize(
        (max(size, round(picture.width * scale)), max(size, round(picture.height * scale))), Image.Resampling.BICUBIC
    )
    left, top = (picture.width - size) // 2, (picture.height - size) // 2
    pixels = np.asarray(picture.crop((left, top, left + size, top + size)), dtype=np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


@contextmanager
def _opened(file: Path, content: Path | BytesIO) -> Generator[Image.Image]:
    """Open a picture; whatever Pillow raises about its content is said of the file."""
    try:
        with Image.open(content) as opened:
            if opened.mode[0] in "FI":
                raise ValueError(f"its pixels have more than 8 bits (Pillow mode {opened.mode}); save it with 8 bits")
            yield opened
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as err:
        reason = "it is not in a format that Pillow knows" if isinstance(err, UnidentifiedImageError) else err
        raise StimulusError(f"{file} cannot be read as an image: {reason}") from err


def _as_rgb(picture: Image.Image) -> Image.Image:
    # Pillow warns of some palettes with transparency if they do not go by way of RGBA
    return (picture.convert("RGBA") if "transparency" in picture.info else picture).convert("RGB")


def _check_kind(held: np.ndarray | Tensor) -> None:
    if held.is_complex() if isinstance(held, Tensor) else held.dtype.kind not in "biuf":
        raise StimulusError(f"stimuli are of type {held.dtype}; expected real numbers or integers.")
    whole = not held.is_floating_point() if isinstance(held, Tensor) else held.dtype.kind != "f"
    if held.ndim < (1 if whole else 2) or 0 in held.shape:
        raise StimulusError(
            f"stimuli have shape {tuple(held.shape)}; expected at least one stimulus, shape (stimulus, ...)."
        )


def _axes(dims: Sequence[str] | None, shape: tuple[int, ...]) -> tuple[str, ...]:
    known = {0: (), 1: ("unit",), 2: ("time", "unit"), 3: IMAGE_DIMS, 4: ("time", *IMAGE_DIMS)}
    axes = tuple(dims) if dims is not None else known.get(len(shape))
    if axes is None or len(axes) != len(shape):
        raise StimulusError(f"dims are {axes}; one stimulus of shape {shape} has {len(shape)} axes.")
    if len({*axes, "stimulus"}) <= len(axes):
        raise StimulusError(f"dims are {axes}; expected different names, and none of them 'stimulus'.")
    return axes


def _as_tensor(values: np.ndarray | Tensor) -> Tensor:
    """Return some stimuli as a network takes them: float32, or integers as they are."""
    if isinstance(values, np.ndarray):
        native = np.dtype(np.float32) if values.dtype.kind == "f" else values.dtype.newbyteorder("=")
        with np.errstate(over="ignore"):  # what is too large becomes infinite and is refused as such
            values = torch.from_numpy(np.require(values, native, ["C", "W"]))
    return values.detach().to(torch.float32) if values.is_floating_point() else values


def _check_finite(data: Tensor, start: int) -> None:
    if not torch.stack(data.aminmax()).isfinite().all():  # nan and infinity reach the ends
        bad = ~torch.isfinite(data).reshape(len(data), -1).all(1)
        first = start + int(bad.nonzero()[0])
        raise StimulusError(f"stimulus {first} holds nan or infinite values; expected finite numbers.")


def _hash_table(table: pd.DataFrame, head: Mapping[str, Any]) -> hashlib._Hash:
    text = json.dumps(head, sort_keys=True, default=str) + table_to_csv(table)
    return hashlib.sha256(text.encode())
