"""How often one address may ask, and how often a password may be wrong.

django-allauth's own limits keep a list of moments per address under a lock, and answer 429 to whoever waits a second
for it: with a whole hospital behind one address that refuses people far below the limit. A counter needs no lock.
"""

import time
from collections.abc import Callable, Collection
from functools import wraps
from ipaddress import ip_address, ip_network
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import BadRequest, ImproperlyConfigured
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts import identity
from accounts.models import User
from exam_portal.kit.crypto import keyed_digest

WINDOW = 60  # seconds
View = Callable[..., HttpResponseBase]


def per_address(setting: str, *, counting: Collection[str] = ("POST",)) -> Callable[[View], View]:
    """Answer 429 to what one address sends beyond the number in `setting`, within a minute of the clock on the wall.

    Only requests of the methods `counting` are counted and refused.
    """

    def limit(view: View) -> View:
        @wraps(view)
        def limited(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method in counting and _times(setting, _address(request)) > getattr(settings, setting):
                return ratelimit.respond_429(request)
            return view(request, *args, **kwargs)

        return limited

    return limit


def _times(action: str, address: str) -> int:
    """How often this address has asked within the window, this time included; 0 while the cache does not answer."""
    key = keyed_digest("per-address", action, address, str(int(time.time() // WINDOW)))
    cache.add(key, 0, timeout=2 * WINDOW)
    try:
        return cache.incr(key)
    except ValueError:  # gone between the two, or not there because Redis does not answer
        return 0


def _address(request: HttpRequest) -> str:
    """The address asked from; of IPv6 the network, since one household has many addresses.

    Raises:
        BadRequest: fewer proxies have forwarded it than stand in front (`ALLAUTH_TRUSTED_PROXY_COUNT`).
    """
    try:
        address = ip_address(get_adapter(request).get_client_ip(request))
    except ImproperlyConfigured as error:
        raise BadRequest("not forwarded by every proxy") from error
    return str(ip_network((address, 64), strict=False) if address.version == 6 else address)


def failed_sign_ins_key(name: str) -> str:
    """What failed sign-ins by this name are counted under.

    The same whether or not somebody is called so, however it is typed; and no ID number in the cache.
    """
    return keyed_digest("sign-in", identity.normalise_number(name))


def forget_failed_sign_ins(user: User) -> None:
    """Let somebody sign in at once, however often the password was wrong; by username or ID number."""
    names = [user.username]
    if user.kind == User.Kind.CANDIDATE:
        names.append(user.candidate.id_number)
    failed = {"app": "allauth.account", "action": "login_failed"}
    for rate in ratelimit.get_rates(**failed):
        if rate.per == "key":  # the other rate is the address's, not the name's; the request is only asked for that
            for name in names:
                key = failed_sign_ins_key(name)
                cache.delete(ratelimit.get_cache_key(HttpRequest(), **failed, rate=rate, key=key))
