"""Times JPEG files to PDQ: ours beside the libraries that others use, in turns, and compares the bits.

    python bench/pdq_peers.py [--rounds 5] [--images 6] [--threatexchange PYTHON]

The images are drawn here. `pdqhash` is the reference in C++ behind Python; `threatexchange` is asked in an environment
of its own, since it fixes other versions of our dependencies. Every contestant decodes with Pillow and runs on one
core; CPU time is counted, since whatever else runs on the machine would show in the other. Prints JSON.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pdqhash
import PIL
from PIL import Image, ImageDraw

from antiphon.fingerprints import Pdq
from antiphon.fingerprints._decode import read_pixels

SIZES = ((1024, 768), (1920, 1080))

THREATEXCHANGE = """
import json, pathlib, sys, time
from threatexchange.signal_type.pdq.pdq_hasher import pdq_from_bytes
files = [path.read_bytes() for path in sorted(pathlib.Path(sys.argv[1]).glob("*.jpg"))]
pdq_from_bytes(files[0])
begin = time.process_time()
values = [pdq_from_bytes(content)[0] for content in files]
print(json.dumps([time.process_time() - begin, values]))
"""


def drawn(width: int, height: int, seed: int) -> bytes:
    """Return a JPEG that looks like a photograph to a hash: a slope of light, soft shapes, grain, and lines of text."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(width, height)
    shades = (90 + 80 * (x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1)))[:, :, None] + np.zeros(3)
    for _ in range(14):
        blob = np.exp(-((x - rng.random()) ** 2 + (y - rng.random()) ** 2) / rng.uniform(0.002, 0.04))
        shades += blob[:, :, None] * rng.uniform(-120, 120, 3)
    shades += rng.normal(0, 4, (height, width, 1))
    image = Image.fromarray(shades.clip(0, 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    for line in range(6):
        at = (int(rng.integers(0, width // 2)), height * line // 6 + 10)
        pen.text(at, "the lantern keepers of Varnholt " * 2, fill="white", font_size=height // 24)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def ours(content: bytes) -> bytes:
    """Return the value that Antiphon gives."""
    signal = Pdq().fingerprint(content)
    return signal.value if signal else b""


def pdqhash_of(content: bytes) -> bytes:
    """Return the value that `pdqhash` gives for what Pillow decodes."""
    bits, _ = pdqhash.compute(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
    return np.packbits(np.asarray(bits, dtype=np.uint8)).tobytes()


def decoded(content: bytes) -> bytes:
    """Decode alone, which nobody can do without."""
    read_pixels(content, where="bench")
    return b""


def timed(contestant: Callable[[bytes], bytes], files: Sequence[bytes]) -> tuple[float, list[str]]:
    """Return the CPU seconds for all files, and their values in hex."""
    begin = time.process_time()
    values = [contestant(content) for content in files]
    return time.process_time() - begin, [value.hex() for value in values]


def ask(python: str, files: Sequence[bytes]) -> tuple[float, list[str]]:
    """Return the same from `threatexchange` in its own environment; its start is not counted."""
    with tempfile.TemporaryDirectory() as folder:
        for number, content in enumerate(files):
            (Path(folder) / f"{number:03}.jpg").write_bytes(content)
        run = subprocess.run([python, "-c", THREATEXCHANGE, folder], check=True, capture_output=True, text=True)
    seconds, values = json.loads(run.stdout)
    return seconds, values


def measure(files: Sequence[bytes], rounds: int, python: str | None) -> dict[str, object]:
    """Return the figures of one size: the median of the rounds, each contestant once a round."""
    contestants: dict[str, Callable[[], tuple[float, list[str]]]] = {
        "antiphon": lambda: timed(ours, files),
        "pdqhash": lambda: timed(pdqhash_of, files),
        "decode_alone": lambda: timed(decoded, files),
    }
    if python:
        contestants["threatexchange"] = lambda: ask(python, files)
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    values: dict[str, list[str]] = {}
    for _ in range(rounds):
        for name, contest in contestants.items():
            spent, values[name] = contest()
            seconds[name].append(spent)
    per_s = {name: round(len(files) / statistics.median(spent), 1) for name, spent in seconds.items()}
    peers = [name for name in per_s if name not in {"antiphon", "decode_alone"}]
    return {
        "images": len(files),
        "mean_file_bytes": sum(map(len, files)) // len(files),
        "images_per_cpu_s": per_s,
        "times_as_fast": {name: round(per_s["antiphon"] / per_s[name], 2) for name in peers},
        "equal_values": {name: sum(map(str.__eq__, values["antiphon"], values[name])) for name in peers},
    }


def main() -> None:
    """Measure each size and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=6, help="images of each size")
    parser.add_argument("--threatexchange", help="a Python that has `threatexchange`")
    chosen = parser.parse_args()
    figures: dict[str, object] = {
        "python": platform.python_version(),
        "pillow": PIL.__version__,
        "pdqhash": pdqhash.__version__,
        "rounds": chosen.rounds,
    }
    for width, height in SIZES:
        files = [drawn(width, height, seed) for seed in range(chosen.images)]
        ours(files[0])
        figures[f"{width}x{height}"] = measure(files, chosen.rounds, chosen.threatexchange)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
