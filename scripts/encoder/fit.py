"""Train the encoder."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from corpora import Text
from disguises import Seen, disguise
from network import FROZEN, Batch, Network
from rich.progress import track
from torch import Tensor
from torch.nn import functional

from antiphon.analysis.encoder import LONGEST
from antiphon.analysis.heads import HEADS
from antiphon.analysis.pieces import Pieces, cut
from antiphon.analysis.pretrained import open_pretrained
from antiphon.analysis.undisguise import undisguise

BATCH_PIECES = 2048
BATCH_TEXTS = 32
SHARE_A_ROUND = {"hatemoji": 0.35, "vicomtech": 0.3, "implicit-hate": 0.25, "mlma": 0.2}
"""How much of a set is seen in one round: hate is a side question, and must not outweigh the main one."""
DISGUISED, JOINED, SHARE_OF_VARIANTS = 0.3, 0.12, 0.4
"""Shares of the invented texts that have a variant under a disguise, and one together with another text; and how much
of the variants is seen in one round."""
LONGEST_JOINED = 600
BODY_RATE, HEAD_RATE, DECAY, WARM_UP = 2.0e-4, 8e-4, 0.02, 0.05
LOSSES = {"flag": 2.0, "act": 0.7, "context": 0.7, "direct": 0.4, "hateful": 0.8, "forum": 0.4, "implicit": 0.3,
          "implicit_class": 0.3}  # fmt: skip
TAG_LOSS, OTHER_LOSS, SMOOTHING = 0.5, 0.3, 0.03


class Sample(NamedTuple):
    """A text as pieces, with its answers and the tag of each piece."""

    pieces: Pieces
    tags: list[int] | None
    answers: dict[str, int]
    share: float

    @property
    def length(self) -> int:
        """Pieces that are read, the marks of beginning and end among them."""
        return min(len(self.pieces.numbers), LONGEST) + 2


def samples_of(texts: list[Text], rng: random.Random | None = None) -> list[Sample]:
    """Return texts cut into pieces; with `rng` also variants, disguised or joined with another text."""
    seen = [(text.text, text.tags, text.answers, SHARE_A_ROUND.get(text.origin, 1.0)) for text in texts]
    if rng:
        seen += list(_variants(texts, rng))
    plain = [undisguise(item[0]) for item in seen]
    cuts = cut([text.text for text in plain])
    return [
        Sample(pieces, _tags(pieces, text.places, item[1]), item[2], item[3])
        for pieces, text, item in zip(cuts, plain, seen, strict=True)
    ]


def _variants(texts: list[Text], rng: random.Random) -> Iterator[tuple[str, list[int] | None, dict[str, int], float]]:
    invented = [text for text in texts if "context" in text.answers]
    for text in invented:
        if rng.random() < DISGUISED:
            yield *disguise(text.text, text.tags, text.answers, rng), SHARE_OF_VARIANTS
        if rng.random() < JOINED:
            both = joined(text, rng.choice(invented), rng)
            if both:
                yield *both, SHARE_OF_VARIANTS


def joined(one: Text, other: Text, rng: random.Random) -> Seen | None:
    """Put two texts behind one another, where one question has one answer: what one of them does, both do."""
    flags = one.answers["flag"] + other.answers["flag"]
    same = one.answers["context"] == other.answers["context"]
    if flags == 2 or (not flags and not same) or len(one.text) + len(other.text) > LONGEST_JOINED:
        return None
    main = other.answers if other.answers["flag"] else one.answers
    glue = rng.choice(("\n", " ", "\n\n", ". "))
    tags = None if one.tags is None or other.tags is None else one.tags + [0] * len(glue) + other.tags
    kept = ("flag", "act", "context", "direct", "hateful")
    return one.text + glue + other.text, tags, {name: main[name] for name in kept if name in main}


def _tags(pieces: Pieces, places: list[int] | None, tags: list[int] | None) -> list[int] | None:
    if tags is None:
        return None
    last = [max(end - 1, start) for start, end in zip(pieces.starts.tolist(), pieces.ends.tolist(), strict=True)]
    return [tags[at if places is None else places[at]] for at in last]


def groups_of(lengths: list[int], rng: random.Random | None = None) -> list[list[int]]:
    """Return the numbers of texts in groups of about the same length."""
    order = sorted(range(len(lengths)), key=lambda at: lengths[at] + (rng.uniform(0, 6) if rng else 0))
    groups: list[list[int]] = [[]]
    for at in order:
        if groups[-1] and ((len(groups[-1]) + 1) * lengths[at] > BATCH_PIECES or len(groups[-1]) >= BATCH_TEXTS):
            groups.append([])
        groups[-1].append(at)
    if rng:
        rng.shuffle(groups)
    return [group for group in groups if group]


class Grounded:
    """Samples behind the frozen layers: their states are reckoned once and kept in half precision."""

    def __init__(self, network: Network, samples: list[Sample]) -> None:
        self.samples = samples
        self.lengths = [sample.length for sample in samples]
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])
        self._states = np.empty((self._starts[-1], network.positions.shape[1]), np.float16)
        network.eval()
        groups = groups_of(self.lengths)
        with torch.inference_mode():
            for group in track(groups, "frozen layers"):
                lengths = torch.tensor([self.lengths[at] for at in group])
                states = network.ground(_words([samples[at] for at in group]), lengths).numpy()
                for row, at in enumerate(group):
                    self._states[self._starts[at] : self._starts[at + 1]] = states[row, : self.lengths[at]]

    def batch(self, group: list[int]) -> Batch:
        """Return some samples, ready for the network."""
        longest = max(self.lengths[at] for at in group)
        states = np.zeros((len(group), longest, self._states.shape[1]), np.float32)
        tags = np.full((len(group), longest), -1)
        for row, at in enumerate(group):
            length, marks = self.lengths[at], self.samples[at].tags
            states[row, :length] = self._states[self._starts[at] : self._starts[at + 1]]
            if marks is not None:
                tags[row, 1 : length - 1] = marks[: length - 2]
        answers = {head: torch.tensor([self.samples[at].answers.get(head, -1) for at in group]) for head in HEADS}
        lengths = torch.tensor([self.lengths[at] for at in group])
        return Batch(torch.from_numpy(states), lengths, answers, torch.from_numpy(tags))


def _words(samples: list[Sample]) -> Tensor:
    source = open_pretrained()
    numbers = np.full((len(samples), max(sample.length for sample in samples)), source.pad)
    for row, sample in enumerate(samples):
        numbers[row, : sample.length] = [source.bos, *sample.pieces.numbers[: sample.length - 2], source.eos]
    return torch.from_numpy(source.rows(numbers.reshape(-1))).view(*numbers.shape, -1)


def loss_of(answers: Tensor, tags: Tensor, batch: Batch) -> Tensor:
    """Return the weighed sum of all heads' losses, each over the texts that know its answer."""
    total, at = torch.zeros(()), 0
    for head, width in HEADS.items():
        said, known = answers[:, at : at + width], batch.answers[head] >= 0
        at += width
        if known.any():
            share = known.float().mean()
            total = total + LOSSES.get(head, OTHER_LOSS) * share * _loss(said[known], batch.answers[head][known])
    marked = batch.tags >= 0
    if marked.any():
        total = total + TAG_LOSS * functional.cross_entropy(tags[marked], batch.tags[marked])
    return total


def _loss(said: Tensor, right: Tensor) -> Tensor:
    if said.shape[1] == 1:
        smooth = right.float() * (1 - 2 * SMOOTHING) + SMOOTHING
        return functional.binary_cross_entropy_with_logits(said[:, 0], smooth)
    return functional.cross_entropy(said, right, label_smoothing=SMOOTHING)


def fit(texts: list[Text], rounds: int, seed: int, checkpoint: Path) -> Network:
    """Return a network trained on texts for so many rounds, seeded; goes on from the checkpoint where there is one."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    network = Network(open_pretrained())
    ground = Grounded(network, samples_of(texts, rng))
    heads = [*network.pool.parameters(), *network.tags.parameters(), *network.heads.parameters()]
    body = list(network.blocks[FROZEN:].parameters())
    parts = [{"params": body, "lr": BODY_RATE}, {"params": heads, "lr": HEAD_RATE}]
    optimiser = torch.optim.AdamW(parts, weight_decay=DECAY)
    whole = rounds * sum(sample.share for sample in ground.samples)
    begin, seen = _resume(checkpoint, network, optimiser, rng, whole)
    for number in range(begin, rounds):
        now = [at for at, sample in enumerate(ground.samples) if rng.random() < sample.share]
        groups = [[now[at] for at in group] for group in groups_of([ground.lengths[at] for at in now], rng)]
        network.train()
        for group in track(groups, f"round {number + 1} of {rounds}"):
            _set_pace(optimiser, seen / whole)
            _step(network, optimiser, ground.batch(group))
            seen += len(group)
        state = {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "whole": whole, "seen": seen,
                 "round": number + 1, "rng": rng.getstate(), "torch": torch.get_rng_state()}  # fmt: skip
        torch.save(state, checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").replace(checkpoint)
    return network


def _resume(
    checkpoint: Path, network: Network, optimiser: torch.optim.Optimizer, rng: random.Random, whole: float
) -> tuple[int, int]:
    """Take up a run that was stopped: return how many rounds it had done, and how many texts it had seen."""
    if not checkpoint.is_file():
        return 0, 0
    state = torch.load(checkpoint, weights_only=False)
    if state["whole"] != whole:
        raise SystemExit(f"{checkpoint} is of a run on other texts or for other rounds; remove it to begin anew.")
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    rng.setstate(state["rng"])
    torch.set_rng_state(state["torch"])
    print(f"going on after round {state['round']}")
    return state["round"], state["seen"]


def _set_pace(optimiser: torch.optim.Optimizer, done: float) -> None:
    """Rise for the first twentieth, then fall along a cosine."""
    pace = min(1.0, done / WARM_UP + 0.02) * (0.02 + 0.49 * (1 + math.cos(math.pi * min(done, 1))))
    for part, rate in zip(optimiser.param_groups, (BODY_RATE, HEAD_RATE), strict=True):
        part["lr"] = rate * pace


def _step(network: Network, optimiser: torch.optim.Optimizer, batch: Batch) -> None:
    answers, tags = network(batch.states, batch.lengths)
    loss = loss_of(answers, tags, batch)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimiser.step()
