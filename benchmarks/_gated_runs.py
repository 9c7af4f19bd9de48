"""How each kind of job of the gated benchmark is done: a pure function of the job."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import skrational
from benchmarks import _gated_plan as plans
from benchmarks import _harness as harness
from benchmarks._features import SPLITS, Features, load_features, load_texts
from benchmarks._figure3_peers import tfidf
from benchmarks._gated_plan import Job, Plan
from benchmarks._store import Row, stem
from skrational import SparseLSTMClassifier, SparseRationalClassifier

GATES = ("i", "f", "g", "o")
COLUMNS = (
    "set",
    "arm",
    "framework",
    "seed",
    "lambda_",
    "n_units",
    "n_gates",
    *GATES,
    "n_weights",
    "compression",
    "n_bytes",
    "n_bytes_initial",
    "n_transitions",
    "dev",
    "test",
    "seconds",
    "hyper_parameters",
)
"""``dev`` and ``test`` are accuracies, of language models perplexities or bits a
character; ``seconds`` are what a model took, the first of a path with the warm-up."""


def run(job: Job, plan: Plan, folder: Path) -> tuple[Job, list[Row]]:
    """Do a job on one thread."""
    harness.set_threads(1)
    start = time.perf_counter()
    rows = kind(job, plan)(job, plan, folder)
    seconds = time.perf_counter() - start
    seconds -= sum(row.get("seconds", 0) for row in rows)
    rows[0]["seconds"] = rows[0].get("seconds", 0) + seconds
    return job, [complete(job, row) for row in rows]


def kind(job: Job, plan: Plan) -> Callable[[Job, Plan, Path], list[Row]]:
    if job.set in plan.languages:
        return run_language
    single = {plans.DENSE: run_dense, plans.TFIDF: run_tfidf}
    return single.get(job.arm, run_path)


def complete(job: Job, row: Row) -> Row:
    of_job = {"set": job.set, "arm": job.arm, "framework": job.framework}
    of_job |= {"seed": job.seed, "lambda_": "" if job.lambda_ is None else job.lambda_}
    chosen = json.dumps(row.pop("hyper_parameters", {}))
    of_row = {"seconds": round(row["seconds"], 2), "hyper_parameters": chosen}
    return dict.fromkeys(COLUMNS, "") | of_job | row | of_row


def run_path(job: Job, plan: Plan, folder: Path) -> list[Row]:
    """All points of a path; what it has done so far outlives whoever is killed."""
    from skrational.model_selection import regularization_path

    features = features_of(job, plan, folder)
    estimator, options = path_of(job, plan)
    checkpoints = folder / "unfinished" / stem(job)
    path = regularization_path(
        estimator,
        *features["train"],
        **options,
        **dict(zip(("X_val", "y_val"), features["dev"], strict=True)),
        **dict(zip(("X_test", "y_test"), features["test"], strict=True)),
        checkpoint_dir=checkpoints,
    )
    shutil.rmtree(checkpoints)
    return [
        {
            "lambda_": point.lambda_,
            **sizes(point.structure),
            "dev": point.validation_score,
            "test": point.test_score,
            "seconds": point.seconds,
        }
        for point in path.points
    ]


def path_of(job: Job, plan: Plan) -> tuple[Any, dict[str, Any]]:
    """The estimator of a path, and how the path is gone."""
    if job.arm == plans.RATIONAL:
        options = {"n_lambdas": plan.rational_lambdas}
        return SparseRationalClassifier(random_state=job.seed), options
    recipe = plan.recipes[job.set][job.framework]
    clf = SparseLSTMClassifier(
        sparsify=plans.ARMS[job.arm], framework=job.framework, random_state=job.seed
    )
    return clf.set_params(**recipe.params), {
        "lambdas": recipe.lambdas[job.arm],
        "epochs_per_lambda": recipe.epochs_per_lambda,
        "finetune_epochs": recipe.finetune_epochs,
    }


def run_dense(job: Job, plan: Plan, folder: Path) -> list[Row]:
    """Fits without penalty; epochs and dropout, which it needs more of, from dev."""
    features = features_of(job, plan, folder)
    X_val, y_val = features["dev"]
    fits = [
        SparseLSTMClassifier(
            lambda_=0,
            dropout=dropout,
            warmup_epochs=0,
            early_stopping=True,
            n_iter_no_change=2,
            random_state=job.seed,
        ).fit(*features["train"], X_val=X_val, y_val=y_val)
        for dropout in plan.dense_dropouts
    ]
    clf = max(fits, key=lambda fit: fit.score(X_val, y_val))
    scores = {split: clf.score(*features[split]) for split in ("dev", "test")}
    return [{"lambda_": 0.0, **sizes(clf.learned_structure_), **scores}]


def run_tfidf(job: Job, plan: Plan, folder: Path) -> list[Row]:
    """The same texts, by words and pairs of words."""
    texts = load_texts(job.set)
    texts["train"] = tuple(part[: plan.n_documents] for part in texts["train"])
    found = tfidf(texts)
    del found["n_parameters"]
    return [found]


def run_language(job: Job, plan: Plan, folder: Path) -> list[Row]:
    """One language model, by its perplexity or bits a character."""
    task = plan.languages[job.set]
    texts = load_texts(task.texts)
    train, *held_out = (texts[split][0][: task.n_documents] for split in SPLITS)
    model = skrational.SparseLSTMLanguageModel(
        level=task.level, lambda_=job.lambda_, random_state=job.seed
    )
    model.set_params(**task.params)
    if job.arm == plans.DENSE:
        # It is the first to learn the training texts by heart.
        model.set_params(warmup_epochs=0, early_stopping=True, n_iter_no_change=2)
    else:
        model.set_params(sparsify=plans.ARMS[job.arm])
    model.fit(train)
    measure = {"word": model.perplexity, "character": model.bits_per_character}
    scores = map(measure[task.level], held_out)
    return [
        sizes(model.learned_structure_)
        | dict(zip(("dev", "test"), map(float, scores), strict=True))
    ]


def features_of(job: Job, plan: Plan, folder: Path) -> Features:
    features = load_features(job.set, plans.VECTORS, folder)
    X, y = features["train"]
    return features | {"train": (X[: plan.n_documents], y[: plan.n_documents])}


def sizes(structure: Any) -> Row:
    """What is left; rational networks store numbers of four bytes and nothing else."""
    if hasattr(structure, "n_transitions"):
        names = {"n_transitions": structure.n_transitions}
        return names | {"n_bytes": 4 * structure.n_parameters}
    names = ("n_units", "n_gates", "n_weights", "n_bytes", "n_bytes_initial")
    return {
        **{name: getattr(structure, name) for name in names},
        **structure.gates_by_kind(),
        "compression": structure.compression,
    }
