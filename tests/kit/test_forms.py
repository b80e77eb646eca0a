"""Fields of the kit: what is pasted is understood, and nothing is cut off."""

import pytest
from django import forms

from exam_portal.kit.forms import DigitsField, MonthField, TelephoneField


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("138 0013 8000", "13800138000"),
        ("+86 13800138000", "13800138000"),
        ("+86 138-0013-8000", "13800138000"),
        ("0086 138 0013 8000", "13800138000"),
        ("86 138 0013 8000", "13800138000"),
        ("(+86)138 0013 8000", "13800138000"),
        ("＋８６ １３８００１３８０００", "13800138000"),
        ("138\u20110013\u20138000", "13800138000"),
        ("0731-8480 0000", "073184800000"),
        ("(0731) 8480.0000", "073184800000"),
        ("+86 731 8480 0000", "073184800000"),
        ("+86 (0)731 8480 0000", "073184800000"),
        ("+86 10 8480 0000", "01084800000"),
        # Left as they are: none of China, or none at all.
        ("+852 9123 4567", "+85291234567"),
        ("8613800", "8613800"),
        ("+86", "+86"),
    ],
)
def test_a_telephone_number_is_as_dialled_however_it_is_pasted(typed: str, number: str) -> None:
    assert TelephoneField(max_length=13).clean(typed) == number
    assert TelephoneField().clean(number) == number


@pytest.mark.parametrize(
    "typed", ["2013-07", "2013-7", "2013 年 7 月", "2013年07月", " ２０１３ － ０７ ", "2013 / 7", "2013.07", "201307"]
)
def test_a_month_is_understood_however_it_is_pasted(typed: str) -> None:
    assert str(MonthField().clean(typed)) == "2013-07-01"


def test_what_is_stripped_does_not_count_for_the_length() -> None:
    field = DigitsField(max_length=6)
    assert field.clean("41 00-00 ") == "410000"
    with pytest.raises(forms.ValidationError):
        field.clean("4100001")


class Every(forms.Form):
    line = forms.CharField(max_length=5)
    lines = forms.CharField(max_length=5, widget=forms.Textarea)
    address = forms.EmailField(max_length=5)
    month = MonthField()
    number = TelephoneField(max_length=5)


def test_no_browser_is_told_to_cut_off_what_is_pasted() -> None:
    form = Every({"line": "longer than five"})
    assert "maxlength" not in str(form)
    assert "longer than five" in str(form)
    assert "line" in form.errors
