"""The bell that tells the worker of a row: what must not be lost is the row, and the sweeper finds it too."""

import logging
from typing import Any

from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def ring(task: Any, row_id: int) -> None:
    """Hand a row's number to its Celery task; a broker that does not answer is no error."""
    try:
        task.delay(row_id)
    except OperationalError:
        logger.warning("The broker does not answer; %s of row %s waits for the sweeper.", task.name, row_id)
