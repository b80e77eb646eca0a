"""What the launcher says."""

import pytest

from exam_portal.local.terminal import say, step, table, width


def test_chinese_characters_count_as_two_columns() -> None:
    assert width("abc") == 3
    assert width("考生ab") == 6
    assert width("\U00020000·") == 3  # a rare character of Extension B, and the dot of minority names


def test_columns_of_a_table_line_up_whatever_is_in_them() -> None:
    lines = table([["name", "who"], ["考生", "x"], ["a", "半途"]]).splitlines()
    assert lines == ["name  who", "────  ────", "考生  x", "a     半途"]


def test_a_step_says_how_long_it_took(capsys: pytest.CaptureFixture[str]) -> None:
    with step("counting"):
        pass
    assert capsys.readouterr().out == "· counting: 0.0 s\n"


def test_a_closed_terminal_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(*_args: object, **_options: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("builtins.print", closed)
    say("nobody listens")
