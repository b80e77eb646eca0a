"""What staff changed, as a file sees it afterwards: it is theirs, and `apply` keeps it (R01)."""

from pathlib import Path

import pytest

from accounts.models import Point
from registration.models import Exam, ExamRegion
from registration.services.exam_year import (
    ExamYearRefused,
    Verdict,
    apply_exam_year,
    export_exam_year,
    plan_exam_year,
)
from tests.registration.changing import BEFORE, administrator, approve, beijing, propose
from tests.registration.exam_years import HEALTH, PATH, edited, telephone

pytestmark = pytest.mark.django_db

SOURCE = "institutions.33.points.3301.source"


def verdicts(path: Path) -> dict[str, Verdict]:
    return {difference.path: difference.verdict for difference in plan_exam_year(path=path).differences}


@pytest.fixture
def zhejiang(db: None) -> ExamRegion:
    apply_exam_year(path=HEALTH)
    return ExamRegion.objects.select_related("exam", "region").get(region="33")


def hangzhou() -> Point:
    return Point.objects.select_related("region").get(pk="3301")


@pytest.mark.rule("R01")
def test_what_staff_changed_is_kept_by_the_next_apply(zhejiang: ExamRegion, tmp_path: Path) -> None:
    later = beijing(2023, 12, 22, 17)
    approve(propose(zhejiang, administrator("33"), confirmation_closes_at=later), administrator("33"))
    propose(zhejiang.exam, administrator(""), at=BEFORE, alone=True, closes_at=beijing(2023, 12, 16))
    propose(hangzhou(), administrator("33"), at=BEFORE, alone=True, telephone="0571-2", vouched=True)
    changed = {
        "exam.closes_at": Verdict.KEPT,
        "exam.source": Verdict.KEPT,
        "regions.33.confirmation_closes_at": Verdict.KEPT,
        PATH: Verdict.KEPT,
        SOURCE: Verdict.KEPT,
    }
    assert verdicts(HEALTH) == changed
    path = edited(tmp_path, ('title = "2024年度', 'title = "二〇二四年度'))
    # The title stands in the same entry as the window: its grade stays, the file's being the better one.
    assert apply_exam_year(path=path).plan.counts["kept"] == 5
    zhejiang.refresh_from_db()
    exam = Exam.objects.get(code="2024-health")
    assert zhejiang.confirmation_closes_at == later
    assert (exam.closes_at, exam.source) == (beijing(2023, 12, 16), "staff")
    assert exam.title.startswith("二〇二四年度")
    assert (hangzhou().telephone, hangzhou().source) == ("0571-2", "staff")
    assert verdicts(path) == changed


def test_the_file_is_taken_over_staff_only_where_that_is_said(zhejiang: ExamRegion, tmp_path: Path) -> None:
    propose(hangzhou(), administrator("33"), at=BEFORE, alone=True, telephone="0571-2", vouched=True)
    path = edited(tmp_path, telephone("0571-1"))
    # The number that the file brings is invented, so what staff vouched for does not cover it.
    assert verdicts(path) == {PATH: Verdict.CONFLICT, SOURCE: Verdict.CONFLICT}
    with pytest.raises(ExamYearRefused):
        apply_exam_year(path=path)
    assert (hangzhou().telephone, hangzhou().example) == ("0571-2", False)
    apply_exam_year(path=path, take="file")
    assert (hangzhou().telephone, hangzhou().example) == ("0571-1", True)
    assert Exam.objects.get(code="2024-health").example


def test_an_invented_value_that_a_file_brings_is_not_covered_by_what_staff_vouched_for(
    zhejiang: ExamRegion, tmp_path: Path
) -> None:
    propose(hangzhou(), administrator("33"), at=BEFORE, alone=True, vouched=True)
    path = edited(tmp_path, telephone("0571-1"))
    assert verdicts(path) == {PATH: Verdict.FROM_FILE, SOURCE: Verdict.FROM_FILE}
    apply_exam_year(path=path)
    assert (hangzhou().telephone, hangzhou().source) == ("0571-1", "example")


def test_an_export_holds_what_staff_changed_with_its_grade(zhejiang: ExamRegion, tmp_path: Path) -> None:
    propose(hangzhou(), administrator("33"), at=BEFORE, alone=True, telephone="0571-2", vouched=True)
    propose(zhejiang, administrator("33"), at=BEFORE, alone=True, notice="## 新通知", vouched=True)
    export = tmp_path / "export.toml"
    export.write_text(export_exam_year(code="2024-health"), encoding="utf-8")
    assert apply_exam_year(path=export).plan.differences == []
    zhejiang.refresh_from_db()
    assert (hangzhou().source, zhejiang.source) == ("staff", "staff")
