"""Linear readouts of states (samples x features), scikit-learn's; all choices are made on the data given.

Fitted readouts are scikit-learn pipelines: `readout.predict(states)`, `readout.decision_function(states)`.
"""

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

RIDGE_PENALTIES = tuple(np.logspace(-2, 6, 9))
INVERSE_PENALTIES = tuple(np.logspace(-4, 3, 8))


def _check(states: ArrayLike, labels: ArrayLike) -> tuple[NDArray, NDArray]:
    states, labels = np.asarray(states, dtype=float), np.asarray(labels)
    if states.ndim != 2 or labels.shape != states.shape[:1]:
        raise ValueError(
            f"States must be samples x features, one label per sample; got {states.shape} and {labels.shape}."
        )
    bad = np.flatnonzero(~np.isfinite(states).all(axis=1))
    if bad.size:
        raise ValueError(
            f"{bad.size} of {len(states)} states hold NaN or infinity, the first is sample {bad[0]}."
        )
    if np.unique(labels).size < 2:
        raise ValueError(f"All {labels.size} labels are equal; a readout needs at least two classes.")
    return states, labels


def _one_thread(fit: Callable) -> Callable:
    """Run a fit on one thread: at these sizes the threads of BLAS wait for each other (10 times slower)."""

    @functools.wraps(fit)
    def limited(*args, **keywords):
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return fit(*args, **keywords)

    return limited


@_one_thread
def fit_ridge(states: ArrayLike, labels: ArrayLike, penalties: ArrayLike = RIDGE_PENALTIES):
    """Return a ridge classifier (regression onto +-1 per class) on standardised features.

    The penalty is the one of least leave-one-out squared error, which has a closed form: all penalties cost
    one decomposition, so this is the readout for sweeps.
    """
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    states, labels = _check(states, labels)
    return make_pipeline(StandardScaler(), RidgeClassifierCV(alphas=np.asarray(penalties))).fit(
        states, labels
    )


@_one_thread
def fit_logistic(
    states: ArrayLike,
    labels: ArrayLike,
    inverse_penalties: ArrayLike = INVERSE_PENALTIES,
    folds: int = 5,
    seed: int = 0,
):
    """Return a multinomial logistic regression on standardised features.

    Its inverse penalty C is the one of best accuracy over stratified `folds` (drawn from `seed`), with the
    features standardised within each fold.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    states, labels = _check(states, labels)
    rarest = np.unique(labels, return_counts=True)[1].min()
    if rarest < folds:
        raise ValueError(
            f"The rarest class has {rarest} samples, fewer than the {folds} folds of the cross-validation."
        )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        {"logisticregression__C": list(inverse_penalties)},
        cv=StratifiedKFold(folds, shuffle=True, random_state=seed),
    )
    return search.fit(states, labels).best_estimator_


def accuracy(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Return the fraction of `labels` that `predicted` meets."""
    labels, predicted = np.asarray(labels), np.asarray(predicted)
    if labels.shape != predicted.shape or not labels.size:
        raise ValueError(
            f"Labels and predictions must match in number; got {labels.shape} and {predicted.shape}."
        )
    return float(np.mean(labels == predicted))


def confusion(labels: ArrayLike, predicted: ArrayLike, classes: ArrayLike | None = None) -> NDArray:
    """Return how often each true class (row) was called each class (column); `classes` orders them."""
    from sklearn.metrics import confusion_matrix

    return confusion_matrix(labels, predicted, labels=classes)


def shuffled_accuracies(
    states: ArrayLike,
    labels: ArrayLike,
    test_states: ArrayLike,
    test_labels: ArrayLike,
    *,
    fit: Callable = fit_ridge,
    repeats: int = 20,
    seed: int = 0,
) -> NDArray:
    """Return the test accuracies of `repeats` readouts trained on permuted labels: chance and its spread."""
    random = np.random.default_rng(seed)
    labels = np.asarray(labels)
    return np.array(
        [
            accuracy(test_labels, fit(states, random.permutation(labels)).predict(test_states))
            for _ in range(repeats)
        ]
    )
