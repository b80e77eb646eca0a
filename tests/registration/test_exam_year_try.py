import time
import pytest
from django.core.management import call_command
from registration.services.exam_year import *
from registration.models import *
from accounts.models import *

pytestmark = pytest.mark.django_db

def test_try(django_assert_num_queries, capsys, tmp_path):
    from django.test.utils import CaptureQueriesContext
    from django.db import connection
    for name in ("2024-health", "2024-nurse", "2023-health"):
        t = time.time()
        with CaptureQueriesContext(connection, ) as q:
            a = apply_exam_year(path=SHIPPED / f"{name}.toml", progress=print)
        print(name, a.written, a.plan.counts, a.plan.unchanged, len(q), time.time() - t)
        with CaptureQueriesContext(connection, ) as q:
            a = apply_exam_year(path=SHIPPED / f"{name}.toml")
        assert not a.written and not a.plan.differences
        print(len(q))
        print("\n".join(x["sql"][:150] for x in q))
    for name in ("2024-health", "2024-nurse", "2023-health"):
        f = tmp_path / f"{name}-x.toml"
        f.write_text(export_exam_year(code=name))
        a = apply_exam_year(path=f)
        print(a.plan.counts, a.written, len(f.read_text().splitlines()))
        assert not a.plan.differences, a.plan.differences[:5]
        call_command("exam_year", "plan", str(f))
    print((tmp_path / "2024-health-x.toml").read_text()[:9000])
    assert 0
