"""Bits of 256-bit values: distances, permutations, and the two machine instructions that Python has no word for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

__all__ = ["BITS", "Words", "distance", "kernel", "permutation_tables", "permute", "popcount", "prefetch"]

_F = TypeVar("_F", bound=Callable[..., object])
kernel = cast("Callable[[_F], _F]", numba.njit(cache=True, nogil=True))
"""Compiles a function with numba, once for this machine."""

Words = npt.NDArray[np.uint64]
BITS = 256


def _popcount(context: Any, word: Any) -> Any:  # noqa: ANN401 - numba's own calling convention
    """Return how many bits of a 64-bit word are set: one instruction where the machine has one."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ANN401
        return builder.ctpop(args[0])

    return types.uint64(types.uint64), codegen


def _prefetch(context: Any, array: Any, index: Any) -> Any:  # noqa: ANN401
    """Ask the memory for the element of a one-dimensional array, and go on; any index is safe."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:  # noqa: ANN401
        view = context.make_array(signature.args[0])(context, builder, args[0])
        place = builder.bitcast(builder.gep(view.data, [args[1]]), ir.IntType(8).as_pointer())
        word = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [place.type, word, word, word])
        call = builder.module.declare_intrinsic("llvm.prefetch", [place.type], kind)
        builder.call(call, [place, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), codegen


popcount = cast("Callable[[np.uint64], np.uint64]", intrinsic(_popcount))
prefetch = cast("Callable[[npt.NDArray[Any], int | np.int64], None]", intrinsic(_prefetch))


@kernel
def distance(left: Words, i: int | np.int64, right: Words, j: int | np.int64) -> np.int64:
    """Return in how many bits the value of four words at `i` differs from the one at `j`."""
    return np.int64(
        popcount(left[i] ^ right[j])
        + popcount(left[i + 1] ^ right[j + 1])
        + popcount(left[i + 2] ^ right[j + 2])
        + popcount(left[i + 3] ^ right[j + 3])
    )


def permutation_tables(order: npt.NDArray[np.int64]) -> Words:
    """Return what `permute` looks up: for each byte and each of its contents, where its bits go: (32, 256, 4).

    Args:
        order: (256,), bit `k` of a value goes to place `order[k]`.
    """
    tables = np.zeros((32, 256, 4), dtype=np.uint64)
    contents = np.arange(256, dtype=np.uint64)
    for byte in range(32):
        for bit in range(8):
            place = int(order[8 * byte + bit])
            is_set = (contents >> np.uint64(bit)) & np.uint64(1)
            tables[byte, :, place // 64] |= is_set << np.uint64(place % 64)
    return tables


@kernel
def permute(values: Words, tables: Words) -> Words:
    """Return flat words, four a value, with the bits of each value in another order: distances stay the same."""
    out = np.zeros(values.size, dtype=np.uint64)
    for at in range(0, values.size, 4):
        for word in range(4):
            rest = values[at + word]
            for byte in range(8):
                row = tables[8 * word + byte, np.int64(rest & np.uint64(255))]
                out[at] |= row[0]
                out[at + 1] |= row[1]
                out[at + 2] |= row[2]
                out[at + 3] |= row[3]
                rest >>= np.uint64(8)
    return out
