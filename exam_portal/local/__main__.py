"""What the Makefile calls: `python -m exam_portal.local demo`, and so on."""

import io
import os
import sys

from .check import check
from .demo import manage, reset_demo, run_demo
from .state import LocalError
from .testing import run_with_servers

USAGE = "usage: python -m exam_portal.local demo | reset | manage ARGUMENTS … | test -- COMMAND … | check"


def main(arguments: list[str]) -> int:
    match arguments:
        case ["demo"]:
            port = os.environ.get("PORT") or "8000"
            if not port.isdecimal() or not 0 < int(port) < 65536:
                raise LocalError(f"PORT={port} is not a port number")
            run_demo(port=int(port), now=os.environ.get("PORTAL_NOW"))
        case ["reset"]:
            reset_demo()
        case ["manage", *rest]:
            manage(rest)
        case ["test", "--", *command] if command:
            return run_with_servers(command)
        case ["check"]:
            return check()
        case _:
            raise LocalError(USAGE)
    return 0


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Chinese letters
    try:
        sys.exit(main(sys.argv[1:]))
    except (LocalError, OSError) as problem:
        print(problem, file=sys.stderr)
        sys.exit(1)
