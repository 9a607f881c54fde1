"""The encoder as a network that can be trained: twelve layers above a frozen word table, and small heads."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from antiphon.analysis.encoder import UNTRAINED as FROZEN
from antiphon.analysis.heads import HEADS, TAGS
from antiphon.analysis.pretrained import Pretrained

POOLED = 256


class Block(nn.Module):
    """One layer: attention and a feed-forward part, each normalised behind it (BERT)."""

    def __init__(self, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.rise, self.fall = nn.Linear(width, inner), nn.Linear(inner, width)
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-12), nn.LayerNorm(width, eps=1e-12)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the states behind the layer, shape (texts, pieces, width)."""
        rows, length, width = x.shape
        q, k, v = self.qkv(x).view(rows, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        # Written out: the backward pass of the fused kernel takes half of the whole time on a CPU.
        weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + mask).softmax(-1)
        mixed = (weights.to(v.dtype) @ v).transpose(1, 2).reshape(rows, length, width)
        x = self.norm1(x + self.drop(self.out(mixed)))
        return self.norm2(x + self.drop(self.fall(functional.gelu(self.rise(x)))))


class Network(nn.Module):
    """Word rows in, one answer for each head and one tag for each piece out."""

    def __init__(self, source: Pretrained) -> None:
        super().__init__()
        width, count, heads, inner = source.shape[:4]
        self.positions = nn.Parameter(torch.zeros(source.shape.positions, width))
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.blocks = nn.ModuleList(Block(width, heads, inner) for _ in range(count))
        self.pool, self.tags = nn.Linear(2 * width, POOLED), nn.Linear(width, len(TAGS))
        self.heads = nn.Linear(POOLED, sum(HEADS.values()))
        self.drop = nn.Dropout(0.1)
        self._begin(source)

    def _begin(self, source: Pretrained) -> None:
        """Take the weights of the pretrained encoder."""

        def put(parameter: Tensor, *names: str) -> None:
            whole = np.concatenate([source.tensor(name) for name in names])
            parameter.data = torch.from_numpy(whole).view(parameter.shape).clone()

        put(self.positions, "emb.pos")
        self.positions.data += torch.from_numpy(source.tensor("emb.type"))[: source.shape.width]
        for module, name in [(self.norm, "emb.ln")] + [
            (getattr(block, part), f"l{number}.{name}")
            for number, block in enumerate(self.blocks)
            for part, name in (("out", "ao"), ("rise", "fi"), ("fall", "fo"), ("norm1", "aln"), ("norm2", "oln"))
        ]:
            put(module.weight, f"{name}.w")
            put(module.bias, f"{name}.b")
        for number, block in enumerate(self.blocks):
            put(block.qkv.weight, *(f"l{number}.{part}.w" for part in "qkv"))
            put(block.qkv.bias, *(f"l{number}.{part}.b" for part in "qkv"))

    def ground(self, words: Tensor, lengths: Tensor) -> Tensor:
        """Return the states behind the frozen layers, shape (texts, pieces, width).

        Args:
            words: Shape (texts, pieces, width): rows of the word table, the beginning and end of a text among them.
            lengths: Shape (texts,): pieces of each text.
        """
        x, mask = self.norm(words + self.positions[: words.shape[1]]), mask_of(words, lengths)
        for block in self.blocks[:FROZEN]:
            x = block(x, mask)
        return x

    def forward(self, states: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return answers, shape (texts, sum of HEADS), and tags, shape (texts, pieces, 4), from grounded states."""
        x, mask = states, mask_of(states, lengths)
        for block in self.blocks[FROZEN:]:
            x = block(x, mask)
        there = (mask == 0)[:, 0, 0, :, None]
        mean = (x * there).sum(1) / lengths[:, None]
        pooled = functional.gelu(self.pool(torch.cat([x[:, 0], mean], -1)))
        return self.heads(self.drop(pooled)), self.tags(x)


def mask_of(states: Tensor, lengths: Tensor) -> Tensor:
    """Return what is added to the weights of attention: nothing where a piece is, much below zero where none is."""
    there = torch.arange(states.shape[1])[None] < lengths[:, None]
    return torch.zeros(there.shape).masked_fill(~there, -1e4)[:, None, None]


class Batch(NamedTuple):
    """Texts of about the same length, ready for the network; -1 where a head has nothing to learn."""

    states: Tensor
    lengths: Tensor
    answers: dict[str, Tensor]
    tags: Tensor
