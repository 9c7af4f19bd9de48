"""The plus-times recurrence on the CPU, compiled: for training and for prediction."""
