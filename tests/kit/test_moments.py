"""Days and moments as people write them, up to the ends of the calendar."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from exam_portal.clock import BEIJING
from exam_portal.kit import moments
from exam_portal.kit.forms import DayField
from registration.admin.forms import DaysField, MomentField

NOBODY_MEANS = ["0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31"]


@pytest.mark.parametrize("typed", NOBODY_MEANS)
def test_a_day_that_nobody_means_is_told_so(typed: str) -> None:
    for field, text in (
        (DayField(), typed),
        (DaysField(), f"2024-04-13 {typed}"),
        (MomentField(), f"{typed} 00:00"),
        (MomentField(), f"{typed}T00:00+14:00"),
        (MomentField(ends=True), f"{typed} 24:00"),
    ):
        with pytest.raises(ValidationError) as wrong:
            field.clean(text)
        assert [error.code for error in wrong.value.error_list] == ["invalid"], text


def test_the_first_and_the_last_day_are_days_like_others() -> None:
    assert DayField().clean("1900-01-01") == date(1900, 1, 1)
    assert DayField().clean("2999-12-31") == date(2999, 12, 31)
    last = MomentField(ends=True).clean("2999-12-31 24:00")
    assert last == datetime(3000, 1, 1, tzinfo=BEIJING)
    assert last.astimezone(UTC).isoformat() == "2999-12-31T16:00:00+00:00"


def test_a_day_begins_and_ends_in_beijing() -> None:
    day = date(2023, 12, 14)
    assert moments.begins(day) == datetime(2023, 12, 13, 16, tzinfo=UTC)
    assert moments.ends(day) - moments.begins(day) == timedelta(days=1)
    assert moments.ended_day(moments.ends(day)) == day
    assert moments.ended_day(moments.ends(day).astimezone(UTC)) == day
    assert moments.ended_day(moments.ends(day) - timedelta(minutes=1)) is None


def test_the_end_of_a_day_is_typed_and_shown_as_its_24_00() -> None:
    field, other = MomentField(ends=True), MomentField()
    closes = field.clean("２０２３-12-14 24:00")
    assert closes == moments.ends(date(2023, 12, 14))
    assert field.prepare_value(closes) == "2023-12-14 24:00"
    assert other.clean("2023-12-14 24:00") == closes
    assert other.prepare_value(closes) == datetime(2023, 12, 15)  # noqa: DTZ001 - as the widget writes it
    with translation.override("zh-hans"):
        assert moments.end(closes) == "2023年12月14日 24:00"
