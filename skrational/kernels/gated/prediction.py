"""Prediction on the CPU."""

PackedLSTM = PackedGRU = None
