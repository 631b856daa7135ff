from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.errors import UserError
from pairsmith.records import Candidate, Preference, Prompt, candidate_id, prompt_id
from pairsmith.redacting import Redactor

pytest.importorskip("phonenumbers")
pytest.importorskip("kingfisher_sdk")
HEX = "8f14e45fceea167a5a36dedd4bea2543"
LONG = "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4eFg7hIj0kLm3nOp6q"


@pytest.fixture(scope="module")
def all_kinds() -> Redactor:
    return Redactor(["email", "phone", "key"])


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Mail max.muster+shop@mail.example.co.uk, please.", "Mail [EMAIL], please."),
        ("<ann@example.com>;ben@example.org", "<[EMAIL]>;[EMAIL]"),
        ("_ann@example.com, ANN@EXAMPLE.COM- and .ann@example.com's", "[EMAIL], [EMAIL]- and .[EMAIL]'s"),
        ("müller@example.com, jörg@bücher.example, x@пример.рф", "[EMAIL], [EMAIL], [EMAIL]"),
        ("联系ann@example.com谢谢, x@163.com, ann@example.xn--p1ai", "联系[EMAIL]谢谢, [EMAIL], [EMAIL]"),
        ("Ring +49 30 901820 or +1 (415) 555-2671.", "Ring [PHONE] or [PHONE]."),
        (f"My key is sk-proj-{LONG}.", "My key is [KEY]."),
        ("AKIAIOSFODNN7EXAMPLE is the id", "[KEY] is the id"),
        (f"Authorization: Bearer {LONG}", "Authorization: Bearer [KEY]"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a!", "[KEY]!"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----\nbye", "[KEY]\nbye"),
        (r"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nbye", r"[KEY]\nbye"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----", "[KEY]"),
        (
            "It starts with -----BEGIN EC PRIVATE KEY----- and then come lines.",
            "It starts with [KEY] and then come lines.",
        ),
        (f"-----BEGIN EC PRIVATE KEY-----\n{LONG}\n{LONG}\ncut off", "[KEY]\ncut off"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "[KEY]"),
        (f"github_pat_{LONG}, xoxb-123456789012-abcdefghij", "[KEY], [KEY]"),
        ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[KEY]"),
        ("sk-ant-api03-abcdefghijklmnop and sk-1234567890abcdef1234567890abcdef", "[KEY] and [KEY]"),
        ('{"AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}', '{"AWS_SECRET_ACCESS_KEY": "[KEY]"}'),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6y.", "[KEY]."),
        ("postgres://postgres:postgres@db.example.com/x", "postgres://postgres:[KEY]@db.example.com/x"),
        ("joann@example.com, ann@example.com", "[EMAIL], [EMAIL]"),
        ("(415) 555-2671 or 415-555-2671", "[PHONE] or [PHONE]"),
        ("+1 555 123 4567, tel:+14155552671", "[PHONE], tel:[PHONE]"),
        ("0049 30 901820, (0049) 30/901820, call 1 +49 30 901820", "[PHONE], [PHONE], call 1 [PHONE]"),
    ],
)
def test_what_is_private_goes(all_kinds: Redactor, text: str, left: str) -> None:
    assert all_kinds.text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Order 4003-2234-1122-9981 of 2024-03-11 costs $1,299.00",
        "uuid 550e8400-e29b-41d4-a716-446655440000, commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "version 1.22.333-rc4, IP 192.168.100.200, ISBN 978-3-16-148410-0",
        f"session {HEX}",
        "The key is stored in $API_KEY; use api_key=YOUR_API_KEY_HERE",
        "a decorator: @cached def f(x), 5 @ 3 EUR, user@localhost, ann@192.168.1.1, a@b.c",
        "icon@2x.png, lodash@4.17.21.tgz, react@18.2.0, @types/node@18.0.0",
        "task-force sk-learn, Bearer of bad news",
        "order number 1234567890, order 415-555-2671-3, part A-415-555-2671, 100-200-3000",
        "10:00:00+0100, 5 +100200300400, +1.5, 1e+10, 0049309018, 00 49 apples",
        "sk-learn-compatible-estimators, sk-bratislava-2024-hockey-club, bearer internationalization-friendly",
        "see https://example.com:8080/a@b and ftp://example.com/",
    ],
)
def test_what_is_only_a_number_or_a_word_stays(all_kinds: Redactor, text: str) -> None:
    assert all_kinds.text(text) == text


def test_a_region_finds_its_own_numbers_but_no_bare_digits() -> None:
    german = Redactor(["phone"], "DE")

    assert german.text("Ring 030 901820, order 0301234567") == "Ring [PHONE], order 0301234567"
    assert german.counts == {"phone": 1}


def test_every_text_of_a_prompt_is_redacted_and_verdicts_still_fit() -> None:
    said = "Write to ann@example.com"
    messages = ({"role": "user", "content": said},)
    ident = prompt_id(messages, (), said, said)
    answers = (Candidate(f"{said} now", {"origin": said}), Candidate("No."))
    better, worse = (candidate_id(ident, one.content) for one in answers)
    prompt = Prompt(
        ident, messages, (), said, said, {"note": [said]}, 0, None, answers, (Preference(better, (worse,)),)
    )

    clean = Redactor(["email"]).prompt(prompt)

    assert "example.com" not in str(clean)
    assert clean.id == prompt_id(clean.messages, (), clean.reference, clean.system)
    better, worse = (candidate_id(clean.id, one.content) for one in clean.candidates)
    assert clean.preferences == (Preference(better, (worse,)),)


def test_answers_that_become_the_same_are_one_and_no_verdict_is_left_on_them() -> None:
    prompt = Prompt(prompt_id((), (), None, None), ())
    answers = (Candidate("a@example.com"), Candidate("b@example.com"))
    better, worse = (candidate_id(prompt.id, one.content) for one in answers)
    both = Prompt(prompt.id, (), candidates=answers, preferences=(Preference(better, (worse,)),))

    redactor = Redactor(["email"])
    clean = redactor.prompt(both)

    assert redactor.lost_verdicts == 1
    assert [one.content for one in clean.candidates] == ["[EMAIL]"]
    assert clean.preferences == ()


def test_who_gave_verdicts_the_rows_id_and_names_of_keys_are_texts_too_and_people_stay_apart() -> None:
    prompt = Prompt(prompt_id((), (), None, None), (), (), None, None, {"a@example.com": 1, "b@example.com": 2})
    answers = (Candidate("yes"), Candidate("no"))
    better, worse = (candidate_id(prompt.id, one.content) for one in answers)
    said = [Preference(better, (worse,), by=f"{name}@example.com") for name in ("ann", "ben", "ann")]
    prompt = replace(prompt, source_id="ann@example.com", candidates=answers, preferences=tuple(said))

    clean = Redactor(["email"]).prompt(prompt)

    assert "example.com" not in str(clean)
    assert [one.by for one in clean.preferences] == ["[EMAIL] 1", "[EMAIL] 2", "[EMAIL] 1"]
    assert list(clean.meta.values()) == [1, 2]
    assert clean.source_id == f"[EMAIL] {clean.id[:8]}"


def test_the_arguments_of_a_tool_call_are_redacted_and_stay_json() -> None:
    call = {"function": {"name": "mail", "arguments": '{"to": "ann@example.com"}'}}
    turns = ({"role": "user", "content": "Go"}, {"role": "assistant", "content": None, "tool_calls": [call]})

    clean = Redactor(["email"]).prompt(Prompt(prompt_id(turns, (), None, None), turns))

    assert clean.messages[1]["tool_calls"] == [{"function": {"name": "mail", "arguments": '{"to": "[EMAIL]"}'}}]


PIECES = st.sampled_from(
    [
        "a@b.de",
        "+49 30 901820",
        "415-555-2671",
        "://u:pw@",
        "sk-",
        "ghp_",
        LONG,
        HEX,
        "1",
        " ",
        "-",
        "@",
        "x",
        "[",
        "-----BEGIN PRIVATE KEY-----",
        "\n",
    ]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=8).map("".join))
def test_what_was_redacted_holds_nothing_more(text: str) -> None:
    redactor = Redactor(["email", "phone"])
    once = redactor.text(text)

    assert redactor.text(once) == once


@pytest.mark.parametrize(
    ("kinds", "region", "told"), [(["name"], None, "takes email, phone, key"), (["phone"], "de", "two capital")]
)
def test_what_it_cannot_do_is_said(kinds: list[str], region: str | None, told: str) -> None:
    with pytest.raises(UserError, match=told):
        Redactor(kinds, region)
