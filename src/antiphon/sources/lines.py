"""Cutting a stream into blocks of whole lines, in bounded memory whatever a line's length."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from antiphon.model.material import MAX_RAW_BYTES, Skipped
from antiphon.sources.interface import MAX_RECORD_BYTES, LineBlock

__all__ = ["BLOCK_BYTES", "line_blocks"]

BLOCK_BYTES = 2 * 2**20


def line_blocks(stream: BinaryIO, record: int = 0, offset: int = 0) -> Iterator[LineBlock | Skipped]:
    """Yield blocks of whole lines; a line longer than `MAX_RECORD_BYTES` is skipped over and comes as a `Skipped`.

    Args:
        stream: Stands at the beginning of a line.
        record: Number of that line.
        offset: Offset of that line.
    """
    carry = b""
    while piece := stream.read(BLOCK_BYTES):
        data = carry + piece
        end = data.rfind(b"\n") + 1
        if end:
            block = LineBlock(data[:end], record, offset)
            yield block
            record, offset, carry = record + data.count(b"\n", 0, end), offset + end, data[end:]
        elif len(data) > MAX_RECORD_BYTES:
            skipped, carry = _skip_line(stream, data, record, offset)
            yield skipped
            record, offset = record + 1, offset + (skipped.raw_bytes or 0)
        else:
            carry = data
    if carry:
        yield LineBlock(carry, record, offset)


def _skip_line(stream: BinaryIO, begun: bytes, record: int, offset: int) -> tuple[Skipped, bytes]:
    """Read over the rest of a line; return its quarantine line, and what was read of the next."""
    size, rest = len(begun), b""
    while piece := stream.read(BLOCK_BYTES):
        end = piece.find(b"\n") + 1
        size += end or len(piece)
        if end:
            rest = piece[end:]
            break
    detail = f"the line has {size:,} bytes, more than {MAX_RECORD_BYTES:,}; split it or export it in smaller records"
    return Skipped("record-too-long", detail, record, offset, begun[:MAX_RAW_BYTES], size), rest
