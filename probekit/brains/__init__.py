"""Brains that were measured: responses to known stimuli, as RDMs, spikes or voxels, and the control models beside them.

Each module is one published data set and says what its files hold; `probekit.data` says where they lie.
"""
