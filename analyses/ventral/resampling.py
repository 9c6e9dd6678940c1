"""How many resamples a study draws."""

from __future__ import annotations

from probekit.study import StudyOptions

_FULL, _QUICK = 1000, 200


def n_resamples(options: StudyOptions) -> int:
    """Return how many bootstrap resamples there are."""
    return _QUICK if options.quick else _FULL


def notes_on_quick(options: StudyOptions) -> tuple[str, ...]:
    """Return what a reader must know of a quick run."""
    if not options.quick:
        return ()
    return (f"Quick run: {_QUICK} bootstrap resamples instead of {_FULL}. For a first look only.",)
