"""What pytest needs before the settings are read (`-p tests.plugin`), and what it prints for us: with `--rules` the
table rule → tests, and after each run what tests that count or measure have to tell.
"""

import os
from collections import defaultdict
from collections.abc import Callable

import pytest

# Each worker of a parallel run has a Redis database of its own, as pytest-django gives it a PostgreSQL database.
if "REDIS_URL" in os.environ:
    _base, _found, _number = os.environ["REDIS_URL"].partition("?db=")
    if _found:
        os.environ["REDIS_URL"] = f"{_base}?db={os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rules", action="store_true", help="print which tests prove which rule, and stop")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    if config.getoption("--rules"):  # one process knows all tests
        config.option.numprocesses = config.option.maxprocesses = None
        config.option.tx, config.option.dist = [], "no"


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if not session.config.getoption("--rules") or hasattr(session.config, "workerinput"):
        return
    proofs: dict[str, list[str]] = defaultdict(list)
    for item in session.items:
        for mark in item.iter_markers("rule"):
            for number in mark.args:
                proofs[number].append(item.nodeid.split("[")[0])
    write = session.config.get_terminal_writer().line
    write()
    for number in (f"R{n:02d}" for n in range(1, 33)):
        tests = sorted(set(proofs[number]))
        write(f"{number}  {len(tests)} test{'' if len(tests) == 1 else 's'}")
        for test in tests:
            write(f"     {test}")
    session.items.clear()
    pytest.exit("rules printed", returncode=0)


@pytest.fixture
def tell(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """`tell(line)`: to whoever runs the tests, at the end of the run, in whichever process the test ran."""
    return lambda line: request.node.user_properties.append(("told", line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    told = [
        (report.nodeid, line)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        if report.when == "call"
        for name, line in report.user_properties
        if name == "told"
    ]
    if told:
        terminalreporter.section("counted and measured")
    for test in dict.fromkeys(test for test, _line in told):
        terminalreporter.write_line(test)
        for line in (line for other, line in told if other == test):
            terminalreporter.write_line(f"  {line}")
