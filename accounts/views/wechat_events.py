"""What WeChat pushes: the address that the official account's settings name."""

import logging

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.limits import per_address
from accounts.models import WeChatEventCount
from accounts.services import wechat
from accounts.wechat import events
from exam_portal.kit.wechat_crypt import Forged

log = logging.getLogger(__name__)
Outcome = WeChatEventCount.Outcome


@csrf_exempt
@require_http_methods(["GET", "POST"])
@per_address("PORTAL_WECHAT_EVENTS_PER_ADDRESS", counting={"GET", "POST"})
def take(request: HttpRequest) -> HttpResponse:
    """Take an event, or greet back. What is forged or stale changes nothing, is counted, and answered 403.

    WeChat reads only whether it was taken, and else sends it twice more; an empty answer says yes. Where no token was
    agreed upon there is nothing by which to know WeChat, and no such page.
    """
    if not settings.WECHAT_EVENT_TOKEN:
        return HttpResponseNotFound(content_type="text/plain")
    try:
        if request.method == "GET":
            return HttpResponse(events.greeting(request.GET), content_type="text/plain; charset=utf-8")
        event = events.read(request.GET, request.body)
    except Forged as forged:
        outcome = Outcome.STALE if isinstance(forged, events.Stale) else Outcome.FORGED
        wechat.count(outcome)
        log.warning("An event of WeChat was refused: %s.", outcome)
        return HttpResponse(status=403)
    wechat.take_event(event)
    return HttpResponse()
