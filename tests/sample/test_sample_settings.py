import pytest
from pydantic import ValidationError

from pairsmith.sample.settings import SampleSettings


def test_a_single_number_or_word_stands_for_a_list_of_one() -> None:
    settings = SampleSettings(endpoints="student", temperature=0.7, top_k=20, top_p=0.9, system="expert.md")

    assert (settings.endpoints, settings.temperature, settings.top_k) == (("student",), (0.7,), (20,))
    assert (settings.top_p, settings.system) == ((0.9,), ("expert.md",))


def test_lists_come_as_toml_gives_them() -> None:
    settings = SampleSettings.model_validate({"temperature": [0, 1], "arms": []})

    assert settings.temperature == (0.0, 1.0)


@pytest.mark.parametrize(
    "fields",
    [
        {"completions": 1},
        {"completions": 65},
        {"max_tokens": 0},
        {"temperature": 2.1},
        {"temperature": [0.5, -0.1]},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_p": 1.01},
        {"top_k": -2},
        {"max_screened": 1.5},
        {"temprature": 1},
        {"arms": [{"temperature": 3}]},
        {"arms": [{"name": ""}]},
        {"arms": [{"heat": 1}]},
    ],
)
def test_what_is_out_of_range_or_unknown_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SampleSettings.model_validate(fields)


@pytest.mark.parametrize("top_k", [-1, 0, 1, 100])
def test_top_k_may_ask_for_all_tokens_in_either_spelling(top_k: int) -> None:
    assert SampleSettings(top_k=top_k).top_k == (top_k,)


@pytest.mark.parametrize("field", ["endpoints", "system", "temperature", "top_k"])
def test_a_value_named_twice_is_refused_with_the_way_to_more_draws(field: str) -> None:
    value = 1 if field in ("temperature", "top_k") else "a"

    with pytest.raises(ValidationError, match="named 2 times; for more draws of it raise completions"):
        SampleSettings.model_validate({field: [value, value]})


def test_tables_of_arms_beside_lists_are_refused_in_one_sentence() -> None:
    with pytest.raises(ValidationError, match=r"arms and temperature, system both say how to sample: move temp"):
        SampleSettings.model_validate({"temperature": 1, "system": "plain", "arms": [{"top_k": 20}]})


@pytest.mark.parametrize("names", [["hot", "hot"], ["given"]])
def test_a_name_that_another_arm_or_the_candidates_have_is_refused(names: list[str]) -> None:
    with pytest.raises(ValidationError, match="is taken"):
        SampleSettings.model_validate({"arms": [{"name": name} for name in names]})


def test_arms_without_a_name_do_not_collide() -> None:
    assert len(SampleSettings.model_validate({"arms": [{"top_k": 1}, {"top_k": 2}]}).arms) == 2


def test_system_names_lists_each_file_once_wherever_it_is_named() -> None:
    lists = SampleSettings(system=["plain", "expert.md"])
    tables = SampleSettings.model_validate({"arms": [{"system": "a"}, {}, {"system": "b"}, {"system": "a"}]})

    assert lists.system_names == ("plain", "expert.md")
    assert tables.system_names == ("a", "b")
