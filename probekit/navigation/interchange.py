"""Recordings of animals from the objects of pynapple and the files of NWB, made into a `Navigation`.

Only what an object is asked for matters, not its class: times `t` in seconds and values `d`, as pynapple's Tsd and
TsdFrame have them, and for spikes a mapping of unit to something with `t`, as its TsGroup is. pynapple itself is needed
to open NWB files alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from probekit.arguments import Floats, floats, instance, real
from probekit.errors import DataError, UsageError, unknown_name
from probekit.navigation.arena import Arena
from probekit.navigation.recorded import Navigation
from probekit.navigation.tracking import Tracking

_JITTER = 0.5
"""How much a step between two tracked times may differ from the usual one, as its share; longer ones are gaps."""

_INSIDE = 0.01
"""Share of the spikes that must fall into the tracked time: with clocks in other units, fewer do."""


def from_pynapple(
    position: Any,
    activity: Any,
    arena: Arena | None = None,
    *,
    heading: Any = None,
    area: str = "units",
    metres: float = 1.0,
) -> Navigation:
    """Return a recording from objects of pynapple.

    Parameters
    ----------
    position : TsdFrame
        Two columns, x and y. Times at about equal steps; after a gap, or between epochs, a new `path` begins.
    activity : TsGroup, or Tsd or TsdFrame
        Spike times, counted from half a step before each tracked time to half a step after it and divided by the
        step; spikes between epochs are left out. Or one column a unit, at the times of `position`.
    arena : Arena, optional
        Default: the smallest rectangle around the positions.
    heading : Tsd, optional
        rad, -2π … 2π, 0 along x, counter-clockwise, at the times of `position`.
    area : str
        What the activity is called in the recording.
    metres : float
        How long one unit of `position` is, m: .01 if it is in cm.

    Returns
    -------
    Navigation
        Activity of spikes in spikes/s. Its provenance names the units and the share of spikes that were left out.

    Raises
    ------
    UsageError
        If something lacks times or values, times are uneven or not those of the positions, next to no spike falls into
        the tracked time, a heading is not in rad, or the arena does not hold the positions.

    Examples
    --------
    >>> from types import SimpleNamespace as Tsd
    >>> t = np.arange(4) / 10
    >>> position = Tsd(t=t, d=np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) / 2)
    >>> from_pynapple(position, {7: Tsd(t=np.array([0.11, 0.12, 0.3]))})["units"].round().tolist()
    [[0.0], [20.0], [0.0], [10.0]]
    """
    times = _times("position", position)
    places = _values("position", position, times)
    if places.shape[1] != 2:
        raise UsageError(f"position has {places.shape[1]} columns; expected 2, x and y.")
    places = places * real("metres", metres, "the length of one unit of position, above 0", above=0)
    dt, path = _stretches(times)
    if _is_group(activity):
        names = list(activity.keys())
        rates, outside = _counted([_times(f"unit {name}", activity[name]) for name in names], times, dt, path)
        spikes: dict[str, Any] = {"spikes_outside": outside}
    else:
        rates = _values("activity", activity, times, dt)
        names, spikes = list(range(rates.shape[1])), {}
    headings = None if heading is None else _headings(_values("heading", heading, times, dt))
    floor = Arena.around(places) if arena is None else arena
    tracking = Tracking(places, floor, dt, headings=headings, path=path)
    provenance = {"source": "pynapple", "area": area, "units": [str(name) for name in names], **spikes}
    return Navigation(tracking, {instance("area", area, str): rates}, provenance=provenance)


def from_nwb(
    file: Any,
    arena: Arena | None = None,
    *,
    position: str = "position",
    activity: str = "units",
    heading: str | None = None,
    area: str = "units",
    metres: float = 1.0,
) -> Navigation:
    """Return a recording from a file of Neurodata Without Borders.

    Parameters
    ----------
    file : path, pynwb.NWBFile or pynapple.NWBFile
    arena : Arena, optional
        As of `from_pynapple`, like `area` and `metres`. (Names of units in NWB are not read: positions are in m unless
        `metres` says otherwise.)
    position, activity, heading : str
        What they are called in the file, as ``pynapple.load_file`` lists it. Default: no heading.

    Returns
    -------
    Navigation

    Raises
    ------
    UsageError
        As of `from_pynapple`, or if pynapple is not installed.
    UnknownNameError
        If the file has nothing of a name.
    DataError
        If there is no such file, or pynapple cannot read it.
    """
    wanted = {"position": position, "activity": activity} | ({} if heading is None else {"heading": heading})
    held = _opened(file)
    try:
        names = [str(name) for name in held.keys()]  # noqa: SIM118 (pynapple's file is no mapping)
        for name in wanted.values():
            if name not in names:
                raise unknown_name("object in the file", name, names)
        found = {role: held[name] for role, name in wanted.items()}
        return from_pynapple(
            found["position"], found["activity"], arena, heading=found.get("heading"), area=area, metres=metres
        )
    finally:
        if isinstance(file, str | Path):
            held.close()


def _opened(file: Any) -> Any:
    if callable(getattr(file, "keys", None)):
        return file
    try:
        pynapple = importlib.import_module("pynapple")
    except ImportError as err:
        raise UsageError(
            "NWB files are opened by the package pynapple, which is not installed: "
            f"pip install 'probekit-neuro[pynapple]' ({err})."
        ) from err
    if not isinstance(file, str | Path):
        return pynapple.NWBFile(file)
    path = Path(file).expanduser()
    if not path.is_file():
        raise DataError(f"{path} does not exist; expected an NWB file.")
    try:
        return pynapple.NWBFile(str(path))
    except Exception as err:  # whatever pynwb, hdmf and h5py raise of a file that is none
        raise DataError(f"{path} cannot be read as an NWB file: {err}") from err


def _is_group(activity: Any) -> bool:
    return callable(getattr(activity, "keys", None)) and not hasattr(activity, "d")


def _times(name: str, series: Any) -> Floats:
    """Return times, s, that rise or stay."""
    if not hasattr(series, "t"):
        raise UsageError(f"{name} is {type(series).__name__}, which has no times; expected an object with t, s.")
    times = floats(f"times of {name}", series.t)
    if times.ndim != 1 or not np.isfinite(times).all() or (np.diff(times) < 0).any():
        raise UsageError(f"times of {name} have shape {times.shape}; expected finite seconds that rise.")
    return times


def _values(name: str, series: Any, times: Floats, dt: float | None = None) -> Floats:
    """Return values, shape (sample, column), refused where `dt` is given and their times are not `times`."""
    own = _times(name, series)
    if not hasattr(series, "d"):
        raise UsageError(f"{name} is {type(series).__name__}, which has no values; expected an object with t and d.")
    values = floats(name, series.d)
    if len(values) != len(own) or values.ndim not in (1, 2):
        raise UsageError(f"{name} has {len(own)} times and values of shape {values.shape}; expected (sample, column).")
    if dt is not None and (len(own) != len(times) or (np.abs(own - times) > _JITTER * dt).any()):
        raise UsageError(
            f"times of {name} are not those of the positions: {len(own)} {_span(own)}, positions {len(times)} "
            f"{_span(times)}; expected one time base. Bring it there first, such as with {name}.interpolate(position)."
        )
    return values.reshape(len(values), -1)


def _span(times: Floats) -> str:
    return f"from {times[0]:g} to {times[-1]:g} s" if len(times) else "(none)"


def _stretches(times: Floats) -> tuple[float, npt.NDArray[np.int64]]:
    """Return seconds a sample, and the number of the stretch without a gap that each time is in."""
    if len(times) < 2:
        raise UsageError(f"position has {len(times)} times; expected at least 2.")
    steps = np.diff(times)
    dt = float(np.median(steps))
    if dt <= 0 or (steps < _JITTER * dt).any():
        raise UsageError(
            f"times of position are uneven: most are {dt:g} s apart, some {steps.min():g} s; expected equal steps."
        )
    gap = steps > (1 + _JITTER) * dt
    return float(steps[~gap].mean()), np.r_[0, np.cumsum(gap)].astype(np.int64)


def _counted(trains: Iterable[Floats], times: Floats, dt: float, path: npt.NDArray[np.int64]) -> tuple[Floats, float]:
    """Return spikes/s, shape (sample, unit), and the share of spikes that fell into no sample."""
    units = list(trains)
    if not units:
        raise UsageError("activity holds no units; expected at least one.")
    spikes, unit = np.concatenate(units), np.repeat(np.arange(len(units)), [len(train) for train in units])
    middles = (times[1:] + times[:-1]) / 2
    same = np.diff(path) == 0
    begin = np.r_[times[0] - dt / 2, np.where(same, middles, times[1:] - dt / 2)]
    end = np.r_[np.where(same, middles, times[:-1] + dt / 2), times[-1] + dt / 2]
    sample = np.searchsorted(begin, spikes, "right") - 1
    inside = (sample >= 0) & (spikes < end[sample])
    if len(spikes) and inside.mean() < _INSIDE:
        raise UsageError(
            f"{inside.sum()} of {len(spikes)} spikes fall into the tracked time: spikes run {_span(np.sort(spikes))}, "
            f"positions {_span(times)}; expected one clock, in seconds."
        )
    flat = sample[inside] * len(units) + unit[inside]
    counts = np.bincount(flat, minlength=len(times) * len(units)).reshape(len(times), len(units))
    return counts / dt, float(1 - inside.mean()) if len(spikes) else 0.0


def _headings(values: Floats) -> Floats:
    if values.shape[1] != 1:
        raise UsageError(f"heading has {values.shape[1]} columns; expected 1.")
    return values[:, 0]
