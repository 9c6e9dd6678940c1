"""A published comparison of networks with the brain, made again, and the page that tells what became of it."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import probekit as pk
from probekit.analyses.studies import REGISTRY
from probekit.cli.folders import writable
from probekit.cli.output import Output, note
from probekit.cli.progress import shown
from probekit.errors import DataError
from probekit.reports.studies import StudyPage


def reproduce(arguments: Namespace, output: Output) -> None:
    """Run a study on one network or several and write one HTML page, tables beside it; say where the page is."""
    study = REGISTRY.get(arguments.study)
    folder = writable(arguments.out or Path("report") / study.name)
    networks = [pk.zoo.load(name, seed=arguments.seed) for name in arguments.models or study.models]
    try:
        with shown(quiet=arguments.json) as progress:
            result = pk.reproduce(
                study.name,
                networks,
                synthetic=arguments.synthetic,
                quick=arguments.quick,
                seed=arguments.seed,
                device=arguments.device,
                batch_size=arguments.batch_size,
                progress=progress,
            )
    except DataError as err:
        raise DataError(f"{err} To see the study work on planted data, add --synthetic.") from err
    page = StudyPage(study, result, arguments.command)
    file = str(page.save_all(folder))
    findings = page.findings()
    if not output.json:
        for sentence in findings:
            note(sentence)
    output.value(file, {"report": file, "findings": findings, "notes": result.notes})
