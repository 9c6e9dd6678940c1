"""What a reproduction of a published comparison declares about itself: its claim, its data, how it is run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from probekit.analysis import Column, Source, check_table
from probekit.network import Entry
from probekit.progress import Progress, silent
from probekit.result import Result


@dataclass(frozen=True)
class StudyOptions:
    """What the caller of a study chooses.

    Parameters
    ----------
    synthetic : bool
        Compare with brains planted in the networks' own layers, and with noise, instead of with real ones.
    quick : bool
        Fewer resamples; the result says so.
    seed : int
        Seeds everything random: untrained twins, bootstraps, permutations, planted brains.
    device : str
        Torch device for the forward passes.
    batch_size : int
        Stimuli in one forward pass.
    progress : Progress
        Told how far the work is.
    """

    synthetic: bool = False
    quick: bool = False
    seed: int = 0
    device: str = "cpu"
    batch_size: int = 64
    progress: Progress = field(default=silent, compare=False)


@dataclass(frozen=True)
class Study:
    """A published comparison of networks with the brain, ready to be made again.

    Parameters
    ----------
    name : str
        Registered name, such as "guclu2015".
    title : str
        Heading of its page.
    claim : str
        What the publication says, in a sentence.
    sources : tuple of Source
        The publication first, then those of data and definitions.
    data : tuple of str
        Data sets that it needs; what else it can use is said in its result.
    columns, summary_columns : tuple of Column
        Of `Result.table`, one row a claim: theirs beside ours; and of `Result.summary`, one row a layer and region.
    run : callable
        (networks, StudyOptions) → Result.
    models : tuple of str
        Networks of the zoo that it is made on when none are named.
    """

    name: str
    title: str
    claim: str
    sources: tuple[Source, ...]
    data: tuple[str, ...]
    columns: tuple[Column, ...]
    summary_columns: tuple[Column, ...]
    run: Callable[[Sequence[Entry], StudyOptions], Result]
    models: tuple[str, ...] = ("efficientnet-lite0",)

    def check(self, result: Result) -> Result:
        """Return `result` if its tables are as declared, else raise what differs."""
        check_table(f"{self.name}.table", result.table, self.columns)
        check_table(f"{self.name}.summary", result.summary, self.summary_columns)
        return result
