"""The look-up's server as its clients meet it: over a socket, on a real register, in HMA's shapes.

`RUBY` and `COOP` say what two public clients of HMA make of an answer: the gem hasher_matcher_actioner_api (whose types
refuse what they do not expect) and Coop's `HmaService`.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from look_up_client import BOUNDARY, Answer, Client, serving
from PIL import Image, ImageDraw, ImageFont, ImageOps

from antiphon.cli.look_up_server import TOKEN_VARIABLE
from antiphon.errors import ConfigError
from antiphon.fingerprints import Pdq
from antiphon.fingerprints.ocr import is_installed
from antiphon.model.bank import Bank, BankEntry
from antiphon.node.banks import open_banks, text_entry
from antiphon.node.settings import initialise
from antiphon.web import Limits, serve_look_up

WHO = "k.vell"
POSTER = bytes(range(32))
NEAR = bytes((7, *range(1, 32)))  # 3 bits away
OTHER = bytes(range(100, 132))
SONG = "We will light the lamps of Varnholt pier again when the ninth tide turns, and every bell shall answer."
needs_reader = pytest.mark.skipif(not is_installed(), reason="the extra `ocr` is not installed")
TOKEN = "the-lamps-of-varnholt-pier"  # noqa: S105 - invented


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A register with a bank of each kind; the fourth is on trial."""
    folder = tmp_path_factory.mktemp("home")
    with open_banks(folder) as banks:
        for bank in (Bank("TIDE", source="Harbour Watch"), Bank("LAMPS"), Bank("CLEARED", purpose="negative"),
                     Bank("TRIAL", shadow=True)):  # fmt: skip
            banks.create(bank, WHO)
        for entry in (
            BankEntry("TIDE", "poster", "pdq", POSTER, label="poster", entity="Ninth Tide", note="report 7"),
            BankEntry("LAMPS", "scene", "pdq", Pdq().fingerprint(scene()).value),
            BankEntry("LAMPS", "poster-too", "pdq", NEAR), BankEntry("TRIAL", "maybe", "pdq", POSTER),
            BankEntry("TIDE", "lantern", "pdq", OTHER), BankEntry("CLEARED", "museum", "pdq", OTHER),
            BankEntry("TIDE", "file", "sha256", hashlib.sha256(drawing()).digest()),
            BankEntry("TIDE", "film", "md5", bytes(16)), text_entry(BankEntry("TIDE", "song", "", b""), SONG, "text"),
        ):  # fmt: skip
            banks.add(entry, WHO)
    return folder


@pytest.fixture(scope="module")
def client(home: Path):
    """A client of a server on that register."""
    with serving(home, limits=Limits(body_bytes=200_000, body_s=0.5)) as found:
        yield found


def as_file(image: Image.Image, form: str) -> bytes:
    out = io.BytesIO()
    image.save(out, form)
    return out.getvalue()


def drawing() -> bytes:
    return as_file(Image.radial_gradient("L"), "PNG")


def scene() -> bytes:
    """A picture with a left and a right: a moon over one side of a slope."""
    image = Image.linear_gradient("L").rotate(30)
    ImageDraw.Draw(image).ellipse((20, 30, 90, 100), fill=240)
    ImageDraw.Draw(image).polygon(((0, 256), (256, 120), (256, 256)), fill=30)
    return as_file(image, "PNG")


def poster(words: str) -> bytes:
    """A picture of some words."""
    image = Image.new("RGB", (1_000, 240), (30, 60, 70))
    lines = [words[:52], words[52:]] if len(words) > 52 else [words]
    ImageDraw.Draw(image).multiline_text((20, 60), "\n".join(lines), font=ImageFont.load_default(30))
    return as_file(image, "PNG")


def of_pdq(value: bytes) -> dict[str, str]:
    return {"signal_type": "pdq", "signal": value.hex()}


def entry_ids(client: Client, rows: list[int], bank: str = "TIDE") -> list[str]:
    return [client.get(f"/c/bank/{bank}/content/{row}").json["entry_id"] for row in rows]


# --- HMA's shapes


def test_a_raw_look_up_gives_numbers_and_with_distances_strings(client):
    """RUBY: `Array.of(Types::Integer)`, and `bank_content_id` Integer with `distance` that can be read as one."""
    plain = client.get("/m/raw_lookup", **of_pdq(POSTER)).json
    assert [type(number) for number in plain["matches"]] == [int, int]
    told = client.get("/m/raw_lookup", include_distance="true", **of_pdq(POSTER)).json
    assert [(match["bank_content_id"], match["distance"]) for match in told["matches"]] == [
        (plain["matches"][0], "0"), (plain["matches"][1], "3"),
    ]  # fmt: skip


def test_a_look_up_gives_the_banks_with_their_matches(client):
    """COOP: `matches[bankId].length > 0`; RUBY: `Hash.map(String, Array(MatchWithDistance))`."""
    found = client.get("/m/lookup", **of_pdq(POSTER)).json
    assert {bank: [set(match) for match in matches] for bank, matches in found.items()} == {
        "TIDE": [{"bank_content_id", "distance"}], "LAMPS": [{"bank_content_id", "distance"}],
    }  # fmt: skip
    assert client.get("/m/lookup", banks="LAMPS,NONE", **of_pdq(POSTER)).json.keys() == {"LAMPS"}
    assert client.get("/m/lookup", **of_pdq(bytes(32))).json == {}


def test_a_file_is_hashed_under_hmas_names(client):
    """RUBY sends one multipart field named by the content type, and reads strings."""
    found = client.send("/h/hash", drawing()).json
    assert found["sha256"] == hashlib.sha256(drawing()).hexdigest()
    assert re.fullmatch("[0-9a-f]{64}", found["pdq"])
    assert client.send("/h/hash?types=pdq", drawing()).json == {"pdq": found["pdq"]}


def test_a_file_is_looked_up_by_each_of_its_hashes(client):
    """The outer keys are signal types, the inner ones banks."""
    found = client.send("/m/lookup", drawing()).json
    assert found.keys() == {"pdq", "md5", "sha256"}
    assert found["pdq"] == {}
    [match] = found["sha256"]["TIDE"]
    assert entry_ids(client, [match["bank_content_id"]]) == ["file"]


def test_the_stock_hash_of_a_picture_is_the_servers(client):
    """HMA's own signal type over the same bytes: a client that hashes by itself asks for the same thing."""
    stock = pytest.importorskip("threatexchange.signal_type.pdq.signal", reason="the reference is not installed")
    assert client.send("/h/hash", drawing()).json["pdq"] == stock.PdqSignal.hash_from_bytes(drawing())


def test_hmas_video_md5_is_looked_up(client):
    """Its signal types belong to a kind of content, ours do not."""
    found = client.get("/m/raw_lookup", signal_type="video_md5", signal="00" * 16).json["matches"]
    assert entry_ids(client, found) == ["film"]


@pytest.mark.parametrize(("limit", "entries"), [(0, 1), (2, 1), (3, 2), (256, 2)])
def test_a_threshold_narrows_what_matches(client, limit, entries):
    """HMA's lookup_threshold, whose matches bring their signals."""
    found = client.get("/m/lookup_threshold", threshold=limit, **of_pdq(POSTER)).json["matches"]
    assert len(found) == entries
    assert found[0] == {"bank_content_id": found[0]["bank_content_id"], "distance": "0", "signal": POSTER.hex()}


def test_the_nearest_few_are_the_nearest(client):
    """HMA's lookup_topk."""
    found = client.get("/m/lookup_topk", k=1, **of_pdq(NEAR)).json["matches"]
    assert [match["distance"] for match in found] == ["0"]
    assert found[0]["signal"] == NEAR.hex()


def test_banks_are_listed_with_what_matches(client):
    """HMA's ratio is 1 where a bank's hits are matches, and 0 where they are not."""
    listed = {bank["name"]: bank["matching_enabled_ratio"] for bank in client.get("/c/banks").json}
    assert listed == {"TIDE": 1.0, "LAMPS": 1.0, "CLEARED": 0.0, "TRIAL": 0.0}
    assert client.get("/c/bank/TIDE").json["source"] == "Harbour Watch"
    assert client.get("/c/bank/NONE").status == 404


@pytest.mark.parametrize(("path", "body"), [("/status", b"I-AM-ALIVE"), ("/livez", b"OK"), ("/readyz", b"I-AM-ALIVE")])
def test_it_says_that_it_works(client, path, body):
    """RUBY compares the whole body."""
    answer = client.get(path)
    assert (answer.status, answer.body) == (200, body)


def test_every_path_of_the_site_map_stands_in_the_manual(client):
    """What is offered is described."""
    manual = (Path(__file__).parents[2] / "docs" / "look-up-http.md").read_text(encoding="utf-8")
    assert [path for path in client.get("/site-map").json if f"`{path}`" not in manual] == []


def test_two_hashes_are_compared_as_hma_does(client):
    """HMA's own test: 9 bits of 256 differ."""
    pair = ["facd8bcb2a49bcebdec1985298d5fe84bcd006c187c598c720c3c087b3fdb318",
            "facd8bcb2a49bcebdec1985228d5ae84bcd006c187c598c720c2b087b3fdb318"]  # fmt: skip
    assert compared(client, {"pdq": pair}).json == {"pdq": [True, {"distance": 9}]}


def test_each_kind_of_signal_is_compared_by_its_own_rule(client):
    """Digests are equal or not, texts near, and of videos each may hold a share of the other."""
    frames = [f"{value:064x},100,{at}.0" for at, value in enumerate((0, 2**200 - 1))]
    found = compared(client, {"md5": ["00" * 16, "01" * 16], "raw_text": [SONG, SONG + "!"],
                              "vpdq": [json.dumps(frames), json.dumps(frames[:1])]}).json  # fmt: skip
    assert found["md5"] == [False, {"distance": 1}]
    assert found["raw_text"] == [True, {"distance": 0}]
    shares = {"query_match_percent": 50.0, "compared_match_percent": 100.0}
    assert found["vpdq"] == [False, {"distance": 50, **shares}]


@pytest.mark.parametrize(
    "body",
    [["banana"], {}, {"pdq": "banana"}, {"pdq": []}, {"pdq": ["banana", "banana"]}, {"pdq": ["00" * 32] * 3},
     {"pdq": [1, 2]}, {"tlsh": ["00" * 32] * 2}, {"raw_text": ["a", "b"]}],
    ids=str,
)  # fmt: skip
def test_what_can_not_be_compared_is_told(client, body):
    """HMA's own list of bad input, and more."""
    answer = compared(client, body)
    assert answer.status == 400
    assert answer.json["do"]


def compared(client: Client, body: object) -> Answer:
    return client.ask("POST", "/m/compare", json.dumps(body).encode(), {"Content-Type": "application/json"})


def test_the_state_of_the_indexes_is_told_in_hmas_words(client):
    """Those who watch over a service see whether a type has entries, and how old the last change is."""
    found = client.get("/m/index/status").json
    assert found["pdq"]["size"] == 6
    assert found["pdq"]["present"]
    assert abs(found["pdq"]["built_to"] - time.time()) < 3600
    assert found["vpdq"] == {"present": False, "built_to": -1, "size": 0}
    assert client.get("/m/index/status", signal_type="raw_text").json["raw_text"]["size"] == 1
    state = client.get("/c/signal_type/index", signal_type="pdq").json
    assert state["pdq"]["db_size"] == state["pdq"]["index_size"] == 6
    assert not state["pdq"]["index_out_of_date"]


def test_there_are_no_exchanges_here(client):
    """Lists are exchanged by people with `antiphon bank`; a program that asks is told so in HMA's shape."""
    assert client.get("/c/exchanges").json == []
    assert (client.get("/").status, client.get("/").headers["location"]) == (302, "/status")


@needs_reader
def test_the_words_in_a_picture_are_looked_up_as_raw_text(client):
    """By default and where asked for; they take longer than all the rest, so that `types` leaves them out."""
    picture = poster(SONG)
    assert [match["distance"] for match in client.send("/m/lookup", picture).json["raw_text"]["TIDE"]] == ["0"]
    assert set(client.send("/m/lookup?types=raw_text", picture).json) == {"raw_text"}
    assert set(client.send("/m/lookup?types=raw_text,pdq", picture).json) == {"raw_text", "pdq"}
    assert set(client.send("/m/lookup?types=pdq", picture).json) == {"pdq"}
    (hit,) = client.send("/m/explain", picture).json["hits"]
    assert (hit["entry_id"], hit["alignment"].startswith("words in the picture")) == ("song", True)


# --- what counts, and why


def test_only_known_material_is_a_match_and_the_rest_is_explained(client):
    """A museum's picture is near, is held back, and nobody is alarmed; still it can be seen why."""
    assert client.get("/m/lookup", **of_pdq(OTHER)).json == {}
    hits = client.get("/m/explain", **of_pdq(OTHER)).json["hits"]
    assert [(hit["entry_id"], hit["effect"], hit["is_match"]) for hit in hits] == [
        ("museum", "negative", False), ("lantern", "held_back", False),
    ]  # fmt: skip
    assert "decided to be no case" in hits[1]["why"]


def test_an_explanation_holds_what_the_curators_know(client):
    """A reviewer must see why something is in a bank; a list on trial is told as such."""
    first, *_, last = client.get("/m/explain", **of_pdq(POSTER)).json["hits"]
    told = {key: first[key] for key in ("label", "entity", "note", "source", "marking", "distance", "threshold")}
    assert told == {
        "label": "poster", "entity": "Ninth Tide", "note": "report 7", "source": "Harbour Watch", "marking": "amber",
        "distance": 0, "threshold": 31,
    }  # fmt: skip
    assert (last["bank"], last["effect"]) == ("TRIAL", "shadow")


def test_a_text_is_sent_in_the_body_and_its_words_are_shown(client):
    """An address stands in logs of proxies; a body does not."""
    client.look_up.text(SONG)  # on a new machine this compiles the kernels, which takes longer than an answer may
    body = f'{{"text": "My uncle sent me this: {SONG[8:80]} and I do not know what to think."}}'
    answer = client.ask("POST", "/m/explain", body.encode(), {"Content-Type": "application/json"})
    [hit] = answer.json["hits"]
    assert (hit["entry_id"], hit["signal_type"]) == ("song", "text")
    assert "the ninth tide" in hit["alignment"]


def test_a_file_is_explained(client):
    """By whichever of its hashes there is something to say."""
    [hit] = client.send("/m/explain", drawing()).json["hits"]
    assert (hit["entry_id"], hit["signal_type"], hit["effect"]) == ("file", "sha256", "known")


def test_a_mirrored_picture_is_found_and_said_to_be_one(client):
    """The cheapest way around a list of pictures."""
    with Image.open(io.BytesIO(scene())) as image:
        mirrored = as_file(ImageOps.mirror(image), "PNG")
    row = client.get("/m/raw_lookup", signal_type="pdq", signal=client.send("/h/hash", scene()).json["pdq"]).json
    found = client.send("/m/lookup?types=pdq", mirrored).json["pdq"]["LAMPS"]
    assert [match["bank_content_id"] for match in found] == row["matches"]
    assert "mirrored" in client.send("/m/explain", mirrored).json["hits"][0]["alignment"]


def test_a_large_file_is_not_written_anywhere(home, tmp_path, monkeypatch):
    """Nothing of a material may stay where nobody looks after it; a temporary file could not be made here."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    large = as_file(Image.new("RGB", (1200, 1000), "white"), "BMP")
    assert len(large) > 3_000_000
    with serving(home) as client:
        answer = client.send("/h/hash?types=sha256", large)
    assert answer.json == {"sha256": hashlib.sha256(large).hexdigest()}


# --- what is refused


@pytest.mark.parametrize("path", ["/h/hash", "/m/lookup", "/m/explain", "/m/raw_lookup"])
def test_no_address_is_fetched(client, path):
    """HMA's `url` would make the server look at a channel, or inside a network, at anybody's word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        answer = client.get(path, url=f"http://127.0.0.1:{listener.getsockname()[1]}/poster.png")
        assert (answer.status, answer.json["where"]) == (403, "url")
        with pytest.raises(TimeoutError):
            listener.accept()


WRONG = {
    "no signal": ("/m/lookup?signal_type=pdq", 400),
    "no signal type": (f"/m/raw_lookup?signal={POSTER.hex()}", 400),
    "a hash of the wrong length": ("/m/lookup?signal_type=pdq&signal=abcd", 400),
    "a type that there is not": (f"/m/lookup?signal_type=tlsh&signal={POSTER.hex()}", 400),
    "no threshold": (f"/m/lookup_threshold?signal_type=pdq&signal={POSTER.hex()}", 400),
    "a threshold that is no number": (f"/m/lookup_threshold?signal_type=pdq&signal={POSTER.hex()}&threshold=-1", 400),
    "none of the nearest": (f"/m/lookup_topk?signal_type=pdq&signal={POSTER.hex()}&k=0", 400),
    "neither true nor false": (f"/m/raw_lookup?signal_type=pdq&signal={POSTER.hex()}&include_distance=2", 400),
    "a hash without file or address": ("/h/hash", 400),
    "an entry of another bank": ("/c/bank/LAMPS/content/1", 404),
    "an entry that there is not": ("/c/bank/TIDE/content/99999999999999999999", 404),
    "a path that there is not": ("/ui", 404),
}


@pytest.mark.parametrize(("path", "status"), WRONG.values(), ids=WRONG)
def test_wrong_questions_are_told_what_is_wrong(client, path, status):
    """With HMA's status and its `message`, and what to do."""
    answer = client.get(path)
    assert answer.status == status
    assert set(answer.json) == {"message", "what", "where", "do"}
    assert answer.json["do"]


@pytest.mark.parametrize(
    ("field", "content", "status"), [("photo", drawing()[:300], 422), ("photo", b"", 422), ("video", b"no film", 422),
                                     ("pdf", b"%PDF", 400), ("photo", bytes(300_000), 413)],
    ids=["damaged", "empty", "no film", "no content type", "too large"],
)  # fmt: skip
def test_wrong_files_are_told_what_is_wrong(client, field, content, status):
    """And the server goes on."""
    answer = client.send("/m/lookup", content, field)
    assert answer.status == status
    assert answer.json["do"]
    assert client.get("/status").status == 200


@pytest.mark.parametrize(
    ("kind", "body"),
    [("text/plain", b"a"), ("multipart/form-data", b"a"), (f"multipart/form-data; boundary={BOUNDARY}", b"garbage"),
     ("application/json", b'{"text": 3}'), ("application/json", b"[1]"), ("application/json", b"{")],
)  # fmt: skip
def test_a_body_that_is_no_question_is_refused(client, kind, body):
    """Each with 400, none with a fault of the program."""
    assert client.ask("POST", "/m/explain", body, {"Content-Type": kind}).status == 400


def test_two_files_are_refused(client):
    """HMA takes one a request."""
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\nab\r\n'
    body = f"{part}{part}--{BOUNDARY}--\r\n".encode()
    answer = client.ask("POST", "/h/hash", body, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"})
    assert answer.status == 400


def test_a_body_that_stops_is_given_up(client):
    """A connection that sends nothing more is answered and does not stay."""
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as connection:
        head = f"POST /h/hash HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        connection.sendall(f"{head}Content-Length: 1000\r\n\r\n--{BOUNDARY}".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(("method", "path"), [("POST", "/c/banks"), ("DELETE", "/c/bank/TIDE"), ("PUT", "/m/lookup")])
def test_nothing_is_changed_over_http(client, method, path):
    """People change banks, with their names and their reasons."""
    answer = client.ask(method, path, b"{}")
    assert answer.status == 405
    assert "antiphon bank" in answer.json["do"]


def test_a_server_with_a_token_answers_nobody_without_it(home):
    """Over the socket too, and the health without."""
    with serving(home, token=TOKEN) as client:
        assert client.get("/m/lookup", **of_pdq(POSTER)).status == 200
        client.token = "the-lamps-of-varnholt-pies"  # noqa: S105 - invented
        answer = client.get("/m/lookup", **of_pdq(POSTER))
        assert (answer.status, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert client.get("/status").status == 200


@pytest.mark.parametrize(("host", "token"), [("0.0.0.0", None), ("::", None), ("127.0.0.1", "short")])  # noqa: S104
def test_it_does_not_listen_where_anybody_could_ask(tmp_path, host, token):
    """Before a socket is open."""
    with pytest.raises(ConfigError):
        serve_look_up(tmp_path, host=host, port=0, token=token)


def test_a_port_that_is_taken_is_told(tmp_path):
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ConfigError, match="--port"):
        serve_look_up(tmp_path, port=taken.getsockname()[1])


# --- while it serves


def test_what_is_added_and_withdrawn_meanwhile_counts_within_a_second(tmp_path):
    """By another process, as the command line does it; no request is refused meanwhile."""
    with open_banks(tmp_path) as banks:
        banks.create(Bank("TIDE"), WHO)
        with serving(tmp_path) as client:
            assert client.get("/m/lookup", **of_pdq(POSTER)).json == {}
            banks.add(BankEntry("TIDE", "poster", "pdq", POSTER), WHO)
            assert client.until(True, "/m/raw_lookup", **of_pdq(POSTER)) < 2
            banks.withdraw("TIDE", ["poster"], WHO, "not theirs")
            assert client.until(False, "/m/raw_lookup", **of_pdq(POSTER)) < 2


def test_a_change_to_a_bank_as_a_whole_counts_too(tmp_path):
    """Thresholds and trials are no entries, but they decide what matches."""
    with open_banks(tmp_path) as banks:
        banks.create(Bank("TIDE"), WHO)
        banks.add(BankEntry("TIDE", "poster", "pdq", POSTER), WHO)
        with serving(tmp_path) as client:
            assert len(client.get("/m/raw_lookup", **of_pdq(NEAR)).json["matches"]) == 1
            banks.threshold("TIDE", "pdq", 2, WHO)
            client.until(False, "/m/raw_lookup", **of_pdq(NEAR))
            assert len(client.get("/m/raw_lookup", **of_pdq(POSTER)).json["matches"]) == 1


def test_many_at_once_each_get_their_own_answer_while_the_index_is_merged(tmp_path):
    """Batches, threads and a merge: nobody gets what another asked for, and nobody is refused."""
    values = [hashlib.sha256(bytes((number,))).digest() for number in range(48)]
    with open_banks(tmp_path) as banks:
        banks.create(Bank("TIDE"), WHO)
        for number, value in enumerate(values):
            banks.add(BankEntry("TIDE", f"e{number}", "pdq", value), WHO)
    with serving(tmp_path) as client:
        wrong: list[object] = []

        def ask(part: int) -> None:
            for number in range(part, len(values), 6):
                answer = client.get("/m/lookup_topk", k=3, **of_pdq(values[number]))
                if answer.status != 200 or [one["signal"] for one in answer.json["matches"]] != [values[number].hex()]:
                    wrong.append((number, answer))

        threads = [threading.Thread(target=ask, args=(part,)) for part in range(6)]
        for thread in threads:
            thread.start()
        client.look_up.merge()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_the_command_serves_until_it_is_told_to_end(tmp_path):
    """As an operator runs it: it says where it listens, answers with its token, and ends without a word."""
    initialise(tmp_path)
    program = "import sys; from antiphon.cli.look_up_server import serve; serve(['--port', '0'])"
    environment = os.environ | {"ANTIPHON_HOME": str(tmp_path), TOKEN_VARIABLE: TOKEN}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE, text=True) as run:
        told = run.stderr.readline()
        found = re.fullmatch(r"Answering look-ups on http://127\.0\.0\.1:(\d+); Ctrl-C ends it\.\n", told)
        assert found, told
        client = Client(int(found[1]), None, TOKEN)
        assert client.get("/c/banks").json == []
        run.send_signal(signal.SIGINT)
        assert (run.stderr.read(), run.wait(20)) == ("", 0)
