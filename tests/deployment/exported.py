"""Short fits, and what exported models read."""

import importlib.util

import numpy as np

EPOCHS = {
    "warmup_epochs": 1,
    "max_epochs": 2,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 5,
    "random_state": 0,
}


def padded(sequences, width, *, padding=np.nan, more=0):
    """Return the inputs of a graph that reads vectors."""
    lengths = np.array([len(x) for x in sequences], np.int64)
    n_tokens = max(lengths, default=0) + more
    vectors = np.full((len(sequences), n_tokens, width), padding, np.float32)
    for row, x in zip(vectors, sequences, strict=True):
        row[: len(x)] = x
    return {"vectors": vectors, "lengths": lengths}


def read_tokenizer(folder):
    """Load the class Tokenizer that an export has written."""
    spec = importlib.util.spec_from_file_location("written", folder / "tokenizer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Tokenizer(folder)
