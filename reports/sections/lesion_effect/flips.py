"""Images that were told right and are told wrong without the targeted units."""

from __future__ import annotations

import numpy as np

from probekit.reports.section import Figure, Panel
from probekit.reports.sections.lesion_effect.scale import dose_words
from probekit.reports.sections.lesion_effect.view import View
from probekit.reports.unit_pages.maps import photograph
from probekit.reports.words import count


def flips_figure(view: View) -> Figure | None:
    """Return examples of images that flip, one of each condition where that can be."""
    kept = view.array("flipped_image")
    if kept is None or not kept.size:
        return None
    said = kept.attrs
    panels = tuple(
        Panel(
            f"{place + 1:02d}",
            photograph(np.repeat(image[..., None], 3, axis=2)),
            f"An image of {condition}.",
            (f"{condition}: told right",),
        )
        for place, (image, condition) in enumerate(zip(kept.values, kept["condition"].values, strict=True))
    )
    return Figure(
        "flips",
        "Images that flip",
        panels,
        f"{count(len(panels))} of {count(said['n_flipped'])} images that the read-out tells right with the network "
        "intact and wrong "
        f"without {dose_words(said['share'])} of the units of {said['layer']}, the most selective for faces; of these "
        f"{count(said['n_faces'])} are faces. Without one sham, {count(said['n_flipped_sham'])} images flip.",
        size="small",
    )
