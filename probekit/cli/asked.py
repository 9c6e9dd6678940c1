"""From words on the command line to the API's things: a network, stimuli, the result of an analysis."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import probekit as pk
from probekit.cli.progress import shown
from probekit.errors import StimulusError, UsageError, nearest, unknown_name

if TYPE_CHECKING:
    from probekit.network import Card, Entry
    from probekit.result import Result
    from probekit.stimuli import Stimuli


def _frequencies(text: str) -> list[float]:
    return [float(part) for part in text.split("+")]


_GRATINGS: dict[str, Callable[[str], Any]] = {
    "size": int,
    "orientations": int,
    "spatial_frequencies": _frequencies,
    "phases": int,
    "contrast": float,
}


def network(arguments: Namespace) -> Entry:
    """Return the network that MODEL and its options name."""
    return pk.zoo.load(
        arguments.model,
        weights=arguments.weights,
        input_shape=arguments.input,
        mean=arguments.mean,
        std=arguments.std,
        untrained=arguments.untrained,
        seed=arguments.seed,
    )


def result(analysis: str, entry: Entry, arguments: Namespace) -> Result:
    """Return what an analysis finds in a network, telling the user how far it is."""
    with shown(quiet=arguments.json) as progress:
        return pk.analyse(
            analysis,
            entry,
            layers=arguments.layers,
            seed=arguments.seed,
            quick=arguments.quick,
            device=arguments.device,
            batch_size=arguments.batch_size,
            progress=lambda task, done, total: progress(f"{analysis}: {task}", done, total),
        )


def stimuli(spec: str, card: Card) -> Stimuli:
    """Return the stimuli that SPEC names, of the size that the network takes.

    Parameters
    ----------
    spec : str
        ``gratings``, ``gratings:key=value,...``, a folder of images, an image file, or a .npy file.
    card : Card
        Of the network that will see them.

    Raises
    ------
    UsageError
        If a key or value is wrong, or the network takes no images.
    StimulusError
        If there is no such file, or it holds no stimuli.
    """
    kind, _, rest = spec.partition(":")
    path = Path(spec)
    if kind == "gratings":
        channels, size = _image_size(card)
        options = _options(rest)
        return pk.stimuli.gratings(**{"size": size, "channels": channels, **options})
    if path.suffix == ".npy":
        return _array(path, card)
    if path.exists():
        return pk.stimuli.images(path, size=_image_size(card)[1])
    raise StimulusError(
        f"--stimuli is '{spec}'; expected gratings, gratings:key=value,…, or a folder, image or .npy file that "
        f"exists.{nearest(kind, ['gratings'])}"
    )


def _options(text: str) -> dict[str, Any]:
    options = {}
    for part in text.split(",") if text else ():
        key, _, value = part.partition("=")
        if key not in _GRATINGS:
            raise unknown_name("property of gratings", key, _GRATINGS)
        try:
            options[key] = _GRATINGS[key](value)
        except ValueError:
            example = "0.05+0.1" if key == "spatial_frequencies" else "0.5" if key == "contrast" else "16"
            raise UsageError(f"--stimuli: {key} is '{value}'; expected a number, as in {key}={example}.") from None
    return options


def _image_size(card: Card) -> tuple[int, int]:
    if len(card.input_shape) != 3:
        shape = "x".join(map(str, card.input_shape))
        raise UsageError(
            f"'{card.name}' takes input of shape {shape}, no images; give --stimuli FILE.npy, or the right --input."
        )
    return card.input_shape[0], card.input_shape[-1]


def _array(path: Path, card: Card) -> Stimuli:
    import numpy as np

    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as err:
        raise StimulusError(f"{path} cannot be read as an array of numbers: {err}") from err
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiub":
        raise StimulusError(f"{path} holds {getattr(values, 'dtype', 'several arrays')}; expected an array of numbers.")
    if len(card.input_shape) >= 3 and values.size:
        low, high = values.min(), values.max()
        if values.dtype.kind != "f" or low < 0 or high > 1:
            raise StimulusError(f"{path} holds {values.dtype} from {low} to {high}; expected images, floats in 0 … 1.")
    return pk.stimuli.array(values, name=path.stem)
