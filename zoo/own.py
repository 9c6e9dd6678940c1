"""The user's own network: ``package.module:factory`` or ``path/to/file.py:factory``."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

from torch import nn

from probekit import randomness
from probekit.errors import ModelError, UsageError, unknown_name
from probekit.network import Card, Entry, Preprocess, weights_hash
from probekit.zoo.model import Model
from probekit.zoo.weights import fill, read

_DEFAULT_SHAPE = (3, 224, 224)
_NO_TWIN = (
    "Its factory gives the same weights whatever the seed, so it cannot make an untrained twin: let it return the bare "
    "architecture, and give the weights as a file."
)


def model(name: str, *, seed: int = 0) -> Model | Entry:
    """Return the network that a factory makes; called without arguments, it gives an nn.Module or an `Entry`.

    Parameters
    ----------
    name : str
        ``package.module:factory``, or ``path/to/file.py:factory``; the file is run as a module of its own.
    seed : int
        Torch's seed while the factory runs, so that one that loads no weights gives the same network each time.

    Returns
    -------
    Model or Entry
        An Entry if that is what the factory gives. A Model has input shape 3x224x224 and no normalisation.

    Raises
    ------
    UsageError
        If the file, module or factory does not exist.
    ModelError
        If the module or the factory raises, or gives something else.
    """
    place, _, factory_name = name.rpartition(":")
    with randomness.seeded(seed):
        source = _run_file(Path(place)) if place.endswith(".py") else _import(place)
    factory = getattr(source, factory_name, None)
    if not callable(factory):
        raise unknown_name(f"factory in {place}", factory_name, _factories(source))
    with randomness.seeded(seed):
        made = _call(factory, name)
    if isinstance(made, Entry):
        made.module.eval()
        return made
    with randomness.seeded(seed + 1):
        again = _call(factory, name)
    fixed = isinstance(again, nn.Module) and (again is made or weights_hash(again) == weights_hash(made))
    return Model(
        card=Card(
            name=name,
            kind="own network",
            input_shape=_DEFAULT_SHAPE,
            trained_on="unknown to probekit (weights set by its factory)"
            if fixed
            else f"nothing that probekit knows of (initialised by its factory from seed {seed})",
            source=place,
            notes=_NO_TWIN if fixed else "BatchNorm, where there is any, runs in eval mode.",
        ),
        preprocess=Preprocess((0.0,), (1.0,)),
        build=None if fixed else partial(_build, factory, name),
        load=lambda weights: made if weights is None else fill(made, read(weights), weights),
        here=lambda: True,
    )


def _build(factory: Callable[[], object], name: str) -> nn.Module:
    made = _call(factory, name)
    return made.module if isinstance(made, Entry) else made


def _call(factory: Callable[[], object], name: str) -> nn.Module | Entry:
    try:
        made = factory()
    except Exception as err:
        raise ModelError(f"{name} raised {type(err).__name__}: {err}") from err
    if not isinstance(made, nn.Module | Entry):
        raise ModelError(f"{name} gives a {type(made).__name__}; expected an nn.Module or a probekit Entry.")
    return made


def _run_file(file: Path) -> ModuleType:
    if not file.is_file():
        raise UsageError(f"There is no file {file}.")
    name = f"probekit_own_{hashlib.sha256(str(file.resolve()).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as err:
        del sys.modules[name]
        raise _failed(str(file), err) from err
    return module


def _import(place: str) -> ModuleType:
    if not all(part.isidentifier() for part in place.split(".")):
        raise UsageError(f"'{place}' is not a module; expected package.module:factory or path/to/file.py:factory.")
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as err:
        if err.name is not None and f"{place}.".startswith(f"{err.name}."):
            raise UsageError(
                f"There is no module '{place}': {err}. Where it is not installed, set PYTHONPATH to its folder."
            ) from err
        raise _failed(place, err) from err
    except (Exception, SystemExit) as err:
        raise _failed(place, err) from err


def _failed(place: str, err: BaseException) -> ModelError:
    hint = " Set PYTHONPATH to the folder that holds it." if isinstance(err, ModuleNotFoundError) else ""
    return ModelError(f"{place} cannot be imported; it raised {type(err).__name__}: {err}.{hint}")


def _factories(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]
