"""gunicorn's own logs, as discreet as the portal's: `--logger-class=exam_portal.kit.web_log.WebLog`."""

from typing import Any

from gunicorn.glogging import Logger

from exam_portal.kit.discreet import LineFormatter


class WebLog(Logger):
    """Access and error log of the web server; a line of either tells no more than one of the portal's."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in (*self.error_log.handlers, *self.access_log.handlers):
            given = handler.formatter
            handler.setFormatter(LineFormatter(given._fmt, given.datefmt))
