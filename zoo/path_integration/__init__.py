"""Recurrent networks that learn to keep track of where they are: what grid-rnn and grid-lstm share."""
