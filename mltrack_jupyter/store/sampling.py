"""Fewer points of a line, so that it can be drawn: evenly spread, or those that keep its shape."""

from __future__ import annotations

from collections.abc import Sequence


def spread(count: int, most: int) -> list[int]:
    """Return at most ``most`` of the indices below ``count``, evenly spread, as MLflow chooses them.

    The first and the last are kept; of ``most=1`` the last.
    """
    if count <= most:
        return list(range(count))
    size, longer = divmod(count, most)  # as NTILE cuts: the first buckets hold one more
    chosen = [index * size + min(index, longer) for index in range(most)]
    chosen[-1] = count - 1
    return chosen


def largest_triangles(xs: Sequence[float], ys: Sequence[float], most: int) -> list[int]:
    """Return the indices of at most ``most`` points that keep the shape of a line (LTTB).

    Largest triangle three buckets (Steinarsson 2013): the first and the last point are kept, the others
    are cut into buckets, and of each the point is taken that spans the largest triangle with the one
    taken before and the mean of the next bucket. All numbers must be finite.
    """
    count = len(xs)
    if count <= most:
        return list(range(count))
    if most < 3:
        return [0, count - 1][:most]
    scale = max(abs(min(ys)), abs(max(ys))) or 1.0
    heights = [y / scale for y in ys]  # so that no product of two floats overflows
    chosen = [0]
    width = (count - 2) / (most - 2)
    edges = [1 + int(bucket * width) for bucket in range(most - 2)] + [count - 1, count]
    for start, end, after in zip(edges, edges[1:], edges[2:], strict=False):
        left_x, left_y = xs[chosen[-1]], heights[chosen[-1]]
        mean_x = sum(xs[end:after]) / (after - end) - left_x
        mean_y = sum(heights[end:after]) / (after - end) - left_y
        areas = [
            abs((xs[i] - left_x) * mean_y - mean_x * (heights[i] - left_y))
            for i in range(start, end)
        ]
        chosen.append(start + areas.index(max(areas)))
    return [*chosen, count - 1]
