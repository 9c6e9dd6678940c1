"""From templates to HTML: everything is escaped, and a name that is not given is an error."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import jinja2
from markupsafe import Markup, escape

from probekit.reports.figures import inline
from probekit.reports.words import count, exact, plural


def render_template(name: str, **values: object) -> Markup:
    """Return a template of ``reports/templates`` filled in; every value that is not `Markup` is escaped."""
    return Markup(_environment().get_template(name).render(values))


@cache
def template_text(name: str) -> str:
    """Return a file of ``reports/templates`` as it is."""
    return (files("probekit.reports") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(template_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"inline": inline, "exact": exact, "count": count, "plural": plural, "prose": _prose}
    return environment


def _prose(text: str) -> Markup:
    """Return a sentence with what stands between backticks set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))
