"""How sure a share is: the Wilson score interval."""

from __future__ import annotations

import math

from antiphon.errors import InputError

__all__ = ["wilson"]

_Z = 1.959963984540054  # 95 %, two-sided


def wilson(found: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of the share `found / of`; (0, 1) where nothing was there to be found.

    Raises:
        InputError: `found` is negative or greater than `of`.

    Source:
        E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).

    Example:
        >>> [round(end, 3) for end in wilson(8, 10)]
        [0.49, 0.943]
    """
    if not 0 <= found <= of:
        raise InputError(f"got {found} of {of}", do="Count a part of a whole.")
    if of == 0:
        return 0.0, 1.0
    share, z2 = found / of, _Z * _Z
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = _Z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    low = 0.0 if found == 0 else max(0.0, centre - half)
    return low, 1.0 if found == of else min(1.0, centre + half)
