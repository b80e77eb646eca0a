"""The bell that tells the worker of a row: what must not be lost is the row, and the sweeper finds it too."""

import logging
import time
from typing import Any

from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

# A broker that let one wait for longer than this hangs, and is left alone for a while: one request waits, not each.
LONG = 0.5
PAUSE = 5.0  # seconds
_silent_until = 0.0


def ring(task: Any, *row_ids: int) -> None:
    """Hand the numbers of rows to their Celery task; a broker that does not answer is no error."""
    global _silent_until
    began = time.monotonic()
    if began < _silent_until:
        return
    try:
        task.delay(*row_ids)
    except OperationalError:
        if time.monotonic() - began > LONG:
            _silent_until = time.monotonic() + PAUSE
        logger.warning("The broker does not answer; %s of %d rows waits for the sweeper.", task.name, len(row_ids))
