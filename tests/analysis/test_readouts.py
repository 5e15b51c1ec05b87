"""Readouts: what they learn, and that they learn it from the training data only."""

import numpy as np
import pytest

from analysis import readouts


def two_clouds(n, distance, seed, features=5):
    """Gaussian clouds of SD 1 whose means are `distance` apart: the best accuracy is Phi(distance / 2)."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    states = random.normal(size=(n, features))
    states[:, 0] += distance * labels
    return states, labels


@pytest.mark.parametrize("fit", [readouts.fit_ridge, readouts.fit_logistic])
def test_accuracy_reaches_the_optimum(fit):
    train, test = two_clouds(2000, 2.0, seed=1), two_clouds(5000, 2.0, seed=2)
    accuracy = readouts.accuracy(test[1], fit(*train).predict(test[0]))
    # Phi(1) = 0.8413, the sampling error of 5000 tests 0.005.
    assert accuracy == pytest.approx(0.8413, abs=4 * 0.0052)


@pytest.mark.parametrize("fit", [readouts.fit_ridge, readouts.fit_logistic])
def test_scale_and_silent_features_do_not_matter(fit):
    states, labels = two_clouds(100, 2.0, seed=3)
    scaled = np.c_[states * np.array([1e-6, 1, 1e6, 1, 1]) + 7.0, np.zeros(100)]
    assert (fit(states, labels).predict(states) == fit(scaled, labels).predict(scaled)).all()


def test_penalty_grows_when_features_are_noise():
    random = np.random.default_rng(4)
    labels = np.arange(60) % 2
    clean = labels[:, None] + 0.01 * random.normal(size=(60, 3))
    noise = random.normal(size=(60, 200))

    def penalty(states):
        return readouts.fit_ridge(states, labels)[-1].alpha_

    assert penalty(clean) <= 1 < 100 <= penalty(noise)


def test_many_classes_with_names():
    random = np.random.default_rng(5)
    labels = np.array(["a", "b", "c"])[np.arange(90) % 3]
    states = (labels[:, None] == np.array(["a", "b", "c"])) + 0.1 * random.normal(size=(90, 3))
    for fit in (readouts.fit_ridge, readouts.fit_logistic):
        assert readouts.accuracy(labels, fit(states, labels).predict(states)) == 1.0


def test_fits_are_reproducible():
    train, test = two_clouds(60, 1.0, seed=6), two_clouds(60, 1.0, seed=7)
    first, second = (readouts.fit_logistic(*train, seed=8).decision_function(test[0]) for _ in range(2))
    assert (first == second).all()


def test_confusion_counts_rows_by_true_class():
    matrix = readouts.confusion([1, 1, 2, 3, 3], [1, 2, 2, 3, 3], classes=[1, 2, 3])
    assert matrix.tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 2]]


def test_shuffled_labels_are_at_chance():
    train, test = two_clouds(400, 4.0, seed=9), two_clouds(400, 4.0, seed=10)
    chance = readouts.shuffled_accuracies(*train, *test, repeats=30, seed=1)
    assert chance.shape == (30,) and len(set(chance)) > 5
    # Weights learned from shuffled labels may by luck point along the one strong feature, either way, so a
    # single repeat can lie far from one half; their mean cannot.
    error = chance.std(ddof=1) / np.sqrt(30)
    assert chance.mean() == pytest.approx(0.5, abs=4 * error)
    assert readouts.accuracy(test[1], readouts.fit_ridge(*train).predict(test[0])) > 0.95


def test_bad_input_is_refused():
    states, labels = two_clouds(20, 1.0, seed=1)
    broken = states.copy()
    broken[7, 2] = np.nan
    for arguments, message in (
        ((states, labels[:-1]), "one label per sample"),
        ((broken, labels), "the first is sample 7"),
        ((states, np.zeros(20)), "at least two classes"),
    ):
        with pytest.raises(ValueError, match=message):
            readouts.fit_ridge(*arguments)
    with pytest.raises(ValueError, match="rarest class has 10"):
        readouts.fit_logistic(states, labels, folds=11)
    with pytest.raises(ValueError, match="match in number"):
        readouts.accuracy([1, 2], [1])
