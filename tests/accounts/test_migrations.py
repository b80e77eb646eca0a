"""Migrations that meet what is there already: names that are one, indexes that are half made."""

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management.base import CommandError
from django.db import connection, models
from django.db.migrations.state import ProjectState

from accounts.models import User
from exam_portal.kit.migrations import AddIndexOnce
from tests.factories import UserFactory


@pytest.mark.django_db
def test_names_that_become_one_are_listed_before_anything_is_changed() -> None:
    refuse = import_module("accounts.migrations.0008_sign_in_name").refuse_the_same_names
    UserFactory(username="wangfang")
    with connection.schema_editor(atomic=False) as editor:
        refuse(apps, editor)
        editor.execute("ALTER TABLE accounts_user DROP CONSTRAINT user_sign_in_name_once")
        for username in ("wang-fang", "lina", "li-na", "l-ina"):
            UserFactory(username=username)
        with pytest.raises(CommandError) as refused:
            refuse(apps, editor)
    assert str(refused.value).splitlines()[1:] == ["l-ina, li-na, lina", "wang-fang, wangfang"]
    assert User.objects.count() == 5


INDEX = models.Index(fields=["at", "id"], name="ledger_by_time")


def state_of_index() -> tuple[int, bool] | None:
    """Number and validity of the index, if it is there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid, indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [INDEX.name])
        return cursor.fetchone()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ("SELECT 1", True),
        ("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ledger_by_time'::regclass", False),
        ("DROP INDEX ledger_by_time", False),
    ],
    ids=["made", "half made", "not made"],
)
def test_an_index_is_made_once_however_often_the_migration_runs(before: str, kept: bool) -> None:
    first = state_of_index()
    with connection.cursor() as cursor:
        cursor.execute(before)
    state: Any = ProjectState.from_apps(apps)
    with connection.schema_editor(atomic=False) as editor:
        AddIndexOnce(model_name="ledgerevent", index=INDEX).database_forwards("accounts", editor, state, state)
    after = state_of_index()
    assert after is not None and after[1]
    assert (after == first) is kept
