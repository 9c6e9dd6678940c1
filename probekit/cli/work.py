"""One recording, one analysis."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import probekit as pk
from probekit.cli import asked
from probekit.cli.folders import not_writable, writable
from probekit.cli.output import Output, note
from probekit.cli.progress import shown
from probekit.result import Result


def record(arguments: Namespace, output: Output) -> None:
    """Record layers' activity to stimuli into a store, and say where it is."""
    entry = asked.network(arguments)
    stimuli = asked.stimuli(arguments.stimuli, entry.card)
    options = {"layers": arguments.layers, "batch_size": arguments.batch_size, "device": arguments.device,
               "dtype": arguments.dtype}  # fmt: skip
    planned = pk.plan(entry, stimuli, **options)
    note(str(planned))
    try:
        with shown(quiet=arguments.json) as progress:
            recording = pk.record(entry, stimuli, **options, store=arguments.out, progress=progress)
    except KeyboardInterrupt:
        note(f"what is recorded is kept in {arguments.out}; the same command goes on from there.")
        raise
    output.value(
        str(arguments.out),
        {
            "store": str(arguments.out),
            "layers": recording.layers,
            "n_stimuli": recording.n_stimuli,
            "bytes": planned.bytes,
            "skipped": recording.skipped,
        },
    )


def analyse(arguments: Namespace, output: Output) -> None:
    """Run one analysis, write its tables and figures, and say where they are."""
    pk.analyses.REGISTRY.get(arguments.analysis)
    folder = writable(arguments.out)
    result = asked.result(arguments.analysis, asked.network(arguments), arguments)
    files = _save(result, folder)
    for text in result.notes:
        note(text)
    output.value(
        str(folder),
        {"folder": str(folder), "files": files, "analysis": result.analysis, "notes": result.notes,
         "n_rows": len(result.table)},
    )  # fmt: skip


def _save(result: Result, folder: Path) -> list[str]:
    from probekit.reports.sections import section_of

    try:
        result.save(folder)
        pictures = folder / "figures"
        pictures.mkdir(exist_ok=True)
        for figure in section_of(result.analysis).build(result).figures:
            for panel in figure.panels:
                (pictures / f"{figure.name}-{panel.name}.svg").write_text(panel.svg, encoding="utf-8")
    except OSError as err:
        raise not_writable(folder, err) from err
    return sorted(str(file) for file in folder.rglob("*") if file.is_file())
