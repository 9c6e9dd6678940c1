"""What maps look like by chance: three nulls, each a generator of maps of all units, reproducible from its seed.

Which null a score needs follows from what it could be mistaken for.

- `time_shifts` keeps the activity and breaks its relation to the place. It fits spatial information, fields, borders,
  directions and speeds. It is far too weak for gridness: any unit that depends on the place, in whatever pattern, beats
  shifts that leave little but noise.
- `replaced_fields` keeps the fields of a unit and puts them elsewhere: is their *arrangement* more regular than chance?
- `matched_spectrum` keeps how coarse the map is, and the values in it: is it more than a random field of that grain?

A unit is called a grid cell here only if it beats the last two.
"""

from __future__ import annotations

from probekit.spatial.nulls.matched_spectrum import Values, matched_spectrum
from probekit.spatial.nulls.replaced_fields import replaced_fields, watershed
from probekit.spatial.nulls.time_shifts import shifted_rows, time_shifts

__all__ = ["Values", "matched_spectrum", "replaced_fields", "shifted_rows", "time_shifts", "watershed"]
