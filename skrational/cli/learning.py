"""``skrational fit`` and ``skrational path``: from a table to a model."""

from __future__ import annotations

import argparse
import ast
import sys
from collections import Counter
from typing import Any

from skrational.cli.examples import Examples, read_examples
from skrational.cli.faults import Fault, UsageFault
from skrational.cli.files import STREAM, check_apart, check_writable
from skrational.cli.messages import note
from skrational.cli.models import check_place_for_model, describe, save_model
from skrational.cli.progress import FitBar, wants_bar
from skrational.cli.tables import write_table
from skrational.utils.files import expanded
from skrational.utils.suggestions import did_you_mean

__all__ = ["fit", "path"]

_WORDLLAMA = "wordllama"


def fit(args: argparse.Namespace) -> None:
    """Learn a model, and write it."""
    _check_places(args)
    pipeline = _build(args)
    pipeline.set_params(classifier__lambda_=args.lambda_)
    examples = _read(args.table, args)
    with_bar = _with_bar(pipeline[-1], args)
    pipeline.fit(
        examples.texts, examples.labels, classifier__checkpoint_dir=args.checkpoint
    )
    if with_bar:
        pipeline[-1].set_callbacks()
    save_model(pipeline, args.out)
    _say(f"{describe(pipeline)}, learned from {len(examples.texts):,} texts", args.out)
    note(f"Next: skrational test {args.out} TABLE, skrational explain {args.out} TABLE")


def path(args: argparse.Namespace) -> None:
    """Fit a path, print it, and write the point that is chosen."""
    from sklearn.pipeline import Pipeline

    from skrational.model_selection import regularization_path

    _check_places(args)
    check_writable(args.curve)
    vectorizer, classifier = (step for _, step in _build(args).steps)
    training = _read(args.table, args)
    others = {
        split: read_examples(name, args)
        for split, name in (("val", args.dev), ("test", args.test))
        if name is not None
    }
    X = vectorizer.fit_transform(training.texts)
    given: dict[str, Any] = {"checkpoint_dir": args.checkpoint}
    for split, examples in others.items():
        given[f"X_{split}"] = vectorizer.transform(examples.texts)
        given[f"y_{split}"] = examples.labels
    _with_bar(classifier, args)
    try:
        found = regularization_path(
            classifier, X, training.labels, n_lambdas=args.points, **given
        )
    except ValueError as error:
        if args.dev is None and "give X_val" in str(error):
            raise Fault(
                f"{training.name} holds {len(training.texts)} texts, too few to hold "
                "some of each class out, which choose the point; give others by "
                "--dev TABLE."
            ) from error
        raise
    if getattr(found, "interrupted", False):
        raise KeyboardInterrupt
    chosen = _choose(found, args.max_transitions)
    if args.curve:
        write_table(args.curve, None, _curve(found))
    save_model(Pipeline([("vectorizer", vectorizer), ("classifier", chosen)]), args.out)
    _say(_shown(found, chosen), args.out)


def _check_places(args: argparse.Namespace) -> None:
    """Raise a fault if there is no place for the model, before it is learned."""
    check_apart(args)
    check_place_for_model(args.out)
    if args.checkpoint is None or args.out == STREAM:
        return
    model, kept = (expanded(p).resolve() for p in (args.out, args.checkpoint))
    if model == kept or model in kept.parents:
        raise UsageFault(
            f"--checkpoint {args.checkpoint} is in the place of the model, --out "
            f"{args.out}; name a folder outside it."
        )
    if kept.exists() and not kept.is_dir():
        raise UsageFault(
            f"--checkpoint {args.checkpoint} is a file; expected a folder."
        )


def _say(result: str, out: str) -> None:
    """Print a result, unless it would get between the bytes of a model."""
    print(result, file=sys.stderr if out == STREAM else sys.stdout)


def _read(name: str, args: argparse.Namespace) -> Examples:
    """Read what to learn from; there must be classes to tell apart."""
    examples = read_examples(name, args)
    counts = Counter(examples.labels)
    n = len(examples.labels)
    if len(counts) < 2:
        raise Fault(
            f"{examples.name} holds one class only, {next(iter(counts))!r}; a model "
            "tells at least two apart."
        )
    if len(counts) > max(20, n // 2):
        raise Fault(
            f"{examples.name} holds {len(counts)} classes on {n} rows; is --label the "
            "column of the classes?"
        )
    most = ", ".join(f"{label} ({k:,})" for label, k in counts.most_common(5))
    more = ", ..." if len(counts) > 5 else ""
    note(f"{examples.name}: {n:,} texts, {len(counts)} classes: {most}{more}")
    return examples


def _build(args: argparse.Namespace) -> Any:
    """Make the pipeline that the arguments describe."""
    from sklearn.pipeline import Pipeline

    from skrational.estimators.rational import SparseRationalClassifier

    classifier = SparseRationalClassifier(
        random_state=args.seed, verbose=int(args.verbose)
    )
    pipeline = Pipeline([("vectorizer", _vectorizer(args)), ("classifier", classifier)])
    pipeline.set_params(**_settings(args.set, pipeline))
    _check_settings(args.set, pipeline)
    return pipeline


def _vectorizer(args: argparse.Namespace) -> Any:
    from skrational.text.static import StaticVectorizer
    from skrational.text.word_vectors import WordVectorizer

    tables = _tables(args.vectors or ["corpus"])
    if len(tables) == 1 and (tables[0] == _WORDLLAMA or expanded(tables[0]).is_dir()):
        return StaticVectorizer(tables[0])
    given = tables[0] if len(tables) == 1 else tables
    return WordVectorizer(given, random_state=args.seed)


def _tables(given: list[str]) -> list[str]:
    """Names of tables, which may stand in a list with commas."""
    parts = [
        part
        for name in given
        for part in ([name] if expanded(name).exists() else name.split(","))
    ]
    if not all(parts):
        raise UsageFault(f"--vectors {','.join(given)}: a name is missing.")
    return parts


def _settings(given: list[str], pipeline: Any) -> dict[str, Any]:
    """Read ``--set NAME=VALUE``; names without a step are the classifier's."""
    settings = {}
    for item in given:
        name, equals, text = item.partition("=")
        full = name if "__" in name else f"classifier__{name}"
        known = pipeline.get_params()
        if not equals or full not in known:
            names = [n.removeprefix("classifier__") for n in known if "__" in n]
            raise UsageFault(
                f"--set {item}: expected NAME=VALUE with the name of a parameter."
                f"{did_you_mean(name, names)}"
            )
        settings[full] = _value(text)
    return settings


def _check_settings(given: list[str], pipeline: Any) -> None:
    """Make sure that the estimators take the values, before a table is read."""
    from sklearn.utils._param_validation import InvalidParameterError

    for _, step in pipeline.steps:
        try:
            step._validate_params()
        except InvalidParameterError as error:
            raise UsageFault(f"--set {' '.join(given)}: {error}") from error


def _value(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def _with_bar(classifier: Any, args: argparse.Namespace) -> bool:
    """Show a bar while the classifier is fitted, if there is someone to see it."""
    shown = wants_bar(args.quiet or args.verbose)
    if shown:
        classifier.set_callbacks(FitBar("fit" if args.run.endswith("fit") else "path"))
    return shown


def _choose(found: Any, max_transitions: int | None) -> Any:
    if max_transitions is None:
        return found.smallest_within_one_se()
    return found.at(n_transitions=max_transitions)


def _curve(found: Any) -> list[dict[str, Any]]:
    names = ("lambda_", "n_transitions", "n_wfsas", "n_parameters")
    scores = ("validation_score", "validation_error", "test_score", "seconds")
    return [
        {name: getattr(point, name) for name in (*names, *scores)}
        for point in found.points
    ]


def _shown(found: Any, chosen: Any) -> str:
    """Write the curve for a terminal; an arrow marks the point that was chosen."""
    with_test = any(point.test_score == point.test_score for point in found.points)
    lines = [
        f"  {'lambda':>9}  transitions  WFSAs  dev accuracy" + "  test" * with_test
    ]
    for point in found.points:
        mark = "->" if point.lambda_ == chosen.lambda_ else "  "
        test = f"  {point.test_score:.3f}" if with_test else ""
        lines.append(
            f"{mark}{point.lambda_:>9.3g}  {point.n_transitions:>11}  "
            f"{point.n_wfsas:>5}  {point.validation_score:.3f} ± "
            f"{point.validation_error:.3f}{test}"
        )
    return "\n".join(lines)
