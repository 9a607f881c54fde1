"""Where each source stands in the picture of the network."""

from __future__ import annotations

import math

import networkx as nx

from antiphon.dossier.content import Cluster, Node, Pair, SpreadEdge

__all__ = ["place"]

_SEED = 7
_ASPECT = 1.7


def place(
    clusters: tuple[Cluster, ...], pairs: tuple[Pair, ...], spread: tuple[SpreadEdge, ...], limit: int
) -> tuple[Node, ...]:
    """Return the sources with a place each, at most `limit`; sources in a cluster come first, then the busiest.

    Each connected part is laid out alone (spring layout, seeded) and the parts are packed in rows, so that a small
    part does not drift away from a large one. The same input gives the same picture.
    """
    graph = nx.Graph()
    for pair in pairs:
        graph.add_edge(pair.source_a, pair.source_b, weight=1.0)
    for edge in spread:
        if not graph.has_edge(edge.from_source, edge.to_source) and edge.from_source != edge.to_source:
            graph.add_edge(edge.from_source, edge.to_source, weight=0.25)
    cluster_of = {source: cluster.number for cluster in reversed(clusters) for source in cluster.sources}
    ranked = sorted(graph, key=lambda name: (name not in cluster_of, -graph.degree(name), name))
    graph = graph.subgraph(ranked[:limit])
    places = _packed([_laid_out(graph, part) for part in _parts(graph)])
    return tuple(
        Node(name, cluster_of.get(name, 0), int(graph.degree(name)), round(x, 4), round(y, 4))
        for name, (x, y) in sorted(places.items())
    )


def _parts(graph: nx.Graph) -> list[list[str]]:
    parts = [sorted(part) for part in nx.connected_components(graph)]
    return sorted(parts, key=lambda part: (-len(part), part[0]))


def _laid_out(graph: nx.Graph, part: list[str]) -> dict[str, tuple[float, float]]:
    """Places in a square that grows with the part; nodes and edges are sorted, as the seed alone isn't enough."""
    ordered = nx.Graph()
    ordered.add_nodes_from(part)
    ordered.add_edges_from(sorted((min(a, b), max(a, b), data) for a, b, data in graph.subgraph(part).edges(data=True)))
    side = math.sqrt(len(part))
    spring = nx.spring_layout(ordered, seed=_SEED, k=2.4 / side, iterations=200, weight="weight")
    xs = _spaced({name: float(spot[0]) for name, spot in spring.items()})
    ys = _spaced({name: float(spot[1]) for name, spot in spring.items()})
    return {name: (xs[name] * side, ys[name] * side) for name in part}


def _spaced(along: dict[str, float]) -> dict[str, float]:
    """Half where the springs put them, half evenly spaced in the same order: no label hides, no outlier rules."""
    low, high = min(along.values()), max(along.values())
    ranked = sorted(along, key=lambda name: (along[name], name))
    last = max(len(ranked) - 1, 1)
    return {
        name: 0.5 * (along[name] - low) / max(high - low, 1e-9) + 0.5 * rank / last for rank, name in enumerate(ranked)
    }


def _packed(parts: list[dict[str, tuple[float, float]]]) -> dict[str, tuple[float, float]]:
    """Put the parts side by side in rows, the largest first, and scale the whole to 0–1."""
    gap = 0.9
    sides = [math.sqrt(len(part)) + gap for part in parts]
    width = max([math.sqrt(sum(side * side for side in sides) * _ASPECT), *sides, 1.0])
    places: dict[str, tuple[float, float]] = {}
    x = y = row = 0.0
    for part, side in zip(parts, sides, strict=True):
        if x + side > width + 1e-9:
            x, y, row = 0.0, y + row, 0.0
        places.update({name: (x + gap / 2 + dx, y + gap / 2 + dy) for name, (dx, dy) in part.items()})
        x, row = x + side, max(row, side)
    wide = max((px for px, _ in places.values()), default=0.0) + gap / 2
    return {name: (px / wide, py / (y + row)) for name, (px, py) in places.items()}
