"""What was typed is kept when a page is sent after the session has ended.

Every form of a signed-in person carries a signed mark of whose it is. When it arrives without a session, or with the
security token of an older one, its fields are laid aside, encrypted, in the session of the browser; once the same
person has signed in and is back on the page, they stand in the form again, not yet saved. Nobody else gets them, though
several people share one computer.
"""

import json
from typing import Any

from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from exam_portal.kit import crypto

KEY = "kept"
OWNER = "whose"
LONGEST = 20_000
_SALT = "exam_portal.kit.kept"


def owner_mark(request: HttpRequest) -> str:
    """The hidden field by which a form says whose it is."""
    return signing.dumps(request.user.pk, salt=_SALT)


def _owner(request: HttpRequest) -> Any:
    try:
        return signing.loads(request.POST.get(OWNER, ""), salt=_SALT)
    except signing.BadSignature:
        return None


def keep(request: HttpRequest) -> bool:
    """Lay aside what a POST brought; False where it is nobody's form, or longer than any form."""
    owner = _owner(request)
    if owner is None or (request.user.is_authenticated and request.user.pk != owner):
        return False
    left_out = {OWNER, "csrfmiddlewaretoken", "password"}
    fields = {name: request.POST.getlist(name) for name in request.POST if name not in left_out}
    text = json.dumps({"owner": owner, "path": request.get_full_path(), "fields": fields})
    if len(text) > LONGEST:
        return False
    request.session[KEY] = crypto.encrypt(text)
    return True


def kept(request: HttpRequest) -> dict[str, Any]:
    """What was laid aside for this page and this person, as initial values of its form; given out once."""
    if request.method != "GET" or KEY not in request.session:
        return {}
    found = json.loads(crypto.decrypt(request.session[KEY]))
    if found["path"] != request.get_full_path():
        return {}
    del request.session[KEY]
    if found["owner"] != request.user.pk:
        return {}
    messages.info(request, _("You had been signed out. What you typed stands here again, not saved yet."))
    return {name: values if len(values) != 1 else values[0] for name, values in found["fields"].items()}


def send_back(request: HttpRequest) -> HttpResponse:
    """Back to the page that was sent, where what was laid aside stands in the form again."""
    return redirect(request.get_full_path())
