"""System check before deploying: WeChat is set up whole, or not at all."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

TOGETHER = (
    "WECHAT_WEBSITE_APP_ID",
    "WECHAT_WEBSITE_SECRET",
    "WECHAT_ACCOUNT_NAME",
    "WECHAT_FOLLOW_URL",
    "WECHAT_ACCOUNT_APP_ID",
    "WECHAT_ACCOUNT_SECRET",
    "WECHAT_EVENT_TOKEN",
    "WECHAT_EVENT_AES_KEY",
    "WECHAT_REMINDER_TEMPLATE",
)


def check_wechat(**_kwargs: Any) -> list[CheckMessage]:
    """With some of these alone a WeChat could be bound of which nobody hears whether it follows, or the like."""
    missing = [f"PORTAL_{name}" for name in TOGETHER if not getattr(settings, name)]
    if not missing or len(missing) == len(TOGETHER):
        return []
    return [Error(f"WeChat is set up in part; missing: {', '.join(missing)}.", id="portal.E006")]
