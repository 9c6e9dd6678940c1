"""Random fields as coarse as a map: what is left when a map is nothing but smooth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.fft import fft2, fftfreq, ifft2, next_fast_len
from scipy.special import ndtri
from scipy.stats import rankdata

from probekit.arguments import Floats, generator, whole
from probekit.errors import check_option
from probekit.spatial.nulls.checked import checked_maps

Values = Literal["rank", "moments"]


def matched_spectrum(maps: Any, n: int, seed: int, *, values: Values = "rank") -> Iterator[Floats]:
    """Yield random fields with each unit's own radial power spectrum and its own values.

    What is kept is how much the map varies at each spatial scale; what is lost is any order of directions and phases.
    The null says: this map is a stationary, isotropic Gaussian random field, seen through a function that only rises
    (with "moments": through none).

    1. With "rank", each map is first made Gaussian: values become the normal scores of their ranks (ties share theirs),
       or a rectified map would bring the harmonics of its edges (Theiler et al. 1992, the amplitude-adjusted Fourier
       surrogate).
    2. Bins that are nan get the mean; the map is padded with the mean to twice its size, and its periodogram averaged
       over rings as wide as a bin of the padded spectrum. So opposite walls are no neighbours, and the lattice of
       frequencies is fine enough for rings to be round. The spectrum is that seen through the arena's window: blurred
       by the window's width.
    3. White Gaussian noise with that spectrum, of which the arena's part is cut out. Powers vary around the spectrum as
       those of any Gaussian field do.
    4. "rank": the unit's own values, in the order of the surrogate's. "moments": mean and variance of the unit.

    Parameters
    ----------
    maps : array, shape (unit, y, x)
        nan where never visited, in the same bins for all units; these stay nan.
    n : int
        Number of surrogates, at least 1.
    seed : int
    values : {"rank", "moments"}

    Yields
    ------
    array, shape (unit, y, x)
        One surrogate of each unit. Constant maps stay as they are.

    Raises
    ------
    UsageError
        If the maps are no (unit, y, x) of one floor, `n` is below 1, or `values` is unknown.

    References
    ----------
    Theiler et al. 1992, Physica D 58:77, doi:10.1016/0167-2789(92)90102-S
    """
    check_option("values", values, ("rank", "moments"))
    given, floor = checked_maps(maps)
    own = given[:, floor]
    amplitude = _amplitude(_normal_scores(own) if values == "rank" else own, floor)
    fields = _random_fields(amplitude, floor, generator(seed), whole("n", n, 1))
    finish = _with_values if values == "rank" else _with_moments
    return (_on_floor(finish(field, own), floor) for field in fields)


def radial_power(maps: Any) -> Floats:
    """Return the power of maps at each spatial frequency, averaged over directions.

    Parameters
    ----------
    maps : array, shape (unit, y, x)
        nan where never visited, in the same bins for all units; they count as the mean.

    Returns
    -------
    array, shape (unit, ring)
        Mean squared modulus of the Fourier transform of the map, mean taken off and padded to twice its size; ring k
        holds the frequencies of k ± .5 cycles in the padded width of the longer side.

    Raises
    ------
    UsageError
        If the maps are no (unit, y, x) of one floor.
    """
    given, floor = checked_maps(maps)
    return _rings_of(given[:, floor], floor)[0]


def _rings_of(values: Floats, floor: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the power of each ring, shape (unit, ring), and the ring of each frequency, shape (y, x)."""
    shape = (next_fast_len(2 * floor.shape[0]), next_fast_len(2 * floor.shape[1]))
    centred = np.zeros((len(values), *floor.shape), dtype=np.float32)
    centred[:, floor] = values - values.mean(1, keepdims=True)
    power = np.abs(fft2(centred, s=shape)) ** 2
    away = np.hypot(fftfreq(shape[0])[:, None], fftfreq(shape[1])[None])
    ring = np.rint(away * max(shape)).astype(np.int64)
    n_rings = int(ring.max()) + 1
    member = np.zeros((ring.size, n_rings), dtype=np.float32)
    member[np.arange(ring.size), ring.ravel()] = 1
    sums = power.reshape(len(values), -1) @ member
    return np.asarray(sums / member.sum(0), dtype=np.float64), ring


def _amplitude(values: Floats, floor: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    power, ring = _rings_of(values, floor)
    return np.asarray(np.sqrt(power)[:, ring], dtype=np.float32)


def _random_fields(
    amplitude: npt.NDArray[np.float32], floor: npt.NDArray[np.bool_], rng: np.random.Generator, n: int
) -> Iterator[npt.NDArray[np.float32]]:
    """Yield fields on the floor, shape (unit, bin); a complex transform holds two that are independent."""
    n_y, n_x = floor.shape
    for start in range(0, n, 2):
        noise = rng.standard_normal((*amplitude.shape, 2), dtype=np.float32).view(np.complex64)[..., 0]
        noise *= amplitude
        both = ifft2(noise, overwrite_x=True)[:, :n_y, :n_x][:, floor]
        yield both.real
        if start + 1 < n:
            yield both.imag


def _normal_scores(values: Floats) -> Floats:
    return np.asarray(ndtri((rankdata(values, axis=1) - 0.5) / values.shape[1]))


def _with_values(field: npt.NDArray[np.float32], own: Floats) -> Floats:
    out = np.empty_like(own)
    np.put_along_axis(out, np.argsort(field, axis=1), np.sort(own, axis=1), axis=1)
    return out


def _with_moments(field: npt.NDArray[np.float32], own: Floats) -> Floats:
    centred = field - field.mean(1, keepdims=True, dtype=np.float64)
    spread = centred.std(1, keepdims=True)
    scale = np.divide(own.std(1, keepdims=True), spread, out=np.zeros_like(spread), where=spread > 0)
    return np.asarray(own.mean(1, keepdims=True) + scale * centred)


def _on_floor(values: Floats, floor: npt.NDArray[np.bool_]) -> Floats:
    out = np.full((len(values), *floor.shape), np.nan)
    out[:, floor] = values
    return out
