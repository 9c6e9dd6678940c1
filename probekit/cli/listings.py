"""What there is: networks, their layers, analyses, reference data."""

from __future__ import annotations

from argparse import Namespace

import probekit as pk
from probekit.cli import asked
from probekit.cli.output import Output, note
from probekit.cli.progress import shown


def zoo(_: Namespace, output: Output) -> None:
    """List the networks that have a name of their own."""
    output.table(pk.zoo.catalogue(), prose="source")
    note("also: torchvision/NAME, timm/NAME, package.module:factory, path/to/file.py:factory")


def analyses(_: Namespace, output: Output) -> None:
    """List what can be measured."""
    output.table(pk.analyses.catalogue(), prose="sources")


def studies(_: Namespace, output: Output) -> None:
    """List the published comparisons that can be made again."""
    from probekit.analyses.studies import catalogue

    output.table(catalogue(), prose="claim")


def layers(arguments: Namespace, output: Output) -> None:
    """List a network's layers."""
    from probekit.cli.layers import layer_table

    output.table(layer_table(asked.network(arguments), arguments.layers or "**"))


def data_list(_: Namespace, output: Output) -> None:
    """List the data sets."""
    output.table(pk.data.datasets())


def data_fetch(arguments: Namespace, output: Output) -> None:
    """Get a data set, unless it is there, and say where each of its files is."""
    with shown(quiet=arguments.json) as progress:
        files = [str(file) for file in pk.data.fetch(arguments.name, progress=progress)]
    output.value("\n".join(files), {"dataset": arguments.name, "files": files})


def data_where(_: Namespace, output: Output) -> None:
    """Say in which folder the data sets lie."""
    folder = str(pk.data.folder())
    output.value(folder, {"folder": folder})
