"""《考生注册信息修改/删除申请表》: an application to change or delete registered information, on paper (R07).

Labels are Chinese in every language: the form is an official paper.
"""

from typing import Any

from django.conf import settings
from django.utils import translation

from accounts import identity
from accounts.models import IdentityRequest
from accounts.rare_characters import runs
from exam_portal.clock import BEIJING
from exam_portal.kit import printing
from exam_portal.kit.text import grouped

TEMPLATE = settings.BASE_DIR / "accounts" / "printed" / "identity_form.typ"


def form_data(request: IdentityRequest) -> dict[str, Any]:
    """What the template is given: everything that stands on the form, user texts as runs."""
    changes = [
        (label, _shown(field, getattr(request, field)), _shown(field, getattr(request, f"new_{field}")))
        for field, label in (("name", "姓名"), ("id_type", "证件类型"), ("id_number", "证件号码"))
        if field in request.changes
    ]
    with translation.override("zh-hans"):
        kind = str(IdentityRequest.Kind(request.kind).label)
    user_texts = {
        "name": request.name,
        "id_type": identity.name_on_paper(request.id_type),
        "id_number": request.id_number,
        "telephone": request.telephone,
        "reason": request.reason,
        "point": f"{request.point.region.name} {request.point.name}",
    }
    return {
        **{key: runs(text) for key, text in user_texts.items()},
        "kind": kind,
        "deletes_other": request.kind == IdentityRequest.Kind.TAKEN,
        "changes": [{"label": label, "old": runs(old), "new": runs(new)} for label, old, new in changes],
        "number": request.number,
        "number_groups": grouped(request.number),
        "made_at": f"{request.made_at.astimezone(BEIJING):%Y-%m-%d %H:%M}",
        "barcode": printing.barcode(request.number),
    }


def _shown(field: str, value: str) -> str:
    return identity.name_on_paper(value) if field == "id_type" else value


def render(request: IdentityRequest) -> bytes:
    """The form as PDF (exam_portal.kit.printing)."""
    return printing.render(TEMPLATE, form_data(request))
