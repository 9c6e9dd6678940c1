"""What maps look like by chance: three nulls, each a generator of maps of all units, reproducible from its seed.

Which null a score needs follows from what it could be mistaken for.

- `time_shifts` keeps the activity and breaks its relation to the place. It fits spatial information, fields, borders,
  directions and speeds. It is far too weak for gridness: shifts leave little of a map but noise, and any coarse pattern
  is easily more of a grid than that.
- `replaced_fields` keeps the fields of a unit and puts them elsewhere: is their *arrangement* more regular than chance?
- `matched_spectrum` keeps how coarse the map is, and the values in it: is it more than a random field of that grain?

A unit is called a grid cell here only if it beats the last two. Random read-outs of place cells, never trained,
rectified and signed, 20 bins, gridness of Banino et al. 2018: share of units with p <= .05 (300 units, 59 shuffles; two
standard errors are about .025), and mean 95th percentile of the null in brackets:

==================  ================  ================
null                rectified         signed
==================  ================  ================
time_shifts         .25 (.36)         .28 (.35)
replaced_fields     .09 (.57)         .17 (.48)
matched_spectrum    .06 (.62)         .08 (.66)
==================  ================  ================
"""

from __future__ import annotations

from probekit.spatial.nulls.matched_spectrum import Values, matched_spectrum
from probekit.spatial.nulls.replaced_fields import replaced_fields, watershed
from probekit.spatial.nulls.time_shifts import shifted_rows, time_shifts

__all__ = ["Values", "matched_spectrum", "replaced_fields", "shifted_rows", "time_shifts", "watershed"]
