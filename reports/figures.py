"""How every figure looks, and how a drawing becomes an SVG: plain in a file, native in a page.

Drawing functions take axes and draw on them; `render` gives them the axes. Colours are the hex codes below. In a page
they become CSS variables, so that a figure follows the reader's light or dark mode.
"""

from __future__ import annotations

import io
import re
import warnings
import xml.dom.minidom as dom
from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK = "#1b1f24"
PAPER = "#ffffff"
AXIS = "#59626d"
GRID = "#e1e5ea"
TRAINED = "#1f5fa8"
TRAINED_PALE = "#85aad6"
UNTRAINED = "#a34d0c"
UNTRAINED_PALE = "#e6b48a"
UNLEARNED = "#5d7a3a"

_VARIABLES = {
    INK: "currentColor",
    PAPER: f"var(--page, {PAPER})",
    AXIS: f"var(--axis, {AXIS})",
    GRID: f"var(--grid, {GRID})",
    TRAINED: f"var(--trained, {TRAINED})",
    TRAINED_PALE: f"var(--trained-pale, {TRAINED_PALE})",
    UNTRAINED: f"var(--untrained, {UNTRAINED})",
    UNTRAINED_PALE: f"var(--untrained-pale, {UNTRAINED_PALE})",
    UNLEARNED: f"var(--unlearned, {UNLEARNED})",
}
_FONTS = "system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "probekit",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.edgecolor": AXIS,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "figure.facecolor": "none",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "xtick.color": AXIS,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.color": AXIS,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8,
    "ytick.major.size": 0,
}


def render(draw: Callable[[Axes], object], *, size: tuple[float, float] = (4.0, 3.0), polar: bool = False) -> str:
    """Return what `draw` draws as an SVG document, the same bytes each time.

    Parameters
    ----------
    draw : callable
        Draws on the axes that it is given.
    size : (float, float)
        Width and height in inches.
    polar : bool
        Whether the axes are polar.
    """
    with rc_context(_STYLE), warnings.catch_warnings():
        # Text stays text, so the reader's fonts count, not the ones that matplotlib measures with.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot(projection="polar" if polar else None)
        draw(axes)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return _tidy(file.getvalue())


def _tidy(svg: str) -> str:
    """Drop what no reader needs (metadata, unused ids, long decimals) and name fonts that exist."""
    document = dom.parseString(svg)
    root = document.documentElement
    assert root is not None
    for name in ("metadata", "style"):
        for node in root.getElementsByTagName(name):
            if node.parentNode is not None:
                node.parentNode.removeChild(node)
    root.setAttribute("style", "stroke-linejoin: round; stroke-linecap: butt")
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    for node in _elements(root):
        if node.getAttribute("id") and node.getAttribute("id") not in used:
            node.removeAttribute("id")
        if node.hasAttribute("d"):
            node.setAttribute("d", _rounded(" ".join(node.getAttribute("d").split())))
        if node.tagName == "text":
            style = re.sub(r"font-family:[^;]*", f"font-family: {_FONTS}", node.getAttribute("style"))
            node.setAttribute("style", style)
    return root.toxml() + "\n"


def _rounded(path: str) -> str:
    return re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", path)


def _elements(root: dom.Element) -> list[dom.Element]:
    return [root, *root.getElementsByTagName("*")]


def inline(svg: str, prefix: str, alt: str) -> Markup:
    """Return the SVG as part of a page: its ids under `prefix`, its colours the page's, its words for those who listen.

    Parameters
    ----------
    svg : str
        A document as `render` makes it.
    prefix : str
        Unique in the page.
    alt : str
        What the picture shows; "" hides it from screen readers, where the words stand beside it.
    """
    root = dom.parseString(svg).documentElement
    assert root is not None
    for node in _elements(root):
        for name, value in list(node.attributes.items()):
            node.setAttribute(name, _native(name, value, prefix))
        if node.tagName == "text":
            node.setAttribute("style", re.sub(r"font-family:[^;]*;?", "", node.getAttribute("style")))
    for name in ("width", "height", "version", "xmlns"):
        if root.hasAttribute(name):
            root.removeAttribute(name)
    if alt:
        root.setAttribute("role", "img")
        root.setAttribute("aria-label", alt)
    else:
        root.setAttribute("aria-hidden", "true")
    return Markup(root.toxml())  # every text in it was escaped by the XML writer


def _native(name: str, value: str, prefix: str) -> str:
    if name == "id":
        return f"{prefix}-{value}"
    if name == "xlink:href":
        if value.startswith("data:"):
            return value  # a picture that is drawn whole, such as a matrix
        return f"#{prefix}-{value.removeprefix('#')}"
    value = value.replace("url(#", f"url(#{prefix}-")
    if name in ("style", "fill", "stroke"):
        for plain, variable in _VARIABLES.items():
            value = value.replace(plain, variable)
    return value
