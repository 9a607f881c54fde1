"""Clusters of sparse unit vectors: leaders in the order given, then rounds of spherical k-means."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from antiphon.narratives._linking import Ints, kernel, roots, union
from antiphon.narratives._terms import DIMENSIONS, Vectors

__all__ = ["JOIN", "MAX_LEADERS", "MERGE", "cluster"]

JOIN = 0.25
"""The least cosine to a cluster's centre at which a text joins it."""

MERGE = 0.4
"""Two clusters whose centres are as near as this tell the same."""

MAX_LEADERS = 1024
ROUNDS = 3

Floats = npt.NDArray[np.float32]


def cluster(vectors: Vectors) -> tuple[Ints, Floats]:
    """Return the cluster of every vector (-1: none), numbered from 0, and its cosine to the centre.

    The first pass lets each vector, in the order given, join the nearest leader or become one (1,024 at most); rounds
    then reckon the centres anew, join those that have grown alike, and assign again. Same order, same clusters.
    """
    labels = _lead(*vectors, np.zeros((DIMENSIONS, MAX_LEADERS), dtype=np.float32), JOIN)
    for _ in range(ROUNDS):
        labels = _merged(*vectors, labels)
        centres = _centres(*vectors, labels)
        labels, cosines = _assign(*vectors, centres, JOIN)
        del centres  # tens of megabytes, not needed while clusters are joined
    return _renumber(labels), cosines


def _renumber(labels: Ints) -> Ints:
    _, numbers = np.unique(labels[labels >= 0], return_inverse=True)
    found = np.full(labels.size, -1, dtype=np.int32)
    found[labels >= 0] = numbers
    return found


def _merged(starts: npt.NDArray[np.int64], dims: Ints, weights: Floats, labels: Ints) -> Ints:
    """Labels after clusters of near centres became one; the smaller number stays."""
    labels = _renumber(labels)
    centres = _centres(starts, dims, weights, labels)
    cosines = centres.T @ centres
    near = np.argwhere(np.triu(cosines >= MERGE, k=1)).astype(np.int32)
    parent = np.arange(centres.shape[1], dtype=np.int32)
    for left, right in near:
        union(parent, left, right)
    root = roots(parent)
    return np.where(labels >= 0, root[labels], np.int32(-1)).astype(np.int32)


@kernel
def _nearest(
    dims: Ints, weights: Floats, centres: Floats, norms: Floats, count: int, sums: Floats
) -> tuple[int, np.float32]:
    """The centre with the largest cosine; the inner loop runs along a row of centres."""
    sums[:count] = 0.0
    for at in range(dims.size):
        row = centres[dims[at]]
        for k in range(count):
            sums[k] += weights[at] * row[k]
    best, cosine = -1, np.float32(-1.0)
    for k in range(count):
        if norms[k] > 0.0 and sums[k] / norms[k] > cosine:
            best, cosine = k, np.float32(sums[k] / norms[k])
    return best, cosine


@kernel
def _lead(starts: npt.NDArray[np.int64], dims: Ints, weights: Floats, centres: Floats, join: float) -> Ints:
    labels = np.full(starts.size - 1, -1, dtype=np.int32)
    norms = np.zeros(centres.shape[1], dtype=np.float32)
    sums = np.zeros(centres.shape[1], dtype=np.float32)
    count = 0
    for row in range(labels.size):
        own = slice(starts[row], starts[row + 1])
        if starts[row + 1] - starts[row] < 2:
            continue
        best, cosine = _nearest(dims[own], weights[own], centres, norms, count, sums)
        if cosine < join:
            if count == centres.shape[1]:
                continue
            best = count
            count += 1
        labels[row] = best
        square = norms[best] * norms[best]
        for at in range(starts[row], starts[row + 1]):
            before = centres[dims[at], best]
            centres[dims[at], best] = before + weights[at]
            square += centres[dims[at], best] ** 2 - before**2
        norms[best] = np.sqrt(max(square, np.float32(0.0)))
    return labels


@kernel
def _centres(starts: npt.NDArray[np.int64], dims: Ints, weights: Floats, labels: Ints) -> Floats:
    """Unit centres as columns; a cluster without members has none."""
    count = max(1, labels.max() + 1) if labels.size else 1
    centres = np.zeros((DIMENSIONS, count), dtype=np.float32)
    for row in range(labels.size):
        if labels[row] >= 0:
            for at in range(starts[row], starts[row + 1]):
                centres[dims[at], labels[row]] += weights[at]
    for k in range(count):
        norm = np.sqrt((centres[:, k] ** 2).sum())
        if norm > 0.0:
            centres[:, k] /= norm
    return centres


@kernel
def _assign(
    starts: npt.NDArray[np.int64], dims: Ints, weights: Floats, centres: Floats, join: float
) -> tuple[Ints, Floats]:
    labels = np.full(starts.size - 1, -1, dtype=np.int32)
    cosines = np.zeros(starts.size - 1, dtype=np.float32)
    norms = np.ones(centres.shape[1], dtype=np.float32)
    sums = np.zeros(centres.shape[1], dtype=np.float32)
    for row in range(labels.size):
        own = slice(starts[row], starts[row + 1])
        if starts[row + 1] - starts[row] < 2:
            continue
        best, cosine = _nearest(dims[own], weights[own], centres, norms, norms.size, sums)
        if cosine >= join:
            labels[row] = best
            cosines[row] = cosine if cosine < 1.0 else np.float32(1.0)
    return labels, cosines
