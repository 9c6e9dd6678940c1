"""Gratings are their formula for any parameters, and arrays are shown as they are, whatever their shape."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from probekit import stimuli

ANGLES = st.floats(-360, 360)
FREQUENCIES = st.floats(1e-3, 0.5)


@settings(deadline=None, max_examples=100)
@given(
    st.integers(2, 40), st.lists(ANGLES, min_size=1, max_size=3), st.lists(FREQUENCIES, min_size=1, max_size=2),
    st.integers(1, 5), st.floats(0.01, 1), st.booleans(),
)  # fmt: skip
def test_gratings_are_their_formula(
    size: int, angles: list[float], frequencies: list[float], phases: int, contrast: float, blank: bool
) -> None:
    shown = stimuli.gratings(
        size=size, orientations=angles, spatial_frequencies=frequencies, phases=phases, contrast=contrast, channels=1,
        blank=blank,
    )  # fmt: skip
    images = shown.batch(range(len(shown)))[:, 0].double().numpy()
    assert len(images) == len(angles) * len(frequencies) * phases + blank
    theta, frequency, phase = (
        part.reshape(-1, 1, 1)
        for part in np.meshgrid(np.deg2rad(angles), frequencies, 2 * np.pi * np.arange(phases) / phases, indexing="ij")
    )
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    wave = np.cos(2 * np.pi * frequency * (x * np.sin(theta) + y * np.cos(theta)) + phase)
    # float32 sines, products and sum: see the unit test; phase counts degrees, exact to 1e-13
    np.testing.assert_allclose(images[: len(wave)], 0.5 + contrast / 2 * wave, atol=4e-7, rtol=0)
    if blank:
        assert (images[-1] == 0.5).all()


SHAPES = arrays.array_shapes(min_dims=2, max_dims=5, max_side=4)
SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)
VALUES = st.one_of(
    arrays.arrays(st.sampled_from([np.float32, np.float64]), SHAPES, elements=SINGLE),
    arrays.arrays(st.sampled_from([np.int64, np.int16, np.uint8, np.bool_]), SHAPES),
)


@settings(deadline=None, max_examples=100)
@given(VALUES, st.data())
def test_arrays_are_shown_as_they_are(values: np.ndarray, data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(values) - 1), max_size=5))
    shown = stimuli.array(values)
    batch = shown.batch(rows)
    assert str(batch.dtype) == ("torch.float32" if values.dtype.kind == "f" else f"torch.{values.dtype}")
    assert np.array_equal(batch, values[np.array(rows, dtype=int)])
    assert shown.sha256 == stimuli.array(values.copy()).sha256
