"""Whatever the code records has words that staff can read."""

import ast
import re
from pathlib import Path

from django.conf import settings
from django.utils import translation

from accounts import ledger_words
from registration.lifecycle import BY_NAME
from registration.models import ExamYearChange

APPS = ("accounts", "registration", "confirmation", "review", "exam_portal")
ACTION = re.compile(r"[a-z_]+\.[a-z_]+")
OTHERS = {"exam.form_prefix"}  # looks like an action and is none

COMPOSED = {f"application.{name}" for name in BY_NAME} | {f"exam_year.{state}" for state in ExamYearChange.State}


def recorded() -> tuple[set[str], set[str], set[str]]:
    """What the code gives to functions that record: actions, beginnings of composed ones, and names of streams."""
    actions, composed, streams = set(), set(), set()
    for path in (path for app in APPS for path in (Path(settings.BASE_DIR) / app).rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if "services" not in path.parts:
                continue
            named = {keyword.arg: keyword.value for keyword in call.keywords}
            for value in (*call.args, *named.values()):
                if isinstance(value, ast.Constant) and ACTION.fullmatch(str(value.value)):
                    actions.add(str(value.value))
                if isinstance(value, ast.JoinedStr) and "record" in ast.unparse(call.func):
                    composed.add(str(getattr(value.values[0], "value", "")))
            if stream := named.get("stream"):
                streams |= {str(part.value) for part in ast.walk(stream) if isinstance(part, ast.Constant)}
    return actions - OTHERS, composed, streams


def test_every_action_and_stream_that_the_code_records_has_a_word() -> None:
    actions, composed, streams = recorded()
    assert len(actions) > 25
    assert actions - set(ledger_words.ACTIONS) == set()
    assert streams - set(ledger_words.STREAMS) == set()
    # Composed of the tables that there are to compose from; others are written out.
    assert composed == {"application.", "exam_year."}
    assert COMPOSED - set(ledger_words.ACTIONS) == set()


def test_every_word_is_of_an_action_that_the_code_records() -> None:
    actions, _composed, streams = recorded()
    assert set(ledger_words.ACTIONS) - actions - COMPOSED == set()
    assert set(ledger_words.STREAMS) == streams


def test_words_stand_in_one_group_and_are_chinese_for_chinese_readers() -> None:
    assert sum(len(words) for *_of, words in ledger_words.GROUPS) == len(ledger_words.ACTIONS)
    with translation.override("zh-hans"):
        for action in ledger_words.ACTIONS:
            assert re.search(r"[\u4e00-\u9fff]", ledger_words.action_words(action)), action


def test_every_detail_that_the_code_records_has_a_word() -> None:
    found = {"created", "changed", "removed", "kept", "conflicts"}  # plan.counts
    how = {"stream", "stream_id", "action", "actor", "reason", "at", "payload", None}
    for path in (path for app in APPS for path in (Path(settings.BASE_DIR) / app).rglob("services/**/*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            if re.search(r"\b_?(record|record_about|added|move)$", ast.unparse(call.func)):
                found |= {keyword.arg for keyword in call.keywords} - how - {"application", "name"}
                payloads = [keyword.value for keyword in call.keywords if keyword.arg == "payload"]
                keys = [key for payload in payloads if isinstance(payload, ast.Dict) for key in payload.keys]
                found |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    assert len(found) > 20
    assert found - set(ledger_words.DETAILS) == ledger_words.UNTOLD


def test_details_are_words_where_there_are_any_and_digests_are_short() -> None:
    with translation.override("zh-hans"):
        told = ledger_words.details(
            {
                "role": "site_clerk",
                "fields": ["name", "x"],
                "old": "a" * 64,
                "kind": "taken",
                "assignment": 3,
                "replaced": True,
                "by": "totp",
                "never": "heard",
            }
        )
    assert told.split(" · ") == [
        "角色 报名点经办人",
        "项目 姓名, x",
        "原摘要 aaaaaaaa…",
        "种类 他人用我的证件号码注册",
        "取代原有方式 是",
        "方式 验证器应用",
        "never heard",
    ]
    assert ledger_words.action_words("never.heard") == "never.heard"
