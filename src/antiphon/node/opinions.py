"""Asking for second opinions on what the analysis could not decide, by a written policy, and keeping every answer."""

from __future__ import annotations

import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from antiphon.analysis.opinion import read_opinion, request_of
from antiphon.errors import AntiphonError, ConfigError, InputError
from antiphon.storage.lake import Lake

__all__ = ["OPINIONS_FILE", "Policy", "ask_opinions", "read_policy"]

OPINIONS_FILE = "opinions.jsonl"
_TIMEOUT_S = 120.0
_LARGEST_ANSWER = 1 << 20
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_UNDECIDED = (
    "SELECT m.material_id, m.text FROM materials m JOIN findings f USING (material_id) "
    "WHERE f.abstained AND m.text IS NOT NULL ORDER BY f.review_priority DESC, m.material_id"
)


class Policy(NamedTuple):
    """Who decided that another model may be asked, why, which, and how often.

    Attributes:
        endpoint: Address of the chat interface; plain HTTP on this machine only.
        model: Its name for the model.
        decided_by: Who decided it, by office.
        reason: Why.
        at_most: Materials in all that may be sent.
        key_variable: Environment variable that holds the endpoint's key, or empty.
    """

    endpoint: str
    model: str
    decided_by: str
    reason: str
    at_most: int
    key_variable: str = ""


def read_policy(path: Path) -> Policy:
    """Return a policy from its JSON file.

    Raises:
        ConfigError: it is not one, or names an endpoint that would be reached without encryption.
    """
    try:
        policy = Policy(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as fault:
        raise _bad(path, f"it can't be read: {fault}") from fault
    address = urlsplit(str(policy.endpoint))
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise _bad(path, "the endpoint is neither https nor on this machine")
    if not all(isinstance(part, str) and part.strip() for part in policy[1:4]):
        raise _bad(path, "model, decided_by and reason must say something")
    if not isinstance(policy.at_most, int) or policy.at_most < 1:
        raise _bad(path, "at_most must be a number from 1")
    return policy


def _bad(path: Path, what: str) -> ConfigError:
    return ConfigError(
        f"the policy for second opinions can't be used: {what}", where=str(path),
        do="See docs/analysis.md, Second opinion.",
    )  # fmt: skip


def ask_opinions(out: Path, policy: Policy) -> Iterator[dict[str, Any]]:
    """Yield a record for each undecided material that was asked about, each kept in `opinions.jsonl` before it is told.

    A material is asked about once for a model; a run that was stopped goes on. A finding is never changed by it.

    Raises:
        InputError: the endpoint can't be reached.
    """
    kept = _kept(out / OPINIONS_FILE)
    left = policy.at_most - len(kept)
    done = {(row["material_id"], row["model"]) for row in kept}
    with Lake(out / "lake") as lake:
        undecided = lake.query(_UNDECIDED).to_pylist() if "findings" in lake.tables() else []
    with (out / OPINIONS_FILE).open("a", encoding="utf-8") as file:
        for row in undecided:
            if left <= 0:
                return
            if (row["material_id"], policy.model) in done:
                continue
            record = _asked(row["material_id"], row["text"], policy)
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
            file.flush()
            left -= 1
            yield record


def _kept(path: Path) -> list[dict[str, Any]]:
    """Return what was asked before; half a line, left by a run that was killed, is cut off and asked again."""
    if not path.is_file():
        return []
    whole = path.read_bytes()
    end = whole.rfind(b"\n") + 1
    if end < len(whole):
        os.truncate(path, end)
    return [json.loads(line) for line in whole[:end].splitlines()]


def _asked(material_id: str, text: str, policy: Policy) -> dict[str, Any]:
    body = json.dumps(request_of(text, policy.model), ensure_ascii=False).encode()
    record: dict[str, Any] = {
        "asked_at": datetime.now(UTC).isoformat(timespec="seconds"), "material_id": material_id, "model": policy.model,
        "endpoint": policy.endpoint, "decided_by": policy.decided_by, "reason": policy.reason,
        "request_sha256": hashlib.sha256(body).hexdigest(),
    }  # fmt: skip
    answer = _sent(body, policy)
    record["answer_sha256"] = hashlib.sha256(answer).hexdigest()
    try:
        return record | {"opinion": read_opinion(answer, text)._asdict()}
    except AntiphonError as fault:
        return record | {"refused": str(fault)}


def _sent(body: bytes, policy: Policy) -> bytes:
    headers = {"Content-Type": "application/json"}
    if policy.key_variable:
        headers["Authorization"] = f"Bearer {os.environ.get(policy.key_variable, '')}"
    request = urllib.request.Request(policy.endpoint, body, headers)  # noqa: S310 - read_policy let no other scheme in
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            content: bytes = answer.read(_LARGEST_ANSWER)
            return content
    except (OSError, urllib.error.URLError) as fault:
        raise InputError(
            f"the endpoint can't be asked: {fault}", where=policy.endpoint,
            do="Start it, or correct the policy; what was asked before is kept.",
        ) from fault  # fmt: skip
