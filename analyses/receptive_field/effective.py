"""Effective receptive fields: how strongly each pixel moves a unit, over many images (Luo et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from probekit import hooks
from probekit.analyses.receptive_field.gradients import Outlet, absolute_gradients, layers_of, outlets
from probekit.analyses.receptive_field.maps import FieldMaps
from probekit.errors import ModelError, NotApplicableError, StimulusError, UsageError
from probekit.geometry import unit_fields
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.session import Session
from probekit.stimuli import IMAGE_DIMS, Stimuli
from probekit.stimuli.base import count

_SAME = 1e-3
"""Of the largest value: how far a unit's value may change when the image is cut; convolutions of two sizes add up in
another order."""


def effective_fields(
    network: Entry | nn.Module,
    stimuli: Stimuli,
    units: pd.DataFrame,
    *,
    fields: pd.DataFrame | None = None,
    batch_size: int = 16,
    device: str | torch.device | None = None,
    progress: Progress = silent,
) -> dict[str, FieldMaps]:
    r"""Return layer → maps of |∂ unit / ∂ pixel|, averaged over the stimuli and over colour channels.

    Gradients are taken by captum, with respect to the image as the network takes it (after its preprocessing). Luo et
    al. (NeurIPS 2016, arXiv:1701.04128) take the gradient of the central unit summed over channels; here, each channel
    has its own map.

    Parameters
    ----------
    network : Entry or nn.Module
        Left as it is, gradients of its parameters included.
    stimuli : Stimuli
        Images, shape (channel, y, x): photographs, or noise with their spectrum.
    units : pandas.DataFrame
        Rows of `Recording.units`: the units to measure, of any layers.
    fields : pandas.DataFrame, optional
        Theoretical fields, as `probekit.receptive_fields` gives them. Where those of a layer's units are exact, the
        image is cut to what the units see, and the maps are over that window. Whether the units then have the same
        values is checked on two images; if not, whole images are shown. Default: whole images.
    batch_size : int
        Images in one pass. The graph of one pass is kept while its units are gone through.
    device : str or torch.device, optional
        Default: where the network is.
    progress : Progress
        Told after every pass how many of (layers × images) are done.

    Returns
    -------
    dict of str to FieldMaps
        Units in the order of their rows. A unit that no image moves (such as a silent ReLU) has a map of zeros. A map
        has the size of the window in pixels, so ask for a few layers at a time.

    Raises
    ------
    NotApplicableError
        If the stimuli are not images, the preprocessing changes their size, or a layer's units have no gradient.
    LayerError, UsageError
        If the network has no such layer or unit, or no gradient comes back from it.
    """
    if not isinstance(network, Entry | nn.Module):
        raise UsageError(f"network is a {type(network).__name__}; expected a torch.nn.Module or an entry of the zoo.")
    if not isinstance(stimuli, Stimuli):
        raise StimulusError(f"stimuli is a {type(stimuli).__name__}; expected images, as probekit.stimuli makes them.")
    for name, table in ("units", units), ("fields", fields):
        if not isinstance(table, pd.DataFrame) and not (name == "fields" and table is None):
            raise UsageError(f"{name} is a {type(table).__name__}; expected a pandas.DataFrame.")
    if stimuli.dims != IMAGE_DIMS:
        raise NotApplicableError(f"stimuli have axes {stimuli.dims}; effective fields need images, {IMAGE_DIMS}.")
    count("batch_size", batch_size, 1)
    module = network.module if isinstance(network, Entry) else network
    session = Session.begin(network, stimuli, layers_of(module, units), device, None)
    maps: dict[str, FieldMaps] = {}
    with hooks.undisturbed(session.module):
        found = outlets(session, units)
        for number, outlet in enumerate(found):
            window = _window(session, outlet, fields)
            sums = np.zeros(())
            for start in range(0, len(stimuli), batch_size):
                inputs = _inputs(session, np.arange(start, min(start + batch_size, len(stimuli))))
                sums = sums + _summed(session.module, outlet, window, inputs)
                progress("gradients", number * len(stimuli) + start + len(inputs), len(found) * len(stimuli))
            values = (sums / len(stimuli)).astype(np.float32)
            maps[outlet.signal.name] = FieldMaps(outlet.units, values, float(window.top), float(window.left))
    return maps


@dataclass(frozen=True)
class _Window:
    """The part of the image that is shown, and by how many units the layer's map is then shorter at its start."""

    top: int
    left: int
    bottom: int
    right: int
    moved: tuple[int, int] = (0, 0)

    def cut(self, inputs: Tensor) -> Tensor:
        return inputs[:, :, self.top : self.bottom, self.left : self.right]


def _inputs(session: Session, rows: np.ndarray) -> Tensor:
    inputs = session.inputs(rows)
    if tuple(inputs.shape[-2:]) != session.stimuli.shape[-2:]:
        raise NotApplicableError(
            f"the preprocessing of '{session.entry.card.name}' turns images of {session.stimuli.shape[-2:]} pixels "
            f"into {tuple(inputs.shape[-2:])}; effective fields need images of the size that the network takes."
        )
    return inputs


def _summed(module: nn.Module, outlet: Outlet, window: _Window, inputs: Tensor) -> np.ndarray:
    gradients = absolute_gradients(lambda shown: outlet.values(module, shown, window.moved), window.cut(inputs))
    sums = [gradient.mean(1).sum(0, dtype=torch.float64).float() for gradient in gradients]
    return torch.stack(sums).cpu().numpy()


def _window(session: Session, outlet: Outlet, fields: pd.DataFrame | None) -> _Window:
    height, width = session.stimuli.shape[-2:]
    whole = _Window(0, 0, height, width)
    window = None if fields is None else _seen(outlet.units, fields, whole)
    if window is None or window == whole:
        return whole
    shown = _inputs(session, np.arange(min(2, len(session.stimuli))))
    expected = outlet.values(session.module, shown)
    try:
        found = outlet.values(session.module, window.cut(shown), window.moved)
    except ModelError:  # a network with a layer that takes one size only
        return whole
    return window if bool((found - expected).abs().max() <= _SAME * expected.abs().max()) else whole


def _seen(units: pd.DataFrame, fields: pd.DataFrame, whole: _Window) -> _Window | None:
    """Return the window of all that these units see, aligned to the layer's stride; None where it is not exact."""
    places = unit_fields(fields, units)
    rows = fields[fields["layer"] == units["layer"].iloc[0]]
    strides = rows[["stride_y_px", "stride_x_px"]].to_numpy(np.float64)
    uneven = len(np.unique(strides, axis=0)) > 1 or (strides != strides.round()).any() or (strides < 1).any()
    if uneven or not (places["kind"] == "exact").all():
        return None
    edges = []
    for first, last, size, stride in zip(
        places[["clipped_top_px", "clipped_left_px"]].min(),
        places[["clipped_bottom_px", "clipped_right_px"]].max(),
        (whole.bottom, whole.right),
        strides[0].astype(int),
        strict=True,
    ):
        start = int(first) // stride * stride
        end = size - (size - 1 - int(last)) // stride * stride
        edges.append((start, end, start // stride))
    (top, bottom, up), (left, right, across) = edges
    return _Window(top, left, bottom, right, (up, across))
