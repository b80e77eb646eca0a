"""What the ledger's streams and actions are called: one table, for every history that staff are shown.

Also those of the apps above: they are words here, not imports. A test finds every action that the code records, and
wants it in this table.
"""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.credentials import CREDENTIAL_KINDS
from accounts.identity import ID_TYPES
from accounts.models import BasicInformation, EducationRecord, IdentityRequest, Photo
from accounts.roles import ROLES

STREAMS: dict[str, str | Promise] = {
    "candidate": _("Account"),
    "application": _("Registration"),
    "identity_request": _("Application about an identity"),
    "staff": _("Member of staff"),
    "exam": _("Exam"),
    "exam_year": _("Change of the exam year"),
    "portal": _("Portal"),
}

READS = "reads"
# Actions by subject: the code of a group, its heading, and what each action is called.
GROUPS: list[tuple[str, str | Promise, dict[str, str | Promise]]] = [
    (
        READS,
        _("What was read"),
        {
            "id_number.revealed": _("Saw an ID number in full"),
            "proof.read": _("Opened the scan of a proof"),
            "candidate.looked_at": _("Looked at the portal as the candidate sees it"),
        },
    ),
    (
        "identity",
        _("Applications about identities"),
        {
            "identity_request.made": _("Applied for"),
            "identity_request.checked": _("Checked the originals; handed on to the region"),
            "identity_request.done": _("Carried out"),
            "identity_request.refused": _("Refused"),
            "identity_request.removed": _("Removed: not brought, or applied for anew"),
            "identity.changed": _("Name or ID of the account changed"),
            "account.deleted": _("Account deleted"),
        },
    ),
    (
        "account",
        _("Accounts"),
        {
            "account.registered": _("Signed up"),
            "password.recovered": _("Password recovered"),
            "recovery.failed": _("Recovery question answered wrongly"),
            "email.verified": _("E-mail address verified"),
            "email.removed": _("E-mail address removed"),
            "sessions.ended": _("Signed out elsewhere"),
            "account.unlocked": _("Account unlocked"),
            "basic_information.saved": _("Basic information saved"),
            "wechat.bound": _("WeChat bound"),
            "wechat.unbound": _("WeChat unbound"),
            "wechat.signed_in": _("Signed in by WeChat"),
            "wechat.followed": _("Followed the official account"),
            "wechat.unfollowed": _("No longer follows the official account"),
            "calendar.made": _("Private link to the deadlines made"),
            "calendar.revoked": _("Private link to the deadlines taken away"),
            "photo.uploaded": _("Picture uploaded"),
            "photo.taken_back": _("Picture removed before it was chosen"),
            "photo.chosen": _("Photo chosen"),
            "photo.accepted": _("Photo accepted by staff"),
            "photo.refused": _("Photo refused by staff"),
            "photo.checked_again": _("Photo checked by other rules"),
            "education.added": _("Education added"),
            "education.corrected": _("Education corrected"),
            "education.verification": _("Education verified"),
            "credential.saved": _("Licence or title saved"),
            "credential.removed": _("Licence or title removed"),
        },
    ),
    (
        "application",
        _("Registrations"),
        {
            "application.started": _("Begun"),
            "application.pledged": _("Declarations accepted"),
            "application.region_chosen": _("Exam region chosen"),
            "application.point_chosen": _("Exam point chosen"),
            "application.specialty_chosen": _("Specialty chosen"),
            "application.photo_confirmed": _("Photo confirmed"),
            "application.submit": _("Submitted"),
            "application.withdraw": _("Withdrawn"),
            "application.confirm_automatically": _("Confirmed automatically"),
            "application.confirm_on_site": _("Confirmed on site"),
            "application.confirm_online": _("Confirmed online"),
            "application.fail_confirmation": _("Confirmation failed"),
            "application.abandon": _("Deemed given up: not confirmed in time"),
            "application.resubmit": _("Submitted again after a failed confirmation"),
            "application.abandon_failed": _("Deemed given up: not submitted again in time"),
            "application.approve_by_point": _("Passed by the exam point"),
            "application.refuse_by_point": _("Refused by the exam point"),
            "application.undo_confirmation": _("Confirmation undone"),
            "application.approve_by_region": _("Passed by the exam region"),
            "application.refuse_by_region": _("Refused by the exam region"),
            "application.send_back_to_point": _("Sent back to the exam point"),
            "application.undo_region_batch": _("Batch of the exam region undone"),
            "application.reopen": _("Reopened"),
            "application.close_submitted": _("Submitted registration closed because of an identity"),
            "application.close_confirmation_failed": _("Failed registration closed because of an identity"),
            "application.close_confirmed": _("Confirmed registration closed because of an identity"),
            "application.close_point_approved": _("Registration passed by the point closed because of an identity"),
            "application.close_qualified": _("Qualified registration closed because of an identity"),
            "application.reinstate": _("Reinstated"),
            "application.reinstate_failed": _("Reinstated after a failed confirmation"),
        },
    ),
    (
        "portal",
        _("Staff and portal"),
        {
            "staff.added": _("Role given"),
            "staff.ended": _("Role ended"),
            "password.link_made": _("Link made to set a password"),
            "password.set": _("Password set by a link"),
            "password.changed": _("Password changed"),
            "sign_in.done": _("Signed in"),
            "sign_in.failed": _("Failed to sign in"),
            "two_step.added": _("Second step set up"),
            "two_step.removed": _("Second step taken away"),
            "two_step.failed": _("Wrong second step"),
            "two_step.reset": _("Two-step verification reset"),
            "recovery_codes.made": _("Recovery codes made"),
            "exam_year.applied": _("Exam-year file applied"),
            "exam_year.proposed": _("Change of the exam year proposed"),
            "exam_year.live": _("Change of the exam year carried out"),
            "exam_year.refused": _("Change of the exam year refused"),
            "exam_year.withdrawn": _("Change of the exam year withdrawn"),
            "keys.rotated": _("Keys rotated"),
            "outbox.retried": _("Messages sent again"),
            "outbox.dropped": _("Messages given up"),
            "outbox.resumed": _("Pause of a carrier lifted"),
        },
    ),
]
ACTIONS: dict[str, str | Promise] = {action: words for *_of, some in GROUPS for action, words in some.items()}

# Row numbers, which tell a reader nothing that the rest does not.
UNTOLD = {"assignment", "photo", "record", "rules", "supersedes"}
_IDENTITY: dict[str, str | Promise] = {"name": _("Name"), "id_type": _("ID type"), "id_number": _("ID number")}
DETAILS: dict[str, str | Promise] = {
    **_IDENTITY,
    "by": _("by means of"),
    "carrier": _("carrier"),
    "changed": _("changed"),
    "conflicts": _("in conflict"),
    "count": _("how many"),
    "created": _("created"),
    "digest": _("digest"),
    "ended": _("other sessions ended"),
    "exam": _("exam"),
    "fields": _("fields"),
    "following": _("follows the official account"),
    "ids": _("numbers"),
    "institution": _("institution"),
    "kept": _("left as staff set it"),
    "key": _("entry"),
    "kind": _("kind"),
    "new": _("new digest"),
    "notice": _("version of the special notice"),
    "old": _("old digest"),
    "older_than": _("older than"),
    "point": _("exam point"),
    "position": _("place in the list"),
    "region": _("exam region"),
    "removed": _("removed"),
    "replaced": _("in place of an earlier one"),
    "request": _("application"),
    "role": _("role"),
    "specialty": _("specialty"),
    "state": _("state"),
    "states": _("states"),
    "type": _("means"),
    "version": _("version"),
    "why": _("what failed"),
    "wrong": _("wrong answers"),
}
_MEANS: dict[str, str | Promise] = {
    "email": _("E-mail address"),
    "no_role": _("no role at this time"),
    "passkey": _("Passkey"),
    "password": _("Password"),
    "question": _("Recovery question"),
    "recovery_codes": _("Recovery code"),
    "totp": _("Authenticator app"),
    "used": _("a code that was used before"),
    "webauthn": _("Passkey"),
    "wrong": _("a wrong code"),
}
# What the values of a detail are called, where they are codes of a table.
_VALUES: dict[str, dict[str, str | Promise]] = {
    "by": _MEANS,
    "id_type": {code: id_type.label for code, id_type in ID_TYPES.items()},
    "kind": {
        **{kind.value: kind.label for kind in IdentityRequest.Kind},
        **{code: kind.label for code, kind in CREDENTIAL_KINDS.items()},
    },
    "role": {code: role.label for code, role in ROLES.items()},
    "state": {
        **{state.value: state.label for state in EducationRecord.Verification},
        **{state.value: state.label for state in Photo.State},
    },
    "type": _MEANS,
    "why": _MEANS,
}


def action_words(action: str) -> str:
    """What an action is called; the action itself where the table does not know it."""
    return str(ACTIONS.get(action, action))


def stream_words(stream: str) -> str:
    """What a stream is called; the stream itself where the table does not know it."""
    return str(STREAMS.get(stream, stream))


def details(payload: dict[str, Any]) -> str:
    """What an event says beside its action: `role Site clerk · institution 430101`."""
    told = ((key, value) for key, value in payload.items() if key not in UNTOLD)
    return " · ".join(f"{DETAILS.get(key, key)} {_value(key, value)}" for key, value in told)


def _value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(_field(str(each)) for each in value)
    text = str(value)
    if text in (words := _VALUES.get(key, {})):
        return str(words[text])
    return f"{text[:8]}…" if len(text) == 64 else text  # a digest


def _field(name: str) -> str:
    """What a column of the account is called; the name itself where it is none."""
    if name in _IDENTITY:
        return str(_IDENTITY[name])
    columns = {column.name: column for column in BasicInformation._meta.concrete_fields}
    return str(columns[name].verbose_name) if name in columns else name
