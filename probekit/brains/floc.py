"""The images of a functional localizer: faces, bodies, places, characters and objects, and scrambled ones.

440 of the authors' 1,584: the first 40 of each of 11 conditions, grey, 1,024 pixels, the thing on a phase-scrambled
background. A category is two conditions, so that what its images share is not one kind of picture.

References
----------
Stigliani, Weiner & Grill-Spector 2015, Temporal processing capacity in high-level visual cortex is domain specific,
J Neurosci 35:12412, doi:10.1523/JNEUROSCI.4822-14.2015
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from PIL import Image
from torch import Tensor

from probekit import data
from probekit.errors import DataError, UsageError
from probekit.stimuli.base import IMAGE_DIMS, Stimuli, count, table_digest

DATASET = "floc"
CATEGORIES = {
    "faces": ("adult", "child"),
    "bodies": ("body", "limb"),
    "places": ("house", "corridor"),
    "characters": ("word", "number"),
    "objects": ("car", "instrument"),
    "scrambled": ("scrambled",),
}
"""Category → its conditions, which are the folders of the data set."""

SCRAMBLED = "scrambled"
N_PER_CONDITION = 40


def pictures(*, n_per_condition: int = N_PER_CONDITION) -> pd.DataFrame:
    """Return what the images show, one row an image.

    Parameters
    ----------
    n_per_condition : int
        The first ones of each condition by number, 1 … 40.

    Returns
    -------
    pandas.DataFrame
        `file` (path inside the data set), `condition` (adult, child, body, …), `category` (faces, bodies, places,
        characters, objects, scrambled).

    Raises
    ------
    UsageError
        If there are not as many images.

    Examples
    --------
    >>> table = pictures(n_per_condition=2)
    >>> table["file"].iloc[0], len(table)
    ('adult/adult-1.jpg', 22)
    """
    n = count("n_per_condition", n_per_condition, 1)
    if n > N_PER_CONDITION:
        raise UsageError(f"n_per_condition is {n}; there are {N_PER_CONDITION} images of each condition.")
    rows = [
        {"file": f"{condition}/{condition}-{number}.jpg", "condition": condition, "category": category}
        for category, conditions in CATEGORIES.items()
        for condition in conditions
        for number in range(1, n + 1)
    ]
    return pd.DataFrame(rows)


def images(size: int = 224, *, n_per_condition: int = N_PER_CONDITION) -> Stimuli:
    """Return the images as stimuli, grey in three equal channels, 0 … 1.

    Parameters
    ----------
    size : int
        Height and width in pixels (bicubic, antialiased); the images are stored with 1,024.
    n_per_condition : int
        1 … 40.

    Returns
    -------
    Stimuli
        Table of `pictures`.

    Raises
    ------
    DataError
        If the images are not here and cannot be fetched.
    UsageError
        If a number is not allowed.
    """
    size = count("size", size, 1)
    table = pictures(n_per_condition=n_per_condition)
    files = {f"{path.parent.name}/{path.name}": path for path in data.fetch(DATASET)}
    grey = _grey(tuple(files[name] for name in table["file"]), size)
    parameters = {"kind": "fLoc", "size_px": size, "n_per_condition": n_per_condition, "n_stimuli": len(table)}
    digest = table_digest(table, {"recipe": "floc 1", **parameters})
    digest.update(grey.data)

    def take(rows: np.ndarray) -> Tensor:
        chosen = torch.from_numpy(grey[rows].astype(np.float32) / 255)
        return chosen[:, None].repeat(1, 3, 1, 1)

    return Stimuli("fLoc", table, IMAGE_DIMS, (3, size, size), digest.hexdigest(), parameters, take)


@lru_cache(maxsize=2)
def _grey(files: tuple[Path, ...], size: int) -> npt.NDArray[np.uint8]:
    """Return the pictures, uint8 of shape (image, y, x); decoded once, as a protocol shows them to several networks."""
    decoded = np.empty((len(files), size, size), dtype=np.uint8)
    for place, file in enumerate(files):
        try:
            with Image.open(file) as opened:
                decoded[place] = np.asarray(opened.convert("L").resize((size, size), Image.Resampling.BICUBIC))
        except (OSError, ValueError, Image.DecompressionBombError) as err:
            raise DataError(f"{file} cannot be read as an image: {err}") from err
    decoded.flags.writeable = False
    return decoded
