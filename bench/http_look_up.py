"""Measure the look-up over HTTP while its bank changes: prints JSON.

    python bench/http_look_up.py [--entries 100000] [--rate 1000] [--seconds 10] [--connections 16] [--imported 50000]

A server is started in a process of its own on a bank of random PDQ values. This process asks it over connections that
are kept alive: first at a fixed rate (each latency counts from when the query was due, so that a pause of the server is
not left out). One query in ten is near an entry.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from antiphon.model.bank import Bank, BankEntry
from antiphon.node.banks import open_banks
from antiphon.storage.banks import Act

SEED = 20261125
WHO = "bench"
BANK = "RANDOM"
SERVER = """
import sys
from pathlib import Path
from antiphon.web import serve_look_up
serve_look_up(Path(sys.argv[1]), port=0, ready=lambda address: print(address, flush=True))
"""
CHANGE = """
import sys
from pathlib import Path
from antiphon.model.bank import BankEntry
from antiphon.node.banks import open_banks
with open_banks(Path(sys.argv[1])) as banks:
    banks.add(BankEntry("RANDOM", "fresh", "pdq", bytes.fromhex(sys.argv[2])), "bench")
    banks.withdraw("RANDOM", [sys.argv[3]], "bench", "measured")
    print("done", flush=True)
"""
IMPORT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from antiphon.model.bank import BankEntry
from antiphon.node.banks import open_banks
from antiphon.storage.banks import Act
values = np.random.default_rng(int(sys.argv[3])).integers(0, 256, (int(sys.argv[2]), 32), dtype=np.uint8)
entries = (("", BankEntry("RANDOM", f"i{at}", "pdq", value.tobytes())) for at, value in enumerate(values))
with open_banks(Path(sys.argv[1])) as banks:
    banks.store.add_all("RANDOM", entries, Act("bench", datetime.now(UTC), ""))
"""


@dataclass
class Outcome:
    """What became of the queries of one phase."""

    latencies_s: list[float] = field(default_factory=list)
    begun: float = field(default_factory=time.perf_counter)
    ended: float = 0.0
    refused: int = 0
    wrong: int = 0

    def told(self) -> dict[str, object]:
        """Return the figures."""
        millis = np.array(self.latencies_s) * 1000
        speed = round(len(millis) / (self.ended - self.begun))
        return {
            "queries": len(millis), "queries_per_s": speed, "refused": self.refused,
            "wrong": self.wrong, "p50_ms": round(float(np.percentile(millis, 50)), 2),
            "p99_ms": round(float(np.percentile(millis, 99)), 2), "max_ms": round(float(millis.max()), 2),
        }  # fmt: skip


class Connection:
    """One connection that is kept alive."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> Connection:
        """Connect."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def ask(self, value: bytes) -> tuple[int, bytes]:
        """Return the status and the body of the look-up of a PDQ value."""
        target = f"/m/raw_lookup?signal_type=pdq&signal={value.hex()}"
        self._writer.write(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(length)

    async def found(self, value: bytes) -> bool:
        """Return whether a value matches anything."""
        _, body = await self.ask(value)
        return bool(json.loads(body)["matches"])


def entries(values: np.ndarray) -> Iterator[tuple[str, BankEntry]]:
    """Yield the entries of a bank."""
    for number, value in enumerate(values):
        yield f"row {number}", BankEntry(BANK, f"e{number}", "pdq", value.tobytes())


def queries(values: np.ndarray, number: int, random: np.random.Generator) -> tuple[list[bytes], list[bool]]:
    """Return queries, and which of them are near an entry: a few bits away from it."""
    asked = random.integers(0, 256, (number, 32), dtype=np.uint8)
    near = np.arange(number) % 10 == 0
    asked[near] = values[random.integers(0, len(values), near.sum())]
    asked[near, random.integers(0, 32, near.sum())] ^= 7
    return [one.tobytes() for one in asked], near.tolist()


async def one(connection: Connection, value: bytes, near: bool, due: float, outcome: Outcome) -> None:
    """Ask one query and note what came back."""
    status, body = await connection.ask(value)
    outcome.ended = time.perf_counter()
    outcome.latencies_s.append(outcome.ended - due)
    outcome.refused += status != 200
    outcome.wrong += status == 200 and (body != b'{"matches":[]}') is not near


async def paced(connections: Sequence[Connection], asked: list[bytes], near: list[bool], rate: float) -> Outcome:
    """Ask at a fixed rate; a query whose connections are all busy waits, and its wait counts."""
    begun, numbers = time.perf_counter() + 0.1, iter(range(len(asked)))
    outcome = Outcome(begun=begun)

    async def worker(connection: Connection) -> None:
        for number in numbers:
            due = begun + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await one(connection, asked[number], near[number], due, outcome)

    await asyncio.gather(*map(worker, connections))
    return outcome


async def flat_out(connections: Sequence[Connection], asked: list[bytes], near: list[bool], seconds: float) -> Outcome:
    """Ask as fast as answers come."""
    outcome, end, numbers = Outcome(), time.perf_counter() + seconds, iter(range(10**9))

    async def worker(connection: Connection) -> None:
        while (now := time.perf_counter()) < end:
            number = next(numbers) % len(asked)
            await one(connection, asked[number], near[number], now, outcome)

    await asyncio.gather(*map(worker, connections))
    return outcome


async def changed(home: Path, port: int, values: np.ndarray) -> dict[str, float]:
    """Add one entry and withdraw another as any other program would; return how long each took to be seen."""
    connection = await Connection(port).open()
    fresh, gone = np.random.default_rng(SEED + 1).bytes(32), values[len(values) // 2].tobytes()
    await asyncio.sleep(1.0)

    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CHANGE, str(home), fresh.hex(), f"e{len(values) // 2}", stdout=asyncio.subprocess.PIPE
    )
    if process.stdout is not None:
        await process.stdout.readline()  # said as soon as both are committed
    begun, seen = time.perf_counter(), dict[str, float]()
    while len(seen) < 2 and time.perf_counter() - begun < 60:
        if "added_found_after_s" not in seen and await connection.found(fresh):
            seen["added_found_after_s"] = round(time.perf_counter() - begun, 3)
        if "withdrawn_gone_after_s" not in seen and not await connection.found(gone):
            seen["withdrawn_gone_after_s"] = round(time.perf_counter() - begun, 3)
        await asyncio.sleep(0.02)
    await process.wait()
    return seen


async def imported(home: Path, port: int, number: int) -> dict[str, float]:
    """Import a list in a process of its own; return how long that took, and how much later its last entry is found."""
    connection = await Connection(port).open()
    last = np.random.default_rng(SEED + 3).integers(0, 256, (number, 32), dtype=np.uint8)[-1].tobytes()
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", IMPORT, str(home), str(number), str(SEED + 3))
    await process.wait()
    done = time.perf_counter()
    while not await connection.found(last):
        if time.perf_counter() - done > 60:
            return {"entries": number, "took_s": round(done - begun, 2)}
        await asyncio.sleep(0.02)
    return {
        "entries": number, "took_s": round(done - begun, 2),
        "last_found_after_s": round(time.perf_counter() - done, 3),
    }  # fmt: skip


async def measured(home: Path, port: int, values: np.ndarray, args: argparse.Namespace) -> dict[str, object]:
    """Run both phases."""
    connections = [await Connection(port).open() for _ in range(args.connections)]
    gone = len(values) // 2  # is withdrawn meanwhile, and so not asked for
    asked, near = queries(np.delete(values, gone, 0), math.ceil(args.rate * args.seconds), np.random.default_rng(SEED))
    for value in asked[:200]:  # kernels are compiled, and pages read, before the clock runs
        await connections[0].ask(value)
    steady, seen = await asyncio.gather(paced(connections, asked, near, args.rate), changed(home, port, values))
    busy, taken = await asyncio.gather(paced(connections, asked, near, args.rate), imported(home, port, args.imported))
    fast = await flat_out(connections, asked, near, args.seconds / 2)
    return {
        "rate": args.rate, "at_rate": steady.told(), "changes": seen, "at_rate_while_importing": busy.told(),
        "imported": taken, "flat_out": fast.told(),
    }  # fmt: skip


def main() -> None:
    """Build the bank, start the server, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rate", type=float, default=1_000, help="queries a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--imported", type=int, default=50_000, help="entries of the list that is imported meanwhile")
    args = parser.parse_args()
    values = np.random.default_rng(SEED + 2).integers(0, 256, (args.entries, 32), dtype=np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        home, begun = Path(folder), time.perf_counter()
        with open_banks(home) as banks:
            banks.create(Bank(BANK), WHO)
            banks.store.add_all(BANK, entries(values), Act(WHO, datetime.now(UTC), ""))
        built_s, begun = time.perf_counter() - begun, time.perf_counter()
        command = [sys.executable, "-c", SERVER, folder]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                port = int((server.stdout.readline() if server.stdout else "").strip().rpartition(":")[2])
                started_s = time.perf_counter() - begun
                found = asyncio.run(measured(home, port, values, args))
            finally:
                server.terminate()
    about = {
        "entries": args.entries, "connections": args.connections, "cores": os.cpu_count(), "load": os.getloadavg()[0],
        "machine": platform.machine(), "python": platform.python_version(), "filled_s": round(built_s, 1),
        "started_s": round(started_s, 1),
    }  # fmt: skip
    print(json.dumps(about | found, indent=2))


if __name__ == "__main__":
    main()
