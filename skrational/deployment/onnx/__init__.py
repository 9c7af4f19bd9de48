"""Fitted classifiers as graphs of the Open Neural Network Exchange."""
