"""Application numbers and form codes (R24).

A form code is the exam's prefix, the application's number (eight digits and an ISO 7064 MOD 11,10 check digit) and two
digits that count the versions: `24W` `000000123` `01`. It carries no personal data.
"""

from stdnum.iso7064 import mod_11_10


def application_number(row_id: int) -> str:
    """The number of the application with this row id."""
    digits = f"{row_id:08d}"
    return digits + mod_11_10.calc_check_digit(digits)


def form_code(*, prefix: str, number: str, version: int) -> str:
    """The code of a version of the printed form; the highest version is final."""
    return f"{prefix}{number}{version:02d}"
