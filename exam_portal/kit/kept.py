"""What was typed is kept when a page is sent after the session has ended.

Every form of a signed-in person carries a signed mark of whose it is. When it arrives without a session, or with the
security token of an older one, its fields are laid aside, encrypted, in the session of the browser; once the same
person has signed in and is back on the page, they stand in the form again, not yet saved. They stay until that page is
saved: a few pages at most, each with what was sent last. Nobody else gets them, though several people share one
computer: they go when another person opens such a page, and with signing out.
"""

import json
from typing import Any

from cryptography.fernet import InvalidToken
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from exam_portal.kit import crypto

KEY = "kept_forms"
OWNER = "whose"
# So many pages, the last ones sent, and so many characters of each.
MOST = 5
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
    path, text = request.get_full_path(), json.dumps(fields)
    if len(path) + len(text) > LONGEST:
        return False
    before = request.session.get(KEY, {})
    forms = before["forms"] if before.get("owner") == owner else {}
    others = [(page, form) for page, form in forms.items() if page != path]
    request.session[KEY] = {"owner": owner, "forms": dict([*others, (path, crypto.encrypt(text))][-MOST:])}
    return True


def kept(request: HttpRequest) -> dict[str, Any]:
    """What was laid aside for this page and this person, as initial values of its form."""
    found = request.session.get(KEY)
    if request.method != "GET" or not found:
        return {}
    if found["owner"] != request.user.pk:
        del request.session[KEY]
        return {}
    try:
        fields = json.loads(crypto.decrypt(found["forms"][request.get_full_path()]))
    except KeyError:
        return {}
    except InvalidToken:  # by a key that is no longer there
        forget(request)
        return {}
    messages.info(request, _("You had been signed out. What you typed stands here again, not saved yet."))
    return {name: values if len(values) != 1 else values[0] for name, values in fields.items()}


def forget(request: HttpRequest) -> None:
    """Drop what was laid aside for this page: it was saved, or cannot be read any more."""
    if request.session.get(KEY, {}).get("forms", {}).pop(request.get_full_path(), None):
        request.session.modified = True


def send_back(request: HttpRequest) -> HttpResponse:
    """Back to the page that was sent, where what was laid aside stands in the form again."""
    return redirect(request.get_full_path())
