"""Operations of migrations."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently


class AddIndexOnce(AddIndexConcurrently):
    """As Django's, in a migration that may be run again after an interruption.

    An index that is there already stays; one that the interruption left behind invalid is made anew.
    """

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        name = schema_editor.quote_name(self.index.name)
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [name])
            found = cursor.fetchone()
        if found == (True,):
            return
        if found:
            schema_editor.execute(f"DROP INDEX CONCURRENTLY {name}")
        super().database_forwards(app_label, schema_editor, from_state, to_state)
