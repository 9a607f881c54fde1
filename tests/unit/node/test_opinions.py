"""Second opinions: only by a written policy, only on what is undecided, and every answer kept."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from antiphon import node
from antiphon.errors import ConfigError, InputError

CALL = "Comrades, storm the customs house of Veldra tonight and burn it down!"
ITALIAN = ["Oggi piove di nuovo e l'autobus per la stazione è in ritardo come sempre",
           "Ieri sera il treno era pieno e nessuno voleva scendere alla fermata giusta"]  # fmt: skip


class Endpoint(ThreadingHTTPServer):
    """An endpoint on this machine that answers every request in the same way, and keeps what it was asked."""

    def __init__(self, words: str) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.words, self.asked = words, []
        self.address = f"http://127.0.0.1:{self.server_port}/v1/chat/completions"


class Answering(BaseHTTPRequestHandler):
    """Answer with an opinion that rests on the endpoint's words."""

    def do_POST(self) -> None:
        """Keep the material, and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(json.loads(json.loads(body)["messages"][1]["content"])["material"])
        said = {
            "speech_act": "none",
            "context": "everyday",
            "directness": None,
            "words": self.server.words,
            "why": "Rain.",
        }
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"choices": [{"message": {"content": json.dumps(said)}}]}).encode())

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    """Return a running endpoint."""
    with Endpoint("piove") as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def out(tmp_path_factory, module_settings):
    """Return an output folder with a call, and two posts in a language that is not validated."""
    folder = tmp_path_factory.mktemp("opinions")
    posts = folder / "posts.jsonl"
    rows = [{"id": str(number), "text": text, "platform": "forum"} for number, text in enumerate([CALL, *ITALIAN])]
    posts.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    node.analyse(node.Options((posts,), folder / "out", workers=1), module_settings)
    return folder / "out"


@pytest.fixture(scope="module")
def module_settings(tmp_path_factory):
    """Return the settings of a node of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANTIPHON_HOME", str(tmp_path_factory.mktemp("home")))
        settings, _ = node.initialise()
        yield settings


@pytest.fixture
def policy(tmp_path, endpoint):
    """Return a written policy."""

    def write(**changed: object) -> node.Policy:
        path = tmp_path / "policy.json"
        path.write_text(json.dumps({"endpoint": endpoint.address, "model": "large-1", "decided_by": "head of unit",
                                    "reason": "trial", "at_most": 10, **changed}))  # fmt: skip
        return node.read_policy(path)

    return write


@pytest.fixture(autouse=True)
def forgotten(out):
    """Each test begins without opinions."""
    yield
    (out / "opinions.jsonl").unlink(missing_ok=True)


def test_only_the_undecided_are_asked_about(out, endpoint, policy):
    """What is clear needs no second opinion, and stays here."""
    records = list(node.ask_opinions(out, policy()))
    assert sorted(endpoint.asked) == sorted(ITALIAN)
    assert len(records) == 2
    assert (out / "opinions.jsonl").read_text(encoding="utf-8").count("\n") == 2


def test_an_answer_that_rests_on_other_words_is_kept_as_refused(out, policy):
    """One of the two posts has no rain in it."""
    opinions = ["opinion" in record for record in node.ask_opinions(out, policy())]
    assert sorted(opinions) == [False, True]


def test_nothing_is_asked_twice(out, endpoint, policy):
    """A run that was stopped goes on where it was."""
    assert len(list(node.ask_opinions(out, policy(at_most=1)))) == 1
    assert len(list(node.ask_opinions(out, policy()))) == 1
    assert len(endpoint.asked) == 2


def test_half_a_line_of_a_killed_run_is_asked_again(out, policy):
    """The file may end anywhere, and the run after the next can still read it."""
    (out / "opinions.jsonl").write_text('{"material_id": "x", "mod', encoding="utf-8")
    assert len(list(node.ask_opinions(out, policy()))) == 2
    assert list(node.ask_opinions(out, policy())) == []


def test_the_policy_bounds_what_is_sent(out, endpoint, policy):
    """In all, not only in this run."""
    list(node.ask_opinions(out, policy(at_most=1)))
    assert list(node.ask_opinions(out, policy(at_most=1))) == []
    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"endpoint": "http://models.example/v1"}, "neither https nor on this machine"),
        ({"endpoint": "file:///etc/passwd"}, "neither https nor on this machine"),
        ({"decided_by": " "}, "must say something"),
        ({"at_most": 0}, "a number from 1"),
        ({"more": 1}, "can't be read"),
    ],
)
def test_a_policy_that_says_too_little_is_refused(policy, changed, fault):
    """Somebody must have decided it, and nothing goes out in the clear."""
    with pytest.raises(ConfigError, match=fault):
        policy(**changed)


def test_an_endpoint_that_is_down_is_named(out, policy):
    """Nothing is lost, and the message says what to do."""
    with pytest.raises(InputError, match="can't be asked"):
        list(node.ask_opinions(out, policy(endpoint="http://127.0.0.1:9/v1")))
