"""The commands, their arguments and their help; nothing heavy is imported to say them."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import probekit
from probekit.errors import UsageError, unknown_name

_T = TypeVar("_T")

_DESCRIPTION = "Virtual brain analytics: the methods of neuroscience, applied to trained neural networks."
_EPILOG = """\
MODEL is one of
  a name that `probekit zoo` lists, such as efficientnet-lite0
  torchvision/NAME or timm/NAME
  package.module:factory or path/to/file.py:factory   (your own)

exit codes
  0    fine
  1    a bug in probekit
  2    usage: a wrong option, name or value, a device that is not there, or an output folder that cannot be written
  3    the network cannot be built, or failed while it ran
  4    data or weights cannot be had, are damaged, or do not fit
  5    a store of recorded activity cannot be written, is damaged, or belongs to another recording
  130  interrupted by Ctrl-C (143: by SIGTERM); what is finished is kept
  141  the output could not be written: its reader went away, or the disk is full

Results go to stdout, everything else to stderr. PROBEKIT_TRACEBACK=1 shows where an error was raised,
PROBEKIT_DATA is the folder of the reference data, PROBEKIT_OFFLINE=1 forbids downloads.
"""
_STIMULI = """\
SPEC is one of
  gratings                                   every orientation, spatial frequency and phase
  gratings:orientations=12,phases=8,spatial_frequencies=0.05+0.1,contrast=0.5,size=224
  FOLDER or FILE.png                         images: resized, centre cropped, RGB
  FILE.npy                                   an array, shape (stimulus, ...); images are floats in 0 … 1
Sizes are those of the network's input unless given.
"""


class _Parser(argparse.ArgumentParser):
    """Raises `UsageError` instead of ending the process, and suggests the nearest name."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. See `{self.prog} --help`.")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            kind = f"command of `{self.prog}`" if isinstance(action, argparse._SubParsersAction) else action.dest
            raise unknown_name(kind, value, map(str, action.choices))

    def refuse_unknown_options(self, words: Sequence[str]) -> None:
        for word in words:
            if word == "--":
                return
            name = word.partition("=")[0]
            if name.startswith("--") and name not in self._option_string_actions:
                known = [option for option in self._option_string_actions if option.startswith("--")]
                raise unknown_name(f"option of `{self.prog}`", name, known)


def parse(words: Sequence[str]) -> argparse.Namespace | None:
    """Return what the command line asks for, or None if it only asked for help or the version, which is then said.

    Returns
    -------
    argparse.Namespace or None
        `run` is the command, "module:function" in `probekit.cli`; `command` is how it would be typed, without
        what changes no number (--out, --json); the other names are its arguments.

    Raises
    ------
    UsageError
        If something is missing, unknown or malformed; the message suggests the nearest name.
    """
    top = _Parser(
        prog="probekit",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"probekit {probekit.__version__}")
    commands = _add_commands(top)
    asked = commands.get(" ".join(words[:2])) or commands.get(words[0] if words else "")
    if asked:
        asked.refuse_unknown_options(words)
    try:
        return top.parse_args(words or ["--help"], argparse.Namespace(command=_spoken(words)))
    except SystemExit:
        return None


def _spoken(words: Sequence[str]) -> str:
    kept: list[str] = []
    after_out = False
    for word in words:
        if not after_out and word not in ("--out", "--json") and not word.startswith("--out="):
            kept.append(word)
        after_out = word == "--out"
    return shlex.join(["probekit", *kept])


def _add_commands(top: _Parser) -> dict[str, _Parser]:
    group = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    zoo = _command(group, "zoo", "listings:zoo", "list the networks that have a name of their own")
    analyses = _command(group, "analyses", "listings:analyses", "list what can be measured")
    studies = _command(group, "studies", "listings:studies", "list the published comparisons that can be made again")
    layers = _command(group, "layers", "listings:layers", "list a network's layers: type, output shape, units")
    record = _command(group, "record", "work:record", "record layers' activity to stimuli", _STIMULI)
    analyse = _command(group, "analyse", "work:analyse", "run one analysis and write its tables and figures")
    report = _command(group, "report", "report:report", "run analyses and write one HTML page")
    reproduce = _command(group, "reproduce", "reproduce:reproduce", "make a published comparison with the brain again")
    train = _command(group, "train", "train:train", "train a network; the same command goes on after a stop")
    data = group.add_parser("data", help="list or fetch reference data", description="Reference data.")

    _add_network(layers)
    layers.add_argument("--layers", type=_patterns, metavar="GLOB", help="only these (default: all)")

    _add_network(record)
    record.add_argument("--stimuli", required=True, metavar="SPEC", help="what to show, see below")
    record.add_argument("--out", required=True, type=Path, metavar="STORE", help="Zarr folder, such as x.zarr")
    _add_run(record)
    record.add_argument("--dtype", default="float32", choices=("float16", "float32", "float64"), help="of the activity")

    analyse.add_argument("analysis", metavar="ANALYSIS", help="a name that `probekit analyses` lists")
    _add_network(analyse)
    analyse.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for what it finds")
    _add_run(analyse)
    _add_quick(analyse)

    _add_network(report)
    report.add_argument(
        "--with",
        dest="analyses",
        type=_names,
        metavar="A,B",
        help="analyses (default: the quick ones that apply to the network)",
    )
    report.add_argument("--out", type=Path, metavar="DIR", help="folder for page and tables (default: report/MODEL)")
    _add_run(report)
    _add_quick(report)
    _add_reproduce(reproduce)
    train.add_argument("model", metavar="NAME", help="v1net, grid-rnn, grid-lstm, grid-lstm-long, grid-lstm-banino")
    train.add_argument("--seed", type=_seed, default=0, metavar="N", help="of everything random (default: 0)")
    train.add_argument(
        "--out", type=Path, metavar="FILE", help="of the weights (default: NAME-seedN.safetensors); the log lies beside"
    )
    train.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:N or mps (default: cpu)")
    train.add_argument("--quick", action="store_true", help="few data and steps, to see that it runs")
    return {
        "zoo": zoo,
        "analyses": analyses,
        "studies": studies,
        "layers": layers,
        "record": record,
        "analyse": analyse,
        "report": report,
        "reproduce": reproduce,
        "train": train,
        **_add_data(data),
    }


def _add_reproduce(parser: _Parser) -> None:
    parser.add_argument("study", metavar="STUDY", help="a name that `probekit studies` lists")
    parser.add_argument(
        "--model",
        dest="models",
        action="extend",
        nargs="+",
        metavar="MODEL",
        help="networks to compare (default: those of the study, most often efficientnet-lite0)",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for page and tables (default: report/STUDY)")
    parser.add_argument("--synthetic", action="store_true", help="planted brains instead of real ones")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="of everything random (default: 0)")
    _add_device(parser)
    _add_quick(parser)


def _add_data(data: _Parser) -> dict[str, _Parser]:
    group = data.add_subparsers(metavar="WHAT", required=True)
    fetch = _command(group, "fetch", "listings:data_fetch", "get a data set, unless it is there, and check it")
    fetch.add_argument("name", metavar="NAME", help="a name that `probekit data list` lists")
    return {
        "data list": _command(group, "list", "listings:data_list", "list the data sets"),
        "data fetch": fetch,
        "data where": _command(group, "where", "listings:data_where", "say in which folder they lie"),
    }


def _command(
    group: argparse._SubParsersAction[_Parser], name: str, run: str, does: str, epilog: str | None = None
) -> _Parser:
    parser = group.add_parser(
        name,
        help=does,
        description=f"{does[0].upper()}{does[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="machine-readable result")
    return parser


def _add_network(parser: _Parser) -> None:
    parser.add_argument("model", metavar="MODEL", help="zoo name, torchvision/NAME, timm/NAME, or your own factory")
    group = parser.add_argument_group("the network")
    group.add_argument("--weights", type=Path, metavar="FILE", help=".safetensors, or a state dict saved by torch")
    group.add_argument("--input", type=_shape, metavar="3x224x224", help="shape of one stimulus")
    group.add_argument("--mean", type=_numbers, metavar="A,B,C", help="input normalisation, for stimuli in 0 … 1")
    group.add_argument("--std", type=_numbers, metavar="A,B,C", help="likewise")
    group.add_argument("--untrained", action="store_true", help="the untrained twin; needs no weights")
    group.add_argument("--seed", type=_seed, default=0, metavar="N", help="of everything random (default: 0)")


def _add_run(parser: _Parser) -> None:
    parser.add_argument(
        "--layers",
        type=_patterns,
        metavar="GLOB",
        help="dotted names or patterns, with commas between them: * is one level, ** any number "
        "(default: those of the network's card, else its activation functions)",
    )
    _add_device(parser)


def _add_device(parser: _Parser) -> None:
    parser.add_argument("--device", default="cpu", metavar="D", help="cpu, cuda, cuda:N or mps (default: cpu)")
    parser.add_argument("--batch-size", type=int, default=64, metavar="N", help="stimuli a forward pass (default: 64)")


def _add_quick(parser: _Parser) -> None:
    parser.add_argument("--quick", action="store_true", help="fewer stimuli and resamples, for a first look")


def _patterns(text: str) -> list[str]:
    return _split(text, str)


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(_split(text, str)))


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(_split(text, float))


def _shape(text: str) -> tuple[int, ...]:
    return tuple(_split(text, int, "x"))


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise argparse.ArgumentTypeError(f"'{text}'; expected a whole number from 0")
    return int(text)


def _split(text: str, kind: type[_T], separator: str = ",") -> list[_T]:
    parts = [part.strip() for part in text.split(separator)]
    try:
        if not all(parts):
            raise ValueError
        return [kind(part) for part in parts]  # type: ignore[call-arg]
    except ValueError:
        what = {str: "names", float: "numbers", int: "whole numbers"}[kind]
        raise argparse.ArgumentTypeError(f"'{text}'; expected {what} with '{separator}' between them") from None
