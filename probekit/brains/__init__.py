"""Brains that were measured, with stimuli or on the move, as RDMs, spikes, voxels or maps, and the control models.

Each module is one published data set and says what its files hold; `probekit.data` says where they lie.
"""

from probekit.brains import (
    cichy2014,
    cichy2016,
    decoding,
    floc,
    kriegeskorte2008,
    model_rdms,
    mouse_grids,
    peyrache2015,
    tampuu2019,
    vim1,
    zhang2011,
)

__all__ = [
    "cichy2014",
    "cichy2016",
    "decoding",
    "floc",
    "kriegeskorte2008",
    "model_rdms",
    "mouse_grids",
    "peyrache2015",
    "tampuu2019",
    "vim1",
    "zhang2011",
]
