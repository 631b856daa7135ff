from pathlib import Path

import pytest
from simulator_client import Client

from pairsmith.simulator import Settings, Simulator, running

KETTLE = "How do I descale a kettle?"


def test_the_same_body_and_key_give_the_same_bytes_on_another_server(client: Client, book_folder: Path) -> None:
    with running(Settings(book=book_folder)) as other, Client(other.base_url) as second:
        for prompt in (KETTLE, "How do I fold a map?"):
            first = client.chat(prompt, key="k1", temperature=1.0)

            assert first.raw == second.chat(prompt, key="k1", temperature=1.0).raw


def test_the_order_of_the_keys_of_a_body_does_not_matter(client: Client) -> None:
    messages = [{"role": "user", "content": "How do I fold a map?"}]
    one = client.post("/v1/chat/completions", {"model": "sim-student", "messages": messages, "seed": 3})
    two = client.post("/v1/chat/completions", {"seed": 3, "messages": messages, "model": "sim-student"})

    assert one.raw == two.raw


def test_another_key_another_seed_or_another_server_seed_may_give_another_text(client: Client) -> None:
    texts = {client.chat(KETTLE, key=f"k{i}").text for i in range(30)}
    by_seed = {client.chat(KETTLE, seed=i).text for i in range(30)}
    with running(Settings(seed=7)) as other, Client(other.base_url) as second:
        elsewhere = second.chat("How do I fold a map?", temperature=0).text

    assert len(texts) == len(by_seed) == 6
    assert elsewhere != client.chat("How do I fold a map?", temperature=0).text


def test_every_reply_says_it_is_simulated_and_what_it_cost(client: Client) -> None:
    got = client.chat("How do I fold a map?", model="sim-student").json

    assert got["simulated"] is True
    assert got["model"] == "sim-student"
    assert got["object"] == "chat.completion"
    usage = got["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == -(-len(got["choices"][0]["message"]["content"]) // 4)
    assert client.chat("x", model="nobody").json["simulated"] is True


def test_n_gives_so_many_choices(client: Client) -> None:
    choices = client.chat(KETTLE, n=8, temperature=1.0).json["choices"]

    assert [choice["index"] for choice in choices] == list(range(8))
    assert len({choice["message"]["content"] for choice in choices}) > 2


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_a_token_limit_cuts_the_text(client: Client, name: str) -> None:
    whole, cut = client.chat(KETTLE, temperature=0), client.chat(KETTLE, temperature=0, **{name: 5})

    assert cut.choice["finish_reason"] == "length"
    assert whole.choice["finish_reason"] == "stop"
    assert cut.text == whole.text[:20]
    assert cut.json["usage"]["completion_tokens"] == 5


def test_truth_knows_the_book_composed_texts_and_nothing_else(client: Client) -> None:
    composed = client.chat("How do I fold a map?").text
    cut_off = client.chat(KETTLE, model="sim-strong", temperature=0, max_tokens=20).text
    texts = ["\n too late, sorry, rules are rules ", composed, "Somebody wrote this by hand.", "", cut_off]

    book, planted, unknown, nothing, cut = client.truth(texts)

    assert book == 1.2
    assert planted is not None
    assert 1 <= planted <= 10
    assert unknown is None
    assert nothing is None
    assert cut == 7.4


def test_models_are_listed_with_and_without_v1(client: Client) -> None:
    listed = client.send("GET", "/v1/models").json

    assert {"sim-student", "sim-judge"} <= {model["id"] for model in listed["data"]}
    assert client.send("GET", "/models").json == listed


def test_an_unknown_model_is_a_404_in_openais_shape(client: Client) -> None:
    got = client.chat("Hello", model="gpt-9")

    assert got.status == 404
    assert got.json["error"]["code"] == "model_not_found"


def test_a_suffix_makes_another_model_of_the_same_kind(client: Client) -> None:
    got = client.chat(KETTLE, model="sim-strong@b", temperature=0)

    assert got.json["model"] == "sim-strong@b"
    assert client.truth([got.text]) == [9.4]


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"model": "sim-student", "messages": []}',
        b'{"model": "sim-student", "messages": [{"role": "user", "content": "x"}], "temperature": "hot"}',
        b'{"model": "sim-student", "messages": [{"role": "user", "content": "x"}], "stream": true}',
        b'{"model": "sim-student", "messages": [{"role": "user", "content": "x"}], "n": 1000}',
    ],
)
def test_a_body_that_is_no_request_is_a_400(client: Client, raw: bytes) -> None:
    got = client.send("POST", "/v1/chat/completions", raw)

    assert got.status == 400
    assert got.json["error"]["message"]


def test_a_prompt_beyond_the_context_is_refused(client: Client) -> None:
    got = client.chat("long " * 120_000)

    assert got.status == 400
    assert got.json["error"]["code"] == "context_length_exceeded"


def test_a_lone_surrogate_in_a_prompt_is_taken(client: Client) -> None:
    raw = rb'{"model": "sim-student", "messages": [{"role": "user", "content": "half \ud83d of it"}]}'

    assert client.send("POST", "/v1/chat/completions", raw).status == 200


def test_content_may_come_in_parts(client: Client) -> None:
    parts = [{"type": "text", "text": KETTLE}]
    messages = [{"role": "user", "content": parts}]

    got = client.post("/v1/chat/completions", {"model": "sim-strong", "messages": messages, "temperature": 0})

    assert client.truth([got.text]) == [9.4]


def test_a_missing_or_wrong_key_is_a_401_that_echoes_part_of_it() -> None:
    with running(Settings(require_key="sk-right")) as simulator, Client(simulator.base_url) as client:
        body = {"model": "sim-student", "messages": [{"role": "user", "content": "Hi"}]}
        missing = client.post("/v1/chat/completions", body)
        wrong = client.post("/v1/chat/completions", body, Authorization="Bearer sk-wrong-key-1234")
        right = client.post("/v1/chat/completions", body, Authorization="Bearer sk-right")

        assert [missing.status, wrong.status, right.status] == [401, 401, 200]
        assert "1234" in wrong.json["error"]["message"]
        assert "wrong-key" not in wrong.json["error"]["message"]
        assert client.send("GET", "/v1/models").status == 401


def test_stats_count_requests_keys_models_and_statuses(book_folder: Path) -> None:
    with running(Settings(book=book_folder)) as simulator, Client(simulator.base_url) as client:
        for key in ("a", "a", "b"):
            client.chat(KETTLE, key=key)
        client.chat(KETTLE, model="nobody")

        stats = client.stats()

        assert stats["requests"] == 4
        assert stats["by_model"] == {"sim-student": 3}
        assert stats["by_status"] == {"200": 3, "404": 1}
        assert stats["keys"] == {"a": 2, "b": 1}
        assert stats["max_in_flight"] == 1
        assert stats["in_flight"] == 0
        assert stats["largest_window"] == 4
        assert stats["first_request_s"] <= stats["last_answer_s"]
        assert simulator.stats.requests == 4

        client.post("/reset", {})

        assert client.stats()["requests"] == 0
        assert client.stats()["keys"] == {}


def test_latency_can_be_set_while_it_runs(simulator: Simulator, client: Client) -> None:
    client.post("/settings", {"latency_s": 0.05})
    before = client.stats()
    client.chat(KETTLE, key="slow")
    after = client.stats()
    told = client.post("/settings", {"latency_s": 0.0}).json

    assert after["last_answer_s"] - before["last_answer_s"] >= 0.05
    assert (told["latency_s"], told["latency_sigma"]) == (0.0, 0.0)


def test_settings_that_are_not_named_stay_as_they_are(simulator: Simulator, client: Client) -> None:
    client.post("/settings", {"latency_sigma": 0.5, "requests_per_minute": 1000})
    told = client.post("/settings", {"latency_sigma": 0.0}).json
    client.post("/settings", {"requests_per_minute": None})

    assert told == {
        "latency_s": 0.0,
        "latency_sigma": 0.0,
        "requests_per_minute": 1000,
        "tokens_per_minute": None,
        "limit_headers": True,
        "max_concurrent": None,
    }


def test_a_setting_that_cannot_be_changed_is_refused_by_name(client: Client) -> None:
    got = client.post("/settings", {"seed": 3})

    assert got.status == 400
    assert "seed" in got.json["error"]["message"]


def test_lognormal_latency_differs_from_request_to_request() -> None:
    with running(Settings(latency_s=0.01, latency_sigma=1.0)) as simulator, Client(simulator.base_url) as client:
        took = []
        for i in range(20):
            before = client.stats()["last_answer_s"] or 0.0
            client.chat(KETTLE, key=str(i))
            took.append(client.stats()["last_answer_s"] - before)

    assert max(took[1:]) > 2 * min(took[1:])
