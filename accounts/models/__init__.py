"""Tables of the accounts app, one file a subject."""

from accounts.models.institutions import Point, Region, Site
from accounts.models.ledger import LedgerEvent, LedgerHead
from accounts.models.outbox import Message
from accounts.models.profile import BasicInformation, EducationRecord
from accounts.models.users import Candidate, Channel, RecoveryQuestion, User
from accounts.models.wechat import WeChatBinding

__all__ = [
    "BasicInformation",
    "Candidate",
    "Channel",
    "EducationRecord",
    "LedgerEvent",
    "LedgerHead",
    "Message",
    "Point",
    "RecoveryQuestion",
    "Region",
    "Site",
    "User",
    "WeChatBinding",
]
