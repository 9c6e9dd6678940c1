"""The 92 object images, and how monkey IT, human IT and people's judgement tell them apart.

Monkey recordings are of Kiani 2007, judgements of Mur 2013. The files are those of the authors' RSA toolbox.

References
----------
Kriegeskorte et al. 2008, Matching categorical object representations in inferior temporal cortex of man and monkey,
Neuron 60:1126, doi:10.1016/j.neuron.2008.10.043
Kiani et al. 2007, J Neurophysiol 97:4296, doi:10.1152/jn.00024.2007
Mur et al. 2013, Front Psychol 4:128, doi:10.3389/fpsyg.2013.00128
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from probekit import data
from probekit.brains import matlab
from probekit.errors import UsageError, check_option
from probekit.rsa.rdms import RDMs, from_square
from probekit.stimuli.arrays import array
from probekit.stimuli.base import Stimuli, count

CONDITIONS = tuple(f"object_{number:02d}" for number in range(1, 93))
BACKGROUNDS = {"grey": (128, 128, 128), "white": (255, 255, 255)}
FITS = ("resize", "pad")
PIXELS = 175
"""Height and width of the images as they are stored."""

_NAME = "kriegeskorte2008"
_SUPPLEMENT = "Kriegeskorte_Neuron2008_supplementalData.mat"
_FLAGS = ("animal", "human", "face", "natural")


def objects() -> pd.DataFrame:
    """Return what the 92 images show.

    Returns
    -------
    pandas.DataFrame
        One row an image: `condition` ("object_01" …), `category` (six: bodies and faces of humans and of other
        animals, natural and artificial things), and true or false for `animal` (humans are), `human`, `face`,
        `natural` (all but the artificial things).
    """
    shown = _supplement()["stimuli_92objs"]
    table = pd.DataFrame({"condition": CONDITIONS, "category": [str(one["category"]) for one in shown]})
    for flag in _FLAGS:
        table[flag] = [bool(one[flag]) for one in shown]
    return table


def object_images(size: int, *, background: str = "grey", fit: str = "resize") -> Stimuli:
    """Return the 92 images as stimuli, RGB in 0 … 1.

    Parameters
    ----------
    size : int
        Height and width in pixels; the images are stored with 175.
    background : {"grey", "white"}
        On grey (128 of 255), as in the experiments; or on white, as jpegs that were distributed with cichy2014.
    fit : {"resize", "pad"}
        "resize": bicubic, antialiased, to the whole size. "pad": as stored, in the centre of a canvas of the
        background, so that the object covers a smaller share of it, as on a screen.

    Returns
    -------
    Stimuli
        Table of `objects`.

    Raises
    ------
    UsageError
        If an option is unknown, or `size` is too small to hold the image unchanged.
    """
    size = count("size", size, 1)
    check_option("background", background, BACKGROUNDS)
    check_option("fit", fit, FITS)
    if fit == "pad" and size < PIXELS:
        raise UsageError(f"size is {size}; fit='pad' leaves the {PIXELS} pixels of an image, expected at least those.")
    pictures = _on_grey() if background == "grey" else _on_white()
    fitted = np.stack([_fitted(picture, size, BACKGROUNDS[background], fit) for picture in pictures])
    values = fitted.transpose(0, 3, 1, 2).astype(np.float32) / 255
    stimuli = array(values, objects(), name="92 objects")
    parameters = {"kind": "92 objects", "size_px": size, "background": background, "fit": fit, "n_stimuli": len(values)}
    return replace(stimuli, parameters=parameters)


def monkey_it() -> RDMs:
    """Return the RDM of monkey IT: 1 − Pearson over 674 neurons of two monkeys (table: `region`, `n_units`)."""
    return _figure1(0, "monkey IT", 674)


def human_it_figure1() -> RDMs:
    """Return the RDM of human IT of the paper's figure 1: 1 − Pearson over 316 voxels, mean over `human_it`'s eight."""
    return _figure1(1, "human IT", 316)


def human_it() -> RDMs:
    """Return the RDMs of human IT, 1 − Pearson over voxels, of 4 subjects in 2 sessions each.

    Returns
    -------
    RDMs
        Table: `subject` (initials), `session` (1, 2), `region`.
    """
    stored = matlab.read(data.fetch(_NAME, "92_brainRDMs.mat")[0], simplify=False)["RDMs"].ravel()
    squares = np.stack([one["RDM"] for one in stored])
    names = [str(one["name"].item()).split(" | ") for one in stored]  # such as "hIT | BE | Session: 1"
    table = pd.DataFrame(
        {
            "subject": [subject for _, subject, _ in names],
            "session": [int(session.removeprefix("Session: ")) for *_, session in names],
            "region": "human IT",
        }
    )
    return from_square(squares, CONDITIONS, distance="correlation", table=table)


def behaviour() -> RDMs:
    """Return how far apart 16 people arranged the images (multi-arrangement, in each person's own scale).

    Returns
    -------
    RDMs
        Table: `subject` ("subject1" …), `task`.
    """
    stored = matlab.read(data.fetch(_NAME, "92_behavRDMs.mat")[0])["rdms_behav_92"]
    table = pd.DataFrame({"subject": [one["name"].split(" | ")[1] for one in stored], "task": "similarity judgement"})
    return from_square(np.stack([one["RDM"] for one in stored]), CONDITIONS, distance="arrangement", table=table)


def _supplement() -> dict[str, Any]:
    return matlab.read(data.fetch(_NAME, _SUPPLEMENT)[0])


def _figure1(place: int, region: str, n_units: int) -> RDMs:
    vector = np.asarray(_supplement()["RDMs_mIT_hIT_fig1"][place]["RDM"], dtype=np.float64)
    table = pd.DataFrame({"region": [region], "n_units": [n_units]})
    return RDMs(vector[None], CONDITIONS, table, "correlation")  # stored in the order of triu_indices


def _on_grey() -> list[Image.Image]:
    return [Image.fromarray(one["image"]) for one in _supplement()["stimuli_92objs"]]


def _on_white() -> list[Image.Image]:
    pictures = []
    for number in range(1, len(CONDITIONS) + 1):
        with Image.open(data.fetch("cichy2014", f"stimuli/image_{number:02d}.jpg")[0]) as opened:
            pictures.append(opened.convert("RGB"))
    return pictures


def _fitted(picture: Image.Image, size: int, background: tuple[int, int, int], fit: str) -> np.ndarray:
    if fit == "resize":
        return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC))
    canvas = Image.new("RGB", (size, size), background)
    canvas.paste(picture, ((size - picture.width) // 2, (size - picture.height) // 2))
    return np.asarray(canvas)
