"""The suite: which checks an estimator has to pass, and running them."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import get_tags
from sklearn.utils.validation import has_fit_parameter

from skrational.testing import _company, _forms, _mistakes, _process, _state, _targets
from skrational.testing._case import is_of_texts

__all__ = [
    "check_sequence_estimator",
    "parametrize_with_sequence_checks",
    "sequence_checks",
]

Check = Callable[..., None]
Failures = Mapping[str, str]

_FOR_ALL = (
    _company.check_order,
    _company.check_subset,
    _company.check_every_sequence_alone,
    _company.check_large_batch,
    _company.check_sequences_of_length_one,
    _company.check_empty_sequences,
    _state.check_refit,
    _state.check_failed_refit,
    _state.check_clone,
    _state.check_pickle,
    _state.check_joblib_memmap,
    _state.check_pickle_between_devices,
    _state.check_input_is_left_alone,
    _state.check_predictions_bind_nothing,
    _process.check_global_generators_stay,
    _process.check_global_generators_change_nothing,
    _process.check_number_of_threads,
    _process.check_fits_at_once,
    _mistakes.check_no_sequences,
)
_OF_SEQUENCES = (
    _forms.check_list_of_arrays,
    _forms.check_object_array,
    _forms.check_padded_array,
    _forms.check_token_level_features,
    _forms.check_type_level_features,
    _forms.check_sliced_sequences,
    _forms.check_memory_layouts,
    _forms.check_float_types,
    _forms.check_read_only_memmap,
    _forms.check_fits_of_all_forms,
    _mistakes.check_wrong_number_of_features,
    _mistakes.check_infinite_features,
)
_OF_TEXTS = (_forms.check_text_containers, _mistakes.check_missing_texts)
_OF_WEIGHTS = (
    _targets.check_zero_weights_as_removal,
    _targets.check_weights_as_repetitions,
)


def sequence_checks(estimator: Any) -> Iterator[Check]:
    """Yield the checks that an estimator has to pass.

    Which ones these are follows from its type, its tags and its parameters:

    - An estimator with the tag ``input_tags.string`` reads texts, any other sequences.
      Of a pipeline the first step is asked, of a search, or another wrapper, its
      ``estimator``.
    - NaN must be refused unless the tag ``input_tags.allow_nan`` is set.
    - Labels that are strings are tried on classifiers; vectors, and values after every
      token, on regressors with the tag ``target_tags.multi_output``.
    - Weights are tried where ``fit`` has ``sample_weight``, jobs where there is a
      parameter ``n_jobs``.

    Parameters
    ----------
    estimator : estimator

    Yields
    ------
    callable
        Takes an unfitted estimator, which it copies, and the keyword ``rtol``; raises
        an error that says what differs where. Its ``__name__`` is that of the check,
        its docstring says what it asks for.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> checks = {check.__name__: check for check in
    ...     sequence_checks(SparseRationalClassifier())}
    >>> checks["check_order"].__doc__
    'Sequences in another order are told of in that order.'
    """
    tags = get_tags(estimator)
    yield from _FOR_ALL
    if is_of_texts(estimator):
        yield from _OF_TEXTS
    else:
        yield from _OF_SEQUENCES
        if not tags.input_tags.allow_nan:
            yield _mistakes.check_nan_features
    if is_classifier(estimator):
        yield _targets.check_string_labels
    if is_regressor(estimator) and tags.target_tags.multi_output:
        yield _targets.check_vector_targets
        yield _targets.check_targets_of_tokens
    if has_fit_parameter(estimator, "sample_weight"):
        yield from _OF_WEIGHTS
    if "n_jobs" in estimator.get_params(deep=False):
        yield _process.check_n_jobs


def check_sequence_estimator(
    estimator: Any,
    *,
    generate_only: bool = False,
    expected_failed_checks: Failures | Callable[[Any], Failures] | None = None,
    on_fail: Literal["raise", "warn", None] = "raise",
    rtol: float = 0.0,
) -> Any:
    """Check that an estimator of sequences or texts does what users rely on.

    scikit-learn's ``check_estimator`` tries tables
    only, which are sequences of length 1. These checks try the rest: that all forms of
    X are read alike; that what is said of a sequence depends on nothing beside it; that
    pickles, memory maps, threads and random generators change nothing; that a fit that
    fails leaves the fitted model; that mistakes are refused.

    Parameters
    ----------
    estimator : estimator
        An instance; it's copied. Set parameters so that a fit takes a moment. It need
        not be of this package: `skrational.as_sequences` reads all forms of X.
    generate_only : bool, default=False
        Whether to yield pairs of an estimator and a check instead of running them.
    expected_failed_checks : dict of str to str, or callable, default=None
        Names of checks that may fail, and why; or what takes the estimator and returns
        such a dict.
    on_fail : {"raise", "warn", None}, default="raise"
        What to do if another check fails: raise its error, warn of it and go on, or
        just go on.
    rtol : float, default=0.0
        Relative (and absolute) difference that numbers may have: 0 asks for the same
        bits. An estimator that multiplies matrices of whole batches needs about 1e-5.

    Returns
    -------
    list of dict
        Of each check ``check_name``, ``status`` ("passed", "failed" or "xfail"),
        ``exception``, ``expected_to_fail`` and ``expected_to_fail_reason``, as those of
        scikit-learn. With ``generate_only`` an iterator of pairs.

    Raises
    ------
    TypeError
        If ``estimator`` is a class, or not an estimator, or ``expected_failed_checks``
        neither a dict nor a callable.
    ValueError
        If ``expected_failed_checks`` names a check that there is not.
    AssertionError
        Of the first check that fails: it names the check, the form of X and the method.
        An error that the estimator raised there is its ``__cause__``.

    Warns
    -----
    UserWarning
        Of each check that fails, with ``on_fail="warn"``.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> from skrational.testing import check_sequence_estimator
    >>> quick = SparseRationalClassifier(n_wfsas=2, max_epochs=1, finetune_epochs=1,
    ...     warmup_epochs=0, batch_size=None, dropout=0, random_state=0)
    >>> for estimator, check in check_sequence_estimator(quick, generate_only=True):
    ...     if check.__name__ in ("check_order", "check_list_of_arrays"):
    ...         check(estimator)
    """
    _check_arguments(estimator, on_fail)
    expected = _failures(estimator, expected_failed_checks)
    _check_names([estimator], expected)
    if generate_only:
        return _pairs(estimator, rtol)
    results = []
    for copy, check in _pairs(estimator, rtol):
        reason = expected.get(check.__name__)
        status, exception = "passed", None
        try:
            check(copy)
        except Exception as error:
            if reason is None and on_fail == "raise":
                raise
            status, exception = "failed" if reason is None else "xfail", error
        if status == "failed" and on_fail == "warn":
            warnings.warn(str(exception), stacklevel=2)
        results.append(
            {
                "estimator": copy,
                "check_name": check.__name__,
                "exception": exception,
                "status": status,
                "expected_to_fail": reason is not None,
                "expected_to_fail_reason": reason,
            }
        )
    return results


def parametrize_with_sequence_checks(
    estimators: Any,
    *,
    expected_failed_checks: Failures | Callable[[Any], Failures] | None = None,
    xfail_strict: bool | None = None,
    rtol: float = 0.0,
) -> Any:
    """Decorate a test of pytest, so that it runs for each estimator and each check.

    Parameters
    ----------
    estimators : estimator or iterable of estimator
        Instances, as for `check_sequence_estimator`.
    expected_failed_checks : dict of str to str, or callable, default=None
        Names of checks that may fail, and why, for all estimators; or what takes an
        estimator and returns such a dict. These tests are marked as ``xfail``.
    xfail_strict : bool, default=None
        Whether such a test must fail. None: as pytest is configured.
    rtol : float, default=0.0
        As for `check_sequence_estimator`.

    Returns
    -------
    pytest.MarkDecorator
        The test has the arguments ``estimator`` and ``check``.

    Raises
    ------
    TypeError, ValueError
        As `check_sequence_estimator`.

    Examples
    --------
    >>> from skrational import SparseRationalClassifier
    >>> @parametrize_with_sequence_checks([SparseRationalClassifier(n_wfsas=2)])
    ... def test_sequence_checks(estimator, check):
    ...     check(estimator)
    """
    import pytest

    strict: dict[str, Any] = {} if xfail_strict is None else {"strict": xfail_strict}
    cases = []
    listed = _listed(estimators)
    for number, estimator in enumerate(listed):
        expected = _failures(estimator, expected_failed_checks)
        _check_names(
            [estimator] if callable(expected_failed_checks) else listed, expected
        )
        for copy, check in _pairs(estimator, rtol):
            reason = expected.get(check.__name__)
            marks = []
            if reason is not None:
                marks.append(pytest.mark.xfail(reason=reason, **strict))
            name = f"{number}-{type(estimator).__name__}-{check.__name__}"
            cases.append(pytest.param(copy, check, marks=marks, id=name))
    return pytest.mark.parametrize("estimator, check", cases)


def _pairs(estimator: Any, rtol: float) -> Iterator[tuple[Any, Check]]:
    for check in sequence_checks(estimator):
        yield clone(estimator), _quiet(check, rtol)


def _quiet(check: Check, rtol: float) -> Check:
    """Bind a check's tolerance, let warnings of its odd data be, name it in errors."""

    @functools.wraps(check)
    def run(estimator: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            told = f"{check.__name__} failed for {type(estimator).__name__}"
            try:
                check(estimator, rtol=rtol)
            except AssertionError as error:
                error.args = (f"{told}: {error}",)
                raise
            except Exception as error:
                kind = type(error).__name__
                raise AssertionError(f"{told}: {kind}: {error}") from error

    return run


def _listed(estimators: Any) -> list[Any]:
    """Return a list of estimators; a pipeline can be iterated over, but is one."""
    if hasattr(estimators, "fit"):
        estimators = [estimators]
    if isinstance(estimators, str) or not isinstance(estimators, Iterable):
        raise TypeError(
            "estimators must be an estimator or an iterable of them; got "
            f"{estimators!r}."
        )
    listed = list(estimators)
    for estimator in listed:
        _check_arguments(estimator, None)
    return listed


def _failures(estimator: Any, given: Any) -> Failures:
    """Return the names of checks that may fail for an estimator, and why."""
    found = given(estimator) if callable(given) else given
    if found is None:
        return {}
    if not isinstance(found, Mapping) or not all(
        isinstance(text, str) for pair in found.items() for text in pair
    ):
        returned = ", which the callable returned" if callable(given) else ""
        raise TypeError(
            "expected_failed_checks must be a dict from names of checks to reasons, "
            "both str, or a callable that takes an estimator and returns one; got "
            f"{found!r}{returned}."
        )
    return found


def _check_arguments(estimator: Any, on_fail: str | None) -> None:
    if isinstance(estimator, type):
        raise TypeError(f"Expected an instance, such as {estimator.__name__}().")
    if not (hasattr(estimator, "fit") and hasattr(estimator, "get_params")):
        raise TypeError(
            f"Expected an estimator, with fit and get_params; got {estimator!r}."
        )
    if on_fail not in ("raise", "warn", None):
        raise ValueError(f"on_fail must be 'raise', 'warn' or None; got {on_fail!r}.")


def _check_names(estimators: list[Any], expected: Failures) -> None:
    names = {check.__name__ for one in estimators for check in sequence_checks(one)}
    unknown = sorted(set(expected) - names)
    types = sorted({type(one).__name__ for one in estimators})
    if unknown:
        raise ValueError(
            f"expected_failed_checks names {', '.join(unknown)}, which isn't among the "
            f"checks of {', '.join(types)}: {', '.join(sorted(names))}."
        )
