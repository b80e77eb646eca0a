"""Reports of exceptions and log lines tell nothing that a person typed."""

import logging
import sys
from typing import Any

import pytest
from django.core import mail
from django.http import HttpRequest
from django.test import RequestFactory
from django.utils.log import AdminEmailHandler
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter, get_exception_reporter_class

from exam_portal.kit.discreet import LineFormatter, without_numbers

# By name only below: a report shows lines of the source.
NUMBER, SECRET, WORD, FIELD = "110101199003070029", "correct horse battery", "geheim", "zhangsan@example"
TYPED = (NUMBER, SECRET, WORD, FIELD)


def request() -> HttpRequest:
    return RequestFactory().post(
        f"/account/signup/?{WORD}=1",
        {"password1": SECRET, "id_number": NUMBER, FIELD: WORD},
        headers={"cookie": f"sessionid={WORD}", "user-agent": WORD},
    )


def record(request: HttpRequest, error: Exception) -> logging.LogRecord:
    password, fields = SECRET, {"id_number": NUMBER}
    try:
        raise error
    except Exception:
        exception = sys.exc_info()
    assert password and fields  # variables of the frame
    made = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "Internal Server Error", (), exception)
    made.request = request
    return made


ERRORS = [KeyError(NUMBER), ValueError("no"), UnicodeEncodeError("ascii", SECRET + "é", 20, 22, "no")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_report_of_an_exception_holds_nothing_that_was_typed(error: Exception, settings: Any) -> None:
    asked = request()
    made = record(asked, error)
    reporter = get_exception_reporter_class(asked)(asked, *made.exc_info)
    reports = [reporter.get_traceback_text(), reporter.get_traceback_html()]
    settings.ADMINS = [("Somebody", "admin@example.org")]
    AdminEmailHandler(include_html=True).emit(made)
    (sent,) = mail.outbox
    reports += [str(sent.body), str(sent.alternatives), sent.subject]
    assert type(error).__name__ in reports[0] and "test_discreet.py" in reports[0]
    for report in reports:
        for secret in (*TYPED, settings.SECRET_KEY, settings.REDIS_URL, str(settings.DATABASES["default"]["NAME"])):
            assert secret not in report


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_the_log_of_an_exception_holds_nothing_that_was_typed(error: Exception) -> None:
    line = LineFormatter("%(message)s").format(record(request(), error))
    assert "Traceback" in line and "Internal Server Error" in line
    for secret in TYPED:
        assert secret not in line


@pytest.mark.parametrize(
    "line",
    [
        "Too Many Requests: /calendar/{}.ics",
        '127.0.0.1 "GET /calendar/{}.ics HTTP/1.1" 200 "https://portal.example/calendar/{}.ics"',
        "GET /calendar/{}.ics?x=1",
    ],
)
def test_the_log_tells_no_address_of_a_calendar(line: str) -> None:
    secret = "k3-_Zq" * 7
    made = logging.LogRecord("django.request", logging.WARNING, __file__, 1, line.replace("{}", secret), (), None)
    assert LineFormatter("%(message)s").format(made) == line.replace("{}", "…")


def test_the_log_is_written_by_it() -> None:
    (handler,) = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    assert isinstance(handler.formatter, LineFormatter)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("11010119900307002X", "1101*************X"),
        ("Key (n)=(110101199003070029) exists", "Key (n)=(1101*************9) exists"),
        ("是110101900307002号", "是1101**********2号"),
        ("110101 19900307 002x", "1101** ******** ***x"),
        ("1101-0119-9003-0700-29", "1101-****-****-****-*9"),
        ("１１０１０１１９９００３０７００２Ｘ", "１１０１*************Ｘ"),
        ("110101\u200b19900307\u00a00029", "1101**\u200b********\u00a0***9"),
        ("٨١٠٠٠٠١٩٩٠٠٣٠٧٠٠٢٩", "٨١٠٠*************٩"),
        ("AUS 1101 9003 0729", "AUS 1*** **** ***9"),
        ("h12345678，M1234567801", "h1******8，M1********1"),
        ("护照E12345678，ＥＡ1234567", "护照E1******8，ＥＡ******7"),
        ("护照号码：G1234567", "护照号码：G1*****7"),
        ("台胞证 12345678", "台胞证 12*****8"),
        ("军官证：军字第1234567号", "军官证：军字第12****7号"),
        ("证件号为军123456", "证件号为军12***6"),
    ],
)
def test_numbers_of_every_type_are_masked_however_they_are_typed(text: str, masked: str) -> None:
    assert without_numbers(text) == masked
    assert without_numbers(masked) == masked


@pytest.mark.parametrize(
    "text",
    [
        "1701754200123456789 ns, 12345678901234567",
        "2023-12-19 12:05:30,123 7 rows",
        "0731-84567890，13800000000 2023-12-05",
        "申请 0123 4567 8901，表 24W00000000101",
        "e1234567-1234-1234-1234-123456789012",
        "身份证、护照与户口簿",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert without_numbers(text) == text


def test_the_report_that_it_replaces_would_tell() -> None:
    asked = request()
    reporter = ExceptionReporter(asked, *record(asked, ERRORS[0]).exc_info)
    reporter.filter = SafeExceptionReporterFilter()
    told = reporter.get_traceback_text()
    assert NUMBER in told and SECRET in told and WORD in told
