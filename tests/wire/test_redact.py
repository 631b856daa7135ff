from hypothesis import given
from hypothesis import strategies as st

from pairsmith.wire.faults import redact

keys = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_."), min_size=12, max_size=60)


@given(st.data(), keys, st.text(max_size=30), st.text(max_size=30))
def test_no_eight_characters_of_a_key_are_left(data: st.DataObject, key: str, before: str, after: str) -> None:
    start = data.draw(st.integers(0, len(key) - 8))
    end = data.draw(st.integers(start + 8, len(key)))

    shown = redact(before + key[start:end] + after + key, [key])

    assert not any(key[i : i + 8] in shown for i in range(len(key) - 7))


def test_two_keys_that_overlap_are_both_taken_out() -> None:
    assert redact("aaaabbbbccccdddd", ["aaaabbbbcccc", "bbbbccccdddd"]) == "[key]"


def test_what_has_the_shape_of_a_key_is_taken_out_though_it_is_nobodys() -> None:
    assert redact("Incorrect API key provided: sk-proj-abc***xyz.", []) == "Incorrect API key provided: [key]"


def test_a_key_of_any_shape_that_the_server_has_half_masked_is_taken_out_whole() -> None:
    assert redact("Incorrect API key: canar********pQ1s.", ["canary-0123456789pQ1s"]) == "Incorrect API key: [key]"


def test_a_key_of_one_letter_does_not_eat_the_message() -> None:
    assert redact("a bad gateway", ["a", ""]) == "a bad gateway"


def test_a_long_message_is_redacted_at_once() -> None:
    key = "k" * 8 + "0123456789abcdef" * 10

    assert "[key]" in redact("x" * 500 + key, [key])
