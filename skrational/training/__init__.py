"""Regularize, prune, finetune: one loop for every cell, penalty and pruner."""
