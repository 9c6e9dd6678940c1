"""torch's fused LSTM, GRU and RNN taken apart: states and gates at every step, read out or changed on the way."""

from probekit.recurrent.places import RECURRENT, part_names
from probekit.recurrent.rebuilt import States, states
from probekit.recurrent.stepwise import Edit, Stepped, step_by_step

__all__ = ["RECURRENT", "Edit", "States", "Stepped", "part_names", "states", "step_by_step"]
