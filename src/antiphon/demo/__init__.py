"""An invented world with a planted truth: material to try Antiphon on, and how much of it was found."""

from antiphon.demo.posts import write_jsonl
from antiphon.demo.score import Score, score
from antiphon.demo.world import World, generate

__all__ = ["Score", "World", "generate", "score", "write_jsonl"]
