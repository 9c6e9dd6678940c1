"""A page as a file: what it may do, and how it is written."""

from __future__ import annotations

import base64
import hashlib
from contextlib import suppress
from pathlib import Path

from markupsafe import Markup

import probekit
from probekit.errors import UsageError
from probekit.reports.rendering import render_template, template_text


def render_page(template: str, **values: object) -> str:
    """Return a page of `template`, with the style, the script and a policy that lets nothing else in."""
    script = template_text("report.js")
    return render_template(
        template,
        version=probekit.__version__,
        style=Markup(template_text("style.css")),
        script=Markup(script),
        policy=_policy(script),
        **values,
    )


def write(path: Path, text: str) -> Path:
    """Write a text file, replacing what is there only when all of it is written; return the path.

    Raises
    ------
    UsageError
        If the file cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(text.encode("utf-8", errors="replace"))
        part.replace(path)
    except OSError as err:
        with suppress(OSError):
            part.unlink()
        raise UsageError(f"path is '{path}', which cannot be written: {err}") from err
    return path


def _policy(script: str) -> str:
    """Return a content security policy that lets nothing be fetched and no script run but the page's own."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
