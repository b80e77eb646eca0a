"""Tables of the accounts app, one file a subject."""

from accounts.models.calendar import CalendarLink
from accounts.models.credentials import Credential
from accounts.models.education import EducationRecord
from accounts.models.files import LeftFile
from accounts.models.identity_requests import IdentityRequest
from accounts.models.institutions import Point, Region, Site
from accounts.models.ledger import LedgerEvent, LedgerHead, LedgerVerification
from accounts.models.outbox import Carrier, CarrierPause, Delivery, Message
from accounts.models.photos import Photo, PhotoFrame, PhotoRuleSet
from accounts.models.profile import BasicInformation
from accounts.models.recovery import EmailCode, Question, RecoveryAttempts, RecoveryQuestion
from accounts.models.staff import StaffAssignment
from accounts.models.two_step import SecondStep
from accounts.models.users import Candidate, Channel, User
from accounts.models.wechat import WeChatEvent, WeChatEventCount, WeChatUser

__all__ = [
    "BasicInformation",
    "CalendarLink",
    "Candidate",
    "Carrier",
    "CarrierPause",
    "Channel",
    "Credential",
    "Delivery",
    "EducationRecord",
    "EmailCode",
    "IdentityRequest",
    "LedgerEvent",
    "LedgerHead",
    "LedgerVerification",
    "LeftFile",
    "Message",
    "Photo",
    "PhotoFrame",
    "PhotoRuleSet",
    "Point",
    "Question",
    "RecoveryAttempts",
    "RecoveryQuestion",
    "Region",
    "SecondStep",
    "Site",
    "StaffAssignment",
    "User",
    "WeChatEvent",
    "WeChatEventCount",
    "WeChatUser",
]
