"""`pytest --rules`: the table rule → tests, from the `rule` marks; fails nothing, runs nothing."""

from collections import defaultdict

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rules", action="store_true", help="print which tests prove which rule, and stop")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.getoption("--rules") or hasattr(session.config, "workerinput"):
        return
    proofs: dict[str, list[str]] = defaultdict(list)
    for item in session.items:
        for mark in item.iter_markers("rule"):
            for number in mark.args:
                proofs[number].append(item.nodeid.split("[")[0])
    print()
    for number in (f"R{n:02d}" for n in range(1, 33)):
        tests = sorted(set(proofs[number]))
        print(f"{number}  {len(tests)} test{'' if len(tests) == 1 else 's'}")
        for test in tests:
            print(f"     {test}")
    session.items.clear()
    pytest.exit("rules printed", returncode=0)
