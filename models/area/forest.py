"""An isolation forest (Liu 2008) as plain arrays: grown by scikit-learn, walked by numpy with the same result."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Nodes = npt.NDArray[np.int32]

TREES = 100


class Forest(NamedTuple):
    """Hold trees as arrays of (trees, nodes): a leaf has feature -1; `path` is what a row that ends there counts.

    `usual`, f8[channels], are the channels' medians, and `norm` the path that an unremarkable row would have in all.
    """

    feature: Nodes
    threshold: Floats
    left: Nodes
    right: Nodes
    path: Floats
    usual: Floats
    norm: float

    def distance(self, rows: Floats) -> Floats:
        """Return the anomaly score of rows, f8[rows], 0..1: minus scikit-learn's `score_samples`."""
        narrow = rows.astype(np.float32)  # as scikit-learn compares them
        at = np.zeros((len(rows), len(self.feature)), np.intp)
        trees = np.arange(len(self.feature))
        each = np.arange(len(rows))[:, None]
        while True:
            feature = self.feature[trees, at]
            inner = feature >= 0
            if not inner.any():
                break
            smaller = narrow[each, np.maximum(feature, 0)] <= self.threshold[trees, at]
            at = np.where(inner, np.where(smaller, self.left[trees, at], self.right[trees, at]), at)
        total = self.path[trees, at].sum(axis=1)
        found: Floats = 2.0 ** -(total / self.norm)
        return found

    def completed(self, row: Floats, lost: npt.NDArray[np.bool_]) -> Floats:
        """Return a row, f8[channels], with the `lost` ones, bool[channels], at their medians."""
        return np.where(lost, self.usual, row)

    def contributions(self, rows: Floats) -> Floats:
        """Return by how much each row's score falls when one channel is put to its median, f8[rows, channels]."""
        whole = self.distance(rows)
        found = np.empty_like(rows)
        for channel, usual in enumerate(self.usual):
            other = rows.copy()
            other[:, channel] = usual
            found[:, channel] = whole - self.distance(other)
        return found


def isolation(rows: Floats) -> Forest:
    """Grow a forest on rows, f8[rows, channels]; the same rows give the same forest."""
    from sklearn.ensemble import IsolationForest

    fitted = IsolationForest(n_estimators=TREES, random_state=0).fit(rows)
    return arrays_of(fitted, np.median(rows, axis=0))


def arrays_of(fitted: object, usual: Floats) -> Forest:
    """Lay a fitted `sklearn.ensemble.IsolationForest` out as arrays."""
    trees = [tree.tree_ for tree in fitted.estimators_]  # type: ignore[attr-defined]
    chosen = [np.asarray(features) for features in fitted.estimators_features_]  # type: ignore[attr-defined]
    most = max(tree.node_count for tree in trees)
    shape = (len(trees), most)
    feature, left, right = np.full(shape, -1, np.int32), np.zeros(shape, np.int32), np.zeros(shape, np.int32)
    threshold, path = np.zeros(shape), np.zeros(shape)
    for place, (tree, names) in enumerate(zip(trees, chosen, strict=True)):
        count = tree.node_count
        inner = tree.children_left >= 0
        feature[place, :count] = np.where(inner, names[np.where(inner, tree.feature, 0)], -1)
        threshold[place, :count] = np.where(inner, tree.threshold, 0.0)
        left[place, :count] = np.where(inner, tree.children_left, 0)
        right[place, :count] = np.where(inner, tree.children_right, 0)
        depth = np.zeros(count)
        for node in np.flatnonzero(inner):  # children come after their parents
            depth[tree.children_left[node]] = depth[tree.children_right[node]] = depth[node] + 1.0
        path[place, :count] = np.where(inner, 0.0, depth + unsplit(tree.n_node_samples.astype(np.float64)))
    samples = float(fitted.max_samples_)  # type: ignore[attr-defined]
    return Forest(feature, threshold, left, right, path, usual, len(trees) * float(unsplit(np.array([samples]))[0]))


def unsplit(samples: Floats) -> Floats:
    """Return the path that `samples` rows would take to be told apart: that of a failed search in a binary tree."""
    with np.errstate(divide="ignore"):
        harmonic = np.log(samples - 1.0) + np.euler_gamma
        found: Floats = np.where(samples > 2, 2.0 * harmonic - 2.0 * (samples - 1.0) / samples, (samples == 2) * 1.0)
    return found
