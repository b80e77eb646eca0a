"""Sealing and opening what WeChat pushes, by the example of its public documentation and against forgers."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exam_portal.kit.wechat_crypt import Envelope, Forged

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
# From the sample code of WeChat's documentation on encrypted messages.
EXAMPLE = Envelope(token="spamtest", aes_key=KEY, app_id="wx2c2769f8efd9abc2")
SEALED = (
    "hyzAe4OzmOMbd6TvGdIOO6uBmdJoD0Fk53REIHvxYtJlE2B655HuD0m8KUePWB3+LrPXo87wzQ1QLvbeUgmBM4x6F8PGHQHFVAFmOD2LdJF9FrXp"
    "bUAh0B5GIItb52sn896wVsMSHGuPE328HnRGBcrS7C41IzDWyWNlZkyyXwon8T332jisa+h6tEDYsVticbSnyU8dKOIbgU6ux5VTjg3yt+WGzjlp"
    "Kn6NPhRjpA912xMezR4kw6KWwMrCVKSVCZciVGCgavjIQ6X8tCOp3yZbGpy0VxpAe+77TszTfRd5RJSVO/HTnifJpXgCSUdUue1v6h0EIBYYI1BD"
    "1DlD+C0CR8e6OewpusjZ4uBl9FyJvnhvQl+q5rv1ixrcpCumEPo5MJSgM9ehVsNPfUM669WuMyVWQLCzpu9GhglF2PE="
)


def test_the_documented_example_is_opened_and_its_signature_is_found() -> None:
    assert EXAMPLE.signature("1409735669", "1320562132", SEALED) == "5d197aaffba7e9b25a30732f161a50dee96bd5fa"
    assert "<Content><![CDATA[abcdteT]]></Content>" in EXAMPLE.open(SEALED)


@given(st.text(max_size=300))
def test_what_was_sealed_is_opened_as_it_was(text: str) -> None:
    encoded = text.encode("utf-8", "ignore").decode()
    assert EXAMPLE.open(EXAMPLE.seal(encoded)) == encoded


def test_the_same_text_is_sealed_differently_each_time() -> None:
    assert EXAMPLE.seal("x") != EXAMPLE.seal("x")


@pytest.mark.parametrize(
    "sealed",
    [
        "",
        "no base64 at all",
        "AAAA",
        SEALED[:-8],
        SEALED[:40] + "A" + SEALED[41:],
        base64.b64encode(bytes(32)).decode(),
        base64.b64encode(bytes(range(64))).decode(),
        Envelope(token="spamtest", aes_key=KEY[::-1], app_id=EXAMPLE.app_id).seal("<xml/>"),
        Envelope(token="spamtest", aes_key=KEY, app_id="wx0000000000000000").seal("<xml/>"),
    ],
    ids=range(9),  # what is sealed differs from process to process
)
def test_what_is_not_sealed_for_this_app_is_forged(sealed: str) -> None:
    with pytest.raises(Forged):
        EXAMPLE.open(sealed)
