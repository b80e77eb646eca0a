"""On how many days before a deadline candidates are reminded: a datum of the exam year (R17)."""

from pathlib import Path

import pytest
from django.db import IntegrityError

from registration.models import Exam, ExamYearChange
from registration.services.exam_year import Verdict, apply_exam_year, plan_exam_year
from registration.services.exam_year.reading import ExamYearRefused, read
from registration.services.exam_year.schema import validate
from tests.registration.exam_years import HEALTH, NURSE, edited
from tests.staff.exam_year import browser, edit_url, filled, preview

pytestmark = pytest.mark.rule("R17")
LINE = "reminder_days = [7, 3, 1]"


def test_a_file_may_leave_them_out_and_their_order_makes_no_difference(tmp_path: Path) -> None:
    assert validate(read(NURSE)).exam.reminder_days == [7, 3, 1]
    assert validate(read(edited(tmp_path, (LINE, "reminder_days = [2, 10]")))).exam.reminder_days == [10, 2]
    assert validate(read(edited(tmp_path, (LINE, "reminder_days = []")))).exam.reminder_days == []


@pytest.mark.parametrize(
    ("days", "path", "reason"),
    [
        ("[0]", "exam.reminder_days.0", "greater than or equal to 1"),
        ("[7, 61]", "exam.reminder_days.1", "less than or equal to 60"),
        ("[7, 7]", "exam.reminder_days", "names a day twice"),
        ('["7"]', "exam.reminder_days.0", "integer"),
    ],
)
def test_days_that_nobody_means_are_told(tmp_path: Path, days: str, path: str, reason: str) -> None:
    with pytest.raises(ExamYearRefused) as refused:
        validate(read(edited(tmp_path, (LINE, f"reminder_days = {days}"))))
    (problem,) = refused.value.problems
    assert problem.path == path and reason in problem.reason


@pytest.mark.django_db
def test_a_changed_file_plans_and_brings_them(tmp_path: Path) -> None:
    apply_exam_year(path=HEALTH)
    path = edited(tmp_path, (LINE, "reminder_days = [5]"))
    (difference,) = plan_exam_year(path=path).differences
    found = (difference.path, difference.verdict, difference.database, difference.file)
    assert found == ("exam.reminder_days", Verdict.FROM_FILE, [7, 3, 1], [5])
    apply_exam_year(path=path)
    assert Exam.objects.get().reminder_days == [5]


@pytest.mark.django_db
@pytest.mark.parametrize("days", [[0], [61], [7, 0]])
def test_the_database_refuses_others(exam: Exam, days: list[int]) -> None:
    exam.reminder_days = days
    with pytest.raises(IntegrityError, match="exam_reminder_days"):
        exam.save()


@pytest.mark.django_db
def test_staff_change_them_as_people_write_them(exam: Exam) -> None:
    client = browser("")
    assert filled(client, exam)["reminder_days"] == "7 3 1"
    page = preview(client, exam, reminder_days="２，10、2")
    assert not page.context["form"].errors
    assert "10, 2" in page.content.decode()
    client.post(edit_url(exam), filled(client, exam, act="propose", reminder_days="2 10"))
    assert ExamYearChange.objects.get().new["reminder_days"] == [10, 2]


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["0", "61 7", "often", "-1", "99999999999999999999"])
def test_a_mistake_of_staff_is_told_beside_the_field(exam: Exam, typed: str) -> None:
    page = preview(browser(""), exam, reminder_days=typed)
    assert set(page.context["form"].errors) == {"reminder_days"}
    assert not ExamYearChange.objects.exists()
