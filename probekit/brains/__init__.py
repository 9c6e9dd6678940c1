"""Brains that were measured: responses to known stimuli, as RDMs, spikes or voxels, and the control models beside them.

Each module is one published data set and says what its files hold; `probekit.data` says where they lie.
"""

from probekit.brains import cichy2014, cichy2016, decoding, kriegeskorte2008, model_rdms, vim1, zhang2011

__all__ = ["cichy2014", "cichy2016", "decoding", "kriegeskorte2008", "model_rdms", "vim1", "zhang2011"]
