"""The plus-times recurrence on a CUDA device: Triton, with a hand-written backward.

A program walks one document with 32 automata side by side and their states in
registers. The gates of later tokens do not depend on the states, so those of several
tokens are fetched together.

The gradients have the same bits every time: nothing is added atomically.
"""
