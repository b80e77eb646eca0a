"""Accounts and the persons behind them."""

from typing import Any, ClassVar

import pgtrigger
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import PermissionsMixin, UserManager
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Lower, Replace, Upper
from django.utils.translation import gettext_lazy as _

from accounts import identity
from exam_portal import clock
from exam_portal.kit.fields import EncryptedTextField
from exam_portal.kit.rotation import ROTATING

# Holds, for one transaction, the row id of the request that it carries out.
CARRYING_OUT = "portal.identity_request"

# Two ways around. Rotating keys (accounts.services.keys) may encrypt the number anew; or fill or empty the second
# look-up column, and switch to what stands in it; nothing else. And a request that was just decided (R07,
# accounts.services.identity_changes) may change what it names in the account that it names, or empty it: once, since
# letting it through is what makes the request a done one.
IDENTITY_IS_FIXED = f"""
    IF {ROTATING}
        AND to_jsonb(NEW) - ARRAY['id_number', 'id_digest', 'id_digest_next']
            = to_jsonb(OLD) - ARRAY['id_number', 'id_digest', 'id_digest_next']
        AND (
            ROW(NEW.id_digest, NEW.id_digest_next) IS NOT DISTINCT FROM ROW(OLD.id_digest, OLD.id_digest_next)
            OR NEW.id_number = OLD.id_number AND NEW.id_digest IN (OLD.id_digest, OLD.id_digest_next)
            AND (OLD.id_digest_next IS NULL OR NEW.id_digest_next IS NULL OR NEW.id_digest_next = OLD.id_digest_next)
        )
    THEN
        RETURN NEW;
    END IF;
    IF ROW(NEW.name, NEW.id_type, NEW.id_number, NEW.id_digest, NEW.id_digest_next, NEW.deleted_at)
        IS DISTINCT FROM ROW(OLD.name, OLD.id_type, OLD.id_number, OLD.id_digest, OLD.id_digest_next, OLD.deleted_at)
    THEN
        UPDATE accounts_identityrequest request SET state = 'done'
        WHERE request.id::text = current_setting('{CARRYING_OUT}', true)
            AND request.candidate_id = OLD.id AND OLD.deleted_at IS NULL
            AND request.state = CASE WHEN request.needs_region THEN 'checked' ELSE 'made' END
            AND CASE WHEN request.kind = 'change' THEN
                (NEW.name = OLD.name OR 'name' = ANY(request.changes))
                AND (
                    NEW.id_type = OLD.id_type
                    OR 'id_type' = ANY(request.changes) AND NEW.id_type = request.new_id_type
                )
                AND (
                    ROW(NEW.id_number, NEW.id_digest, NEW.id_digest_next)
                        IS NOT DISTINCT FROM ROW(OLD.id_number, OLD.id_digest, OLD.id_digest_next)
                    OR request.changes && ARRAY['id_type', 'id_number']::varchar[]
                )
                AND NEW.deleted_at IS NULL
            ELSE NEW.deleted_at IS NOT NULL END;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'pgtrigger: name, ID type and ID number are fixed once registered';
        END IF;
    END IF;
    RETURN NEW;
"""  # noqa: S608 - made of constants


class Channel(models.TextChoices):
    """How a candidate came to us (R02); accounts and submissions record theirs."""

    WEB = "web", _("Website")
    BAIDU = "baidu", _("Baidu mini-program")
    WECHAT = "wechat", _("WeChat mini-program")
    ALIPAY = "alipay", _("Alipay mini-program")


class Accounts(UserManager["User"]):
    """Accounts; those made by `manage.py createsuperuser` are staff's."""

    def create_superuser(
        self, username: str, email: str | None = None, password: str | None = None, **fields: Any
    ) -> "User":
        return super().create_superuser(username, email, password, **{"kind": "staff", **fields})


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in: a candidate or a member of staff, never both (R32)."""

    class Kind(models.TextChoices):
        CANDIDATE = "candidate", _("Candidate")
        STAFF = "staff", _("Staff")

    username = models.CharField(_("username"), max_length=30, unique=True)
    # Sign-in names are compared as ID numbers are (accounts.identity.normalise_number): else a spelling that finds an
    # ID number but no username would tell the one from the other.
    sign_in_name = models.GeneratedField(
        expression=Upper(Replace("username", Value("-"), Value(""))),
        output_field=models.CharField(max_length=30),
        db_persist=True,
    )
    email = models.EmailField(_("e-mail address"), blank=True)
    kind = models.CharField(max_length=9, choices=Kind)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=clock.now)

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = Accounts()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="user_is_candidate_or_staff",
                condition=Q(kind="candidate", is_staff=False, is_superuser=False) | Q(kind="staff", is_staff=True),
            ),
            models.UniqueConstraint(fields=["sign_in_name"], name="user_sign_in_name_once"),
            models.CheckConstraint(name="user_username_form", condition=Q(username__regex=identity.USERNAME_PATTERN)),
        ]

    def __str__(self) -> str:
        return self.username


class NameKey(Lower):
    """What names are compared by: the same for compatibility forms of a character and, as the database knows it, case.

    Input methods write the same character with different code points (a radical, a compatibility form). Names are kept
    as they were typed; only looking them up goes by the key.
    """

    def __init__(self, name: Any) -> None:
        super().__init__(Func(name, template="normalize(%(expressions)s, NFKC)", output_field=models.TextField()))


class Candidate(models.Model):
    """A person who sits exams. One ID number, one candidate (R04); name and ID are fixed once registered (R07).

    A deleted account keeps its row, for the ledger and the applications of past years, but neither name nor ID.

    `id_number` is encrypted; `id_digest` is the keyed digest over type and normalised number by which it is found and
    kept unique. While the look-up key rotates, `id_digest_next` holds the one by the next key. Sex and birth date come
    from the ID where it tells them, else from the basic information.
    """

    user = models.OneToOneField(User, models.PROTECT, related_name="candidate")
    name = models.CharField(_("name"), max_length=50)
    id_type = models.CharField(_("ID type"), max_length=24, choices=identity.choices())
    id_number = EncryptedTextField(_("ID number"))
    id_digest = models.CharField(max_length=64, editable=False, null=True)  # noqa: DJ001
    id_digest_next = models.CharField(max_length=64, editable=False, null=True)  # noqa: DJ001
    sex = models.CharField(_("sex"), max_length=1, choices=identity.Sex, blank=True)
    birth_date = models.DateField(_("date of birth"), null=True, blank=True)
    channel = models.CharField(max_length=8, choices=Channel)
    notice_version = models.CharField(max_length=16)
    registered_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("candidate")
        verbose_name_plural = _("candidates")
        constraints = [
            models.CheckConstraint(
                name="candidate_deleted_is_nobody",
                condition=Q(deleted_at__isnull=True, id_digest__isnull=False)
                | Q(deleted_at__isnull=False, id_digest__isnull=True, id_digest_next__isnull=True, name=""),
            ),
            models.UniqueConstraint(fields=["id_digest"], name="candidate_id_registers_once"),
            models.UniqueConstraint(fields=["id_digest_next"], name="candidate_id_registers_once_next"),
            models.CheckConstraint(name="candidate_channel_known", condition=Q(channel__in=Channel.values)),
            models.CheckConstraint(name="candidate_id_type_known", condition=Q(id_type__in=list(identity.ID_TYPES))),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="identity_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func=pgtrigger.Func(IDENTITY_IS_FIXED),
            ),
            # With the candidate stays the user, to whom the row refers.
            pgtrigger.Protect(name="candidate_is_kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="candidates_are_kept",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: accounts of candidates are never emptied';",
            ),
        ]
        indexes = [models.Index(OpClass(NameKey(F("name")), name="text_pattern_ops"), name="candidate_by_name")]

    def __str__(self) -> str:
        return self.name

    @property
    def masked_id_number(self) -> str:
        """The ID number as pages show it, `1101**********002X`."""
        return identity.mask(self.id_number)
