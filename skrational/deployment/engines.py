"""What a cluster is sent once, rather than with each task."""

from __future__ import annotations

import os
from typing import Any

from skrational.text.vectors.loading import load_table
from skrational.text.vectors.sent import SentVectors

__all__ = ["send_vectors"]


def send_vectors(vectors: Any, client: Any = None) -> SentVectors:
    """Send word vectors to each worker of a Dask cluster, once.

    A search sends its estimator with each task: vectors that are given as a dict or
    KeyedVectors go along each time. What this returns is a name for them, and pickles
    as such. Vectors that are given by a path need none of this where workers can read
    the file: they then map it into memory, and share it on each machine.

    Parameters
    ----------
    vectors : KeyedVectors, dict from words to vectors, or path
        Of a path, the table is read here and sent, for workers that can't read it.
    client : distributed.Client, default=None
        None: the one that is there.

    Returns
    -------
    SentVectors
        The parameter ``vectors`` of a `WordVectorizer`. A worker that joins the cluster
        later is sent them, too. What is fitted with it and pickled to a file needs
        ``set_params(vectors=...)`` in a process that was not sent them.

    Raises
    ------
    ImportError
        If Dask's distributed isn't installed.
    ValueError
        If there is no client, or the vectors are empty.
    TypeError
        If vectors is something else.

    Examples
    --------
    >>> from skrational import WordVectorizer
    >>> from skrational.deployment import send_vectors
    >>> vectors = {"good": [1.0, 0.0], "bad": [-1.0, 0.0]}
    >>> from distributed import Client
    >>> with Client(processes=False, dashboard_address=None) as client:
    ...     vectorizer = WordVectorizer(send_vectors(vectors, client))
    ...     vectorizer.fit_transform(["good bad"])
    SequenceArray(1 sequences, 4 tokens of 2 features in 4 rows, type-level)
    """
    # Of a file, its words and their vectors.
    table = load_table(vectors)
    is_path = isinstance(vectors, (str, os.PathLike))
    sent = SentVectors(table if is_path else vectors)
    plugin, get_client = _plugin_for(sent)
    client = get_client() if client is None else client
    client.register_plugin(plugin, name=sent.name)
    return sent


def _plugin_for(sent: SentVectors) -> tuple[Any, Any]:
    """Return what Dask gives to each of its workers, and what finds a client."""
    try:
        from distributed import WorkerPlugin, get_client
    except ImportError as error:
        raise ImportError(
            "Dask clusters need distributed: pip install 'skrational[dask]'"
        ) from error

    class Vectors(WorkerPlugin):
        def __init__(self, name: str, vectors: Any) -> None:
            self.kept = name, vectors

        def setup(self, worker: Any) -> None:
            name, vectors = self.kept
            self.sent = SentVectors(vectors, name)

    return Vectors(sent.name, sent.vectors), get_client
