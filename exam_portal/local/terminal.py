"""What the launcher says: short lines, times, one table."""

import contextlib
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence


def say(text: str) -> None:
    """Print a line at once. A closed terminal is no reason to leave processes behind, so it is
    ignored."""
    with contextlib.suppress(OSError, ValueError):
        print(text, flush=True)


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    terminal = sys.stdout.isatty()
    began = time.monotonic()
    if terminal:
        with contextlib.suppress(OSError):
            print(f"· {title} …", end="", flush=True)
    try:
        yield
    except BaseException:
        if terminal:
            say("")
        raise
    say(("\r" if terminal else "") + f"· {title}: {time.monotonic() - began:.1f} s")


def width(text: str) -> int:
    """Columns that `text` takes on a terminal: Chinese characters take two."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )


def table(rows: Sequence[Sequence[str]]) -> str:
    """`rows` (the first is the heading) as aligned columns with a line below the heading."""
    widths = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell + " " * (size - width(cell)) for cell, size in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join([lines[0], "  ".join("─" * size for size in widths), *lines[1:]])
