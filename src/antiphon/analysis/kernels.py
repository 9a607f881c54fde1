"""The compiled inner loops of the analysis: from code points to hashed features, and from features to scores.

One post is a run of code points in its normal form. It is read once: quotation marks are paired, words are cut out
and undisguised (digits and look-alike letters inside a word, letters set apart), and every word, word pair, character
sequence, discourse cue and pair of cues becomes a bucket of one table. Training and analysis share this code, so a
feature can't mean two things.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["BITS", "CUE_PAIRS", "GROUPS", "combine", "featurise", "index_hashes", "kernel", "score", "word_hash"]

_F = TypeVar("_F", bound=Callable[..., Any])
kernel = cast("Callable[[_F], _F]", numba.njit(cache=True, nogil=True))
"""Compiles a function with numba, once for this machine."""

BITS = 18
"""Buckets of the feature table, as a power of two."""

GROUPS = 4
"""Feature groups, each normalised by itself: words, characters, cues, senses."""

CUE_PAIRS = 22
"""How many set cues of one post are paired with one another; bounds the work on one post."""

LETTER, DIGIT, QUOTE, EMOJI, SINGLE, ASK, CRY, JOINER = 1, 2, 3, 4, 5, 6, 7, 8
"""What a code point is to the kernel; see `features.code_point_kinds`."""

Array = npt.NDArray[Any]
_Sink = tuple[Array, int, Array, Array]
"""Where features go: the stamps that tell what this post has had, its mark, the buckets and their anchors."""
_Senses = tuple[Array, Array, Array, Array]

_PRIME = np.uint64(0x100000001B3)
_SEED = np.uint64(0xCBF29CE484222325)
_STIR = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(64 - BITS)
_HALF = np.uint64(32)
_BLANK = np.uint32(32)
_SALT_ONE, _SALT_TWO, _SALT_SKIP, _SALT_QUOTED, _SALT_FIRST, _SALT_LAST, _SALT_CHARS, _SALT_CUE = (
    np.uint64(value) for value in (11, 23, 37, 41, 53, 67, 79, 97)
)
_SALT_FINE, _SALT_COARSE, _SALT_PAIR, _SALT_APART, _SALT_FINE_QUOTED, _SALT_COARSE_QUOTED = (
    np.uint64(value) for value in (101, 113, 127, 139, 151, 163)
)
_DOC_BITS = 30  # cues of the whole post start here; see features.DOCUMENT_CUES


@kernel
def _mix(left: np.uint64, right: np.uint64) -> np.uint64:
    mixed = (left ^ right) * _PRIME
    return mixed ^ (mixed >> _HALF)


@kernel
def _bucket(value: np.uint64, salt: np.uint64) -> int:
    mixed = (value ^ (salt * _STIR)) * _STIR
    mixed = (mixed ^ (mixed >> _HALF)) * _PRIME
    return int((mixed ^ (mixed << np.uint64(17))) >> _SHIFT)


@kernel
def word_hash(points: Array, start: int, end: int) -> np.uint64:
    """Return the hash of a word given as code points."""
    value = _SEED
    for at in range(start, end):
        value = _mix(value, np.uint64(points[at]))
    return value


@kernel
def _is_quote(points: Array, at: int, low: int, high: int, kinds: Array, opened: bool) -> bool:
    """Tell a single quotation mark, which stands at the edge of a word, from an apostrophe."""
    after_letter = at > low and kinds[points[at - 1]] in (LETTER, DIGIT)
    before_letter = at + 1 < high and kinds[points[at + 1]] in (LETTER, DIGIT)
    if opened:
        return not before_letter and at > low and points[at - 1] != _BLANK
    return before_letter and not after_letter


@kernel
def _mark_quotes(points: Array, low: int, high: int, kinds: Array, quoted: Array) -> int:
    """Mark what stands between paired quotation marks; an unpaired mark quotes nothing."""
    opened, inside = -1, 0
    quoted[: high - low] = 0
    for at in range(low, high):
        kind = kinds[points[at]]
        if kind != QUOTE and not (kind == SINGLE and _is_quote(points, at, low, high, kinds, opened >= 0)):
            continue
        if opened < 0:
            opened = at
        else:
            quoted[opened - low : at - low] = 1
            inside += at - opened
            opened = -1
    return inside


@kernel
def _end_of_word(points: Array, at: int, high: int, kinds: Array) -> int:
    while at < high:
        kind = kinds[points[at]]
        if kind in (LETTER, DIGIT):
            at += 1
        elif kind == JOINER and at + 1 < high and kinds[points[at + 1]] in (LETTER, DIGIT):
            at += 2
        else:
            break
    return at


@kernel
def _end_of_spelling(points: Array, at: int, high: int, kinds: Array) -> int:
    """Return the end of a word spelt with its letters apart (four or more), or `at` where there is none."""
    end, last, letters = at, at, 0
    while end < high and kinds[points[end]] == LETTER and points[end] < 0x900:
        if end + 1 < high and kinds[points[end + 1]] in (LETTER, DIGIT):
            break
        letters, last, end = letters + 1, end + 1, end + 2
    return last if letters >= 4 else at


@kernel
def _write_word(
    span: tuple[int, int], points: Array, kinds: Array, latin: Array, buffer: Array, anchors: Array, size: int
) -> tuple[int, bool]:
    """Append a word to the buffer, undisguised; return the new size and whether it was disguised."""
    start, end = span
    plain = disguised = 0
    for at in range(start, end):
        point = points[at]
        if 97 <= point <= 122:
            plain += 1
        elif point < latin.size and latin[point] != point:
            disguised += 1
    undisguise = plain > 0 and disguised > 0
    inner = 0
    for at in range(start, end):
        point = points[at]
        kind = kinds[point]
        if kind not in (LETTER, DIGIT) and not (undisguise and kind == JOINER and latin[point] != point):
            continue
        if undisguise and point < latin.size and latin[point] != point:
            inner += at + 1 < end
            point = latin[point]
        if buffer[size - 1] == point and buffer[size - 2] == point:
            continue
        buffer[size] = point
        anchors[size] = start
        size += 1
    return size, undisguise and inner > 0


@kernel
def _cut_words(
    bounds: tuple[int, int], points: Array, kinds: Array, latin: Array, buffer: Array, anchors: Array
) -> tuple[int, int]:
    """Fill the buffer with words set apart by blanks; return its size and how many words were disguised."""
    at, high = bounds
    size, disguised = 2, 0
    buffer[0] = buffer[1] = _BLANK
    while at < high:
        if kinds[points[at]] not in (LETTER, DIGIT):
            at += 1
            continue
        end = _end_of_spelling(points, at, high, kinds)
        if end > at:
            for letter in range(at, end, 2):
                buffer[size] = points[letter]
                anchors[size] = at
                size += 1
            disguised += 1
        else:
            end = _end_of_word(points, at, high, kinds)
            size, hidden = _write_word((at, end), points, kinds, latin, buffer, anchors, size)
            disguised += hidden
        if buffer[size - 1] != _BLANK:
            buffer[size] = _BLANK
            anchors[size] = high - 1
            size += 1
        at = end
    return size, disguised


@kernel
def _look_up(keys: Array, masks: Array, value: np.uint64) -> np.uint64:
    slot = np.int64(value & np.uint64(keys.size - 1))
    while keys[slot] != np.uint64(0):
        if keys[slot] == value:
            return np.uint64(masks[slot])
        slot = (slot + 1) & (keys.size - 1)
    return np.uint64(0)


@kernel
def _emit(bucket: int, anchor: int, sink: _Sink, size: int) -> int:
    stamp, mark, out, where = sink
    if stamp[bucket] == mark:
        return size
    stamp[bucket] = mark
    out[size] = bucket
    where[size] = anchor
    return size + 1


@kernel
def _char_features(buffer: Array, anchors: Array, length: int, sink: _Sink, size: int) -> int:
    """Emit sequences of three to five characters that lie in one word, its edges included."""
    for start in range(1, length - 2):
        if start > 1 and buffer[start] == _BLANK and buffer[start + 1] == _BLANK:
            continue
        value = _mix(_SEED, np.uint64(buffer[start]))
        for at in range(start + 1, min(start + 5, length)):
            value = _mix(value, np.uint64(buffer[at]))
            if at - start >= 2:
                anchor = anchors[at - 1]
                size = _emit(_bucket(value, _SALT_CHARS), anchor, sink, size)
            if buffer[at] == _BLANK:
                break
    return size


@kernel
def _hash_words(
    buffer: Array, length: int, salt: np.uint64, keys: Array, masks: Array, words: Array, cues: Array, firsts: Array
) -> int:
    """Hash every word of the buffer, and look up the cues that its beginnings and its whole stand for."""
    count, at = 0, 2
    while at < length:
        value, start, mask = _SEED, at, np.uint64(0)
        while at < length and buffer[at] != _BLANK:
            value = _mix(value, np.uint64(buffer[at]))
            at += 1
            if 3 <= at - start <= 10:
                mask |= _look_up(keys, masks, _mix(value ^ salt, np.uint64(1)))
        words[count] = value
        firsts[count] = start
        cues[count] = mask | _look_up(keys, masks, _mix(value ^ salt, np.uint64(2)))
        count += 1
        at += 1
    for word in range(1, count):
        pair = _mix(words[word - 1], words[word])
        cues[word] |= _look_up(keys, masks, _mix(pair ^ salt, np.uint64(3)))
        if word > 1:
            triple = _mix(_mix(words[word - 2], words[word - 1]), words[word])
            cues[word] |= _look_up(keys, masks, _mix(triple ^ salt, np.uint64(4)))
    return count


@kernel
def _word_features(words: Array, spots: Array, quotes: Array, count: int, sink: _Sink, size: int) -> int:
    """Emit words, word pairs, words inside quotation marks, and the first and last two words."""
    for word in range(count):
        spot = spots[word]
        size = _emit(_bucket(words[word], _SALT_ONE), spot, sink, size)
        if word > 0:
            pair = _mix(words[word - 1], words[word])
            size = _emit(_bucket(pair, _SALT_TWO), spot, sink, size)
        if word > 1:
            pair = _mix(words[word - 2], words[word])
            size = _emit(_bucket(pair, _SALT_SKIP), spot, sink, size)
        if quotes[word]:
            size = _emit(_bucket(words[word], _SALT_QUOTED), spot, sink, size)
        if word < 2:
            size = _emit(_bucket(words[word], _SALT_FIRST), spot, sink, size)
        if word >= count - 2:
            size = _emit(_bucket(words[word], _SALT_LAST), spot, sink, size)
    return size


@kernel
def index_hashes(hashes: Array, bits: int) -> Array:
    """Return an open-addressing table of positions (plus one, 0 is empty) in an array of 32-bit word hashes."""
    slots = np.zeros(1 << bits, dtype=np.int32)
    for position in range(hashes.size):
        slot = np.int64(hashes[position]) & (slots.size - 1)
        while slots[slot]:
            slot = (slot + 1) & (slots.size - 1)
        slots[slot] = position + 1
    return slots


@kernel
def _find_word(word: np.uint64, hashes: Array, slots: Array) -> int:
    wanted = np.uint32(word >> _HALF)
    slot = np.int64(wanted) & (slots.size - 1)
    while slots[slot]:
        if hashes[slots[slot] - 1] == wanted:
            return int(slots[slot] - 1)
        slot = (slot + 1) & (slots.size - 1)
    return -1


@kernel
def _sense_features(
    words: Array, spots: Array, quotes: Array, count: int, senses: _Senses, sink: _Sink, size: int
) -> int:
    """Emit the classes of the words that the lexicon knows, and pairs of classes that follow one another."""
    hashes, slots, coarse, fine = senses
    before = last = np.uint64(0)
    for word in range(count):
        found = _find_word(words[word], hashes, slots)
        if found < 0:
            continue
        spot, narrow, broad = spots[word], np.uint64(fine[found] + 1), np.uint64(coarse[found] + 1)
        size = _emit(_bucket(narrow, _SALT_FINE), spot, sink, size)
        size = _emit(_bucket(broad, _SALT_COARSE), spot, sink, size)
        if quotes[word]:
            size = _emit(_bucket(narrow, _SALT_FINE_QUOTED), spot, sink, size)
            size = _emit(_bucket(broad, _SALT_COARSE_QUOTED), spot, sink, size)
        size = _emit(_bucket(_mix(last, broad), _SALT_PAIR), spot, sink, size)
        size = _emit(_bucket(_mix(before, broad), _SALT_APART), spot, sink, size)
        before, last = last, broad
    return size


@kernel
def _document_bits(
    bounds: tuple[int, int], points: Array, kinds: Array, inside: int, words: int, disguised: int
) -> np.uint64:
    """Return the cues that the whole post shows: marks, length, how much of it is quoted."""
    low, high = bounds
    bits = np.uint64(0)
    one = np.uint64(1)
    for at in range(low, high):
        kind = kinds[points[at]]
        if kind in (ASK, CRY, EMOJI):
            bits |= one << np.uint64(_DOC_BITS + kind - EMOJI)
        elif points[at] in (35, 37, 58, 64):
            bits |= one << np.uint64(_DOC_BITS + 4 + (points[at] % 5))
    flags = (inside > 0, inside * 2 > high - low, kinds[points[low]] == QUOTE, kinds[points[high - 1]] == QUOTE,
             words < 7, words > 24, disguised > 0)  # fmt: skip
    for number, is_set in enumerate(flags):
        if is_set:
            bits |= one << np.uint64(_DOC_BITS + 10 + number)
    return bits


@kernel
def _cue_features(outside: np.uint64, quoted: np.uint64, anchor: int, sink: _Sink, size: int) -> int:
    """Emit every cue and every pair of cues; a cue inside quotation marks is another cue."""
    found = np.empty(CUE_PAIRS, dtype=np.uint64)
    count = 0
    for bit in range(128):
        bits = outside if bit < 64 else quoted
        if count < CUE_PAIRS and (bits >> np.uint64(bit % 64)) & np.uint64(1):
            found[count] = np.uint64(bit + 1)
            count += 1
    for left in range(count):
        size = _emit(_bucket(found[left], _SALT_CUE), anchor, sink, size)
        for right in range(left + 1, count):
            pair = found[left] * np.uint64(1000) + found[right]
            size = _emit(_bucket(pair, _SALT_CUE), anchor, sink, size)
    return size


@kernel
def featurise(
    points: Array, offsets: Array, salts: Array, kinds: Array, latin: Array, keys: Array, masks: Array, senses: _Senses
) -> tuple[Array, Array, Array, Array]:
    """Return the features of a batch of posts.

    Args:
        points: Code points of all posts, one after the other.
        offsets: Where each post starts, and the end.
        salts: The language of each post, as the salt of its cues.
        kinds: What each code point is, `LETTER` to `JOINER` or 0.
        latin: What a digit or look-alike letter stands for inside a Latin word, by code point.
        keys: Hashes of the cues, an open-addressing table; 0 is empty.
        masks: The classes of each cue, as bits.
        senses: The lexicon: hashes of its words, their index, the coarse and the fine class of each.

    Returns:
        `buckets`, `anchors` (the code point where a feature's word starts), `bounds` (n, 5) of the groups of each post
        in them, and `bits` (n, 2): its cues outside and inside quotation marks.
    """
    posts = offsets.size - 1
    longest = 0
    for post in range(posts):
        longest = max(longest, offsets[post + 1] - offsets[post])
    buckets = np.empty(11 * points.size + (CUE_PAIRS * CUE_PAIRS + 12) * posts, dtype=np.int32)
    anchors = np.empty(buckets.size, dtype=np.int32)
    bounds = np.zeros((posts, GROUPS + 1), dtype=np.int64)
    bits = np.zeros((posts, 2), dtype=np.uint64)
    stamp = np.zeros(1 << BITS, dtype=np.int32)
    quoted = np.zeros(longest + 1, dtype=np.uint8)
    buffer, spots = np.zeros(2 * longest + 8, dtype=np.uint32), np.zeros(2 * longest + 8, dtype=np.int32)
    words, cues = np.zeros(longest + 2, dtype=np.uint64), np.zeros(longest + 2, dtype=np.uint64)
    firsts, quotes = np.zeros(longest + 2, dtype=np.int32), np.zeros(longest + 2, dtype=np.uint8)
    size = 0
    for post in range(posts):
        low, high = offsets[post], offsets[post + 1]
        bounds[post] = size
        sink = (stamp, post + 1, buckets, anchors)
        if high <= low:
            continue
        inside = _mark_quotes(points, low, high, kinds, quoted)
        length, disguised = _cut_words((low, high), points, kinds, latin, buffer, spots)
        count = _hash_words(buffer, length, salts[post], keys, masks, words, cues, firsts)
        for word in range(count):
            firsts[word] = spots[firsts[word]]
            quotes[word] = quoted[firsts[word] - low]
            bits[post, quotes[word]] |= cues[word]
        size = _word_features(words, firsts, quotes, count, sink, size)
        bounds[post, 1] = size
        size = _char_features(buffer, spots, length, sink, size)
        bounds[post, 2] = size
        bits[post, 0] |= _document_bits((low, high), points, kinds, inside, count, disguised)
        size = _cue_features(bits[post, 0], bits[post, 1], low, sink, size)
        bounds[post, 3] = size
        size = _sense_features(words, firsts, quotes, count, senses, sink, size)
        bounds[post, 4] = size
    return buckets[:size], anchors[:size], bounds, bits


@kernel
def score(buckets: Array, bounds: Array, weights: Array, units: Array, bias: Array, strengths: Array) -> Array:
    """Return the raw score of each post under each head.

    Args:
        buckets: Features, as `featurise` gives them.
        bounds: The groups of each post, as `featurise` gives them.
        weights: Whole-number weights (buckets, heads), int8.
        units: What one step of a head's weights is worth.
        bias: Where each head starts.
        strengths: How much each group counts.
    """
    heads = weights.shape[1]
    result = np.zeros((bounds.shape[0], heads), dtype=np.float32)
    sums = np.zeros(heads, dtype=np.int32)
    for post in range(bounds.shape[0]):
        for group in range(GROUPS):
            low, high = bounds[post, group], bounds[post, group + 1]
            if high == low:
                continue
            sums[:] = 0
            for at in range(low, high):
                row = buckets[at]
                for head in range(heads):
                    sums[head] += weights[row, head]
            share = strengths[group] / np.sqrt(np.float32(high - low))
            for head in range(heads):
                result[post, head] += share * sums[head]
        for head in range(heads):
            result[post, head] = result[post, head] * units[head] + bias[head]
    return result


@kernel
def combine(raw: Array, lines: Array, stack: Array, offsets: Array) -> Array:
    """Return the probability of each head: every head is weighed once more in the light of all the others.

    Row by row in plain loops: a matrix product would round otherwise in a batch of another size.

    Args:
        raw: Raw scores, as `score` gives them.
        lines: Slope and offset of each head's calibration.
        stack: What each head's calibrated logit (first half) and probability (second half) adds to each head.
        offsets: Where each head's sum starts.
    """
    heads = raw.shape[1]
    result = np.zeros((raw.shape[0], heads), dtype=np.float32)
    logits = np.zeros(2 * heads)
    for row in range(raw.shape[0]):
        for head in range(heads):
            logit = min(max(raw[row, head] * lines[head, 0] + lines[head, 1], -12.0), 12.0)
            logits[head] = logit
            logits[heads + head] = 1 / (1 + np.exp(-logit))
        for head in range(heads):
            total = np.float64(offsets[head])
            for part in range(2 * heads):
                total += logits[part] * stack[part, head]
            result[row, head] = 1 / (1 + np.exp(-total))
    return result
