"""Measure the reading of words in pictures: prints JSON. Needs the extra `ocr`.

    python bench/ocr.py [--fonts /usr/share/fonts] [--size 900x600]

Forty invented phrases are drawn into pictures, each in every setting: fonts, sizes, colours, JPEG qualities, upright
and a little turned, alone and on a ground of noise. `read` is the share whose words come out letter for letter, case,
accents and blanks left aside; `spotted` the share that the phrase look-up finds, `near` the share of those long enough
for a near text that match as one. `seconds` is processor time.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import resource
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from antiphon.fingerprints.ocr import read_words, reader_version
from antiphon.fingerprints.text_near import TextNear
from antiphon.node.words import Words

SEED = 20261125
LATIN = (
    "the ninth tide shall rise", "light the lamps of Varnholt", "every bell shall answer", "the pier belongs to us",
    "join the harbour watch tonight", "no ferry leaves without us", "we keep the blue lantern",
    "stand with the oarsmen", "the old lighthouse calls again", "ring the bells at midnight",
    "seven sails for seven sons", "Varnholt never sleeps", "our nets hold what they catch",
    "meet me under the grey crane", "the tide forgets nobody", "salt and rope and honour", "hold the breakwater",
    "the lanterns are counted", "follow the amber buoy", "the quay has a thousand eyes", "paint the gates in green",
    "nobody sells our harbour", "first the fog, then the song", "learn the knots by heart",
    "nous gardons la lanterne bleue", "la marée n'oublie personne", "wir halten die alte Brücke",
    "keiner verkauft den Hafen", "la marea no perdona a nadie", "el faro viejo llama otra vez",
    "o cais pertence aos remadores", "la campana suonerà ancora",
)  # fmt: skip
CHINESE = (
    "第九次潮汐终将到来", "点亮瓦恩港的灯塔", "每一口钟都会回应", "码头属于划桨的人们",
    "今晚加入港口守望队", "没有我们渡轮不会开", "旧灯塔再次召唤你们", "蓝色灯笼永远不熄灭",
)  # fmt: skip
FONTS = {
    "sans": "DejaVuSans.ttf", "serif bold": "DejaVuSerif-Bold.ttf", "narrow bold": "LiberationSansNarrow-Bold.ttf",
    "italic": "LiberationSerif-Italic.ttf", "mono": "DejaVuSansMono.ttf",
}  # fmt: skip
CHINESE_FONTS = {"chinese sans": "NotoSansCJK-Regular.ttc", "chinese serif": "NotoSerifCJK-Bold.ttc"}


class Setting(NamedTuple):
    """How a phrase is drawn."""

    name: str
    height: int = 32
    ink: tuple[int, int, int] = (250, 240, 210)
    ground: tuple[int, int, int] = (30, 60, 70)
    quality: int = 80
    turned: float = 0.0
    noisy: bool = False


SETTINGS = (
    Setting("plain"), Setting("14 pixels high", height=14), Setting("20 pixels high", height=20),
    Setting("64 pixels high", height=64), Setting("dark on light", ink=(20, 20, 30), ground=(240, 235, 225)),
    Setting("faint", ink=(120, 140, 150), ground=(80, 100, 110)),
    Setting("red on green", ink=(200, 40, 40), ground=(40, 110, 60)),
    Setting("JPEG 40", quality=40), Setting("JPEG 15", quality=15), Setting("turned by 8 degrees", turned=8),
    Setting("on noise", noisy=True), Setting("on noise, 20 high, JPEG 40", height=20, quality=40, noisy=True),
)  # fmt: skip


def fonts(folder: Path) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
    """Yield name, file and phrases of the fonts that are on this machine."""
    for names, phrases in ((FONTS, LATIN), (CHINESE_FONTS, CHINESE)):
        for name, file in names.items():
            for path in sorted(folder.rglob(file))[:1]:
                yield name, path, phrases


def drawn(phrase: str, font: Path, how: Setting, size: tuple[int, int], random: np.random.Generator) -> bytes:
    """Return a picture of a phrase as JPEG."""
    image = Image.new("RGB", size, how.ground)
    if how.noisy:
        speckled = np.asarray(image) + random.normal(0, 25, (size[1], size[0], 3))
        image = Image.fromarray(np.clip(speckled, 0, 255).astype(np.uint8))
    letters, layer = ImageFont.truetype(str(font), how.height), Image.new("L", size)
    width = letters.getlength(phrase)
    lines = [phrase] if width < 0.9 * size[0] else [phrase[: len(phrase) // 2], phrase[len(phrase) // 2 :]]
    if len(lines) == 2 and " " in phrase:
        words = phrase.split()
        lines = [" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])]
    ImageDraw.Draw(layer).multiline_text((size[0] // 20, size[1] // 3), "\n".join(lines), font=letters, fill=255)
    layer = layer.rotate(how.turned, Image.Resampling.BICUBIC)
    image.paste(how.ink, mask=layer)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=how.quality)
    return out.getvalue()


def plain(text: str) -> str:
    """Return a text's letters and digits, without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if c.isalnum())


def measured(args: argparse.Namespace) -> dict[str, object]:
    """Draw, read and compare all."""
    random, near = np.random.default_rng(SEED), TextNear()
    phrases = [*LATIN, *CHINESE]
    known = Words([], [(at, phrase.encode()) for at, phrase in enumerate(phrases)], [])
    minima = {phrase: near.fingerprint(phrase.encode()) for phrase in phrases}
    rows: dict[str, list[tuple[bool, bool, bool | None]]] = defaultdict(list)
    size = tuple(map(int, args.size.split("x")))
    read_words(drawn("warm", next(fonts(args.fonts))[1], SETTINGS[0], size, random))
    seconds, pictures = 0.0, 0
    for name, font, some in fonts(args.fonts):
        for how in SETTINGS:
            for phrase in some:
                content, begun = drawn(phrase, font, how, size, random), time.process_time()
                words = read_words(content)
                seconds, pictures = seconds + time.process_time() - begun, pictures + 1
                said = words.text if words else ""
                spotted = any(hit.row == phrases.index(phrase) for hit in known.spotted([said]))
                found, wanted = near.fingerprint(said.encode()), minima[phrase]
                alike = wanted and bool(found and near.distance(found.value, wanted.value) <= near.max_distance)
                for key in (f"font: {name}", f"setting: {how.name}", "all"):
                    rows[key].append((plain(said) == plain(phrase), spotted, alike))
    speed = {"pictures": pictures, "seconds": round(seconds, 1), "pictures_per_s": round(pictures / seconds, 2)}
    return speed | {"shares": {key: shares(some) for key, some in rows.items()}}


def shares(rows: list[tuple[bool, bool, bool | None]]) -> dict[str, float]:
    """Return the share that was read, spotted and near."""
    read, spotted, near = zip(*rows, strict=True)
    told = {"pictures": len(rows), "read": sum(read) / len(rows), "spotted": sum(spotted) / len(rows)}
    long = [one for one in near if one is not None]
    return {key: round(value, 3) for key, value in (told | {"near": sum(long) / max(1, len(long))}).items()}


def falsely_read(number: int, size: tuple[int, int]) -> dict[str, int]:
    """Return how many pictures of noise and of gradients, with no word in them, gave words."""
    random, gave = np.random.default_rng(SEED + 1), 0
    for at in range(number):
        image = Image.effect_noise(size, 40 + at % 80) if at % 2 else Image.linear_gradient("L").resize(size)
        image = image.rotate(float(random.uniform(0, 90))).convert("RGB")
        out = io.BytesIO()
        image.save(out, "PNG")
        gave += read_words(out.getvalue()) is not None
    return {"pictures_without_words": number, "gave_words": gave}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fonts", type=Path, default=Path("/usr/share/fonts"))
    parser.add_argument("--size", default="900x600")
    args = parser.parse_args()
    found = measured(args)
    found |= falsely_read(100, tuple(map(int, args.size.split("x"))))
    about = {"reader": reader_version(), "machine": platform.machine(), "python": platform.python_version()}
    peak = {"peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}
    print(json.dumps(about | found | peak, indent=2))


if __name__ == "__main__":
    main()
