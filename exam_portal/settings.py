"""Settings, all from the environment (docs/settings.md lists them).

`PORTAL_ENV` is production unless it says demo or test: whoever forgets it gets the strict behaviour. The demo and the
tests are started by `make demo` and `make test`, which fill in the environment themselves.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

PORTAL_ENV = env.str("PORTAL_ENV", "production")
if PORTAL_ENV not in {"demo", "test", "production"}:
    raise ImproperlyConfigured(f"PORTAL_ENV is {PORTAL_ENV!r}; it must be demo, test or production.")
PRODUCTION = PORTAL_ENV == "production"

REQUIRED = (
    "PORTAL_SECRET_KEY",
    "PORTAL_ENCRYPTION_KEYS",
    "PORTAL_LOOKUP_KEY",
    "PORTAL_SIGNING_KEY",
    "PORTAL_HOSTS",
    "PORTAL_ORIGIN",
    "PORTAL_STATE",
    "DATABASE_URL",
    "REDIS_URL",
)
if missing := [name for name in REQUIRED if not env.str(name, "")]:
    raise ImproperlyConfigured(
        f"Missing settings for PORTAL_ENV={PORTAL_ENV}: {', '.join(missing)}. "
        "docs/settings.md explains each; `make demo` and `make test` set them by themselves."
    )

# --- The portal ---------------------------------------------------------------------------------
SECRET_KEY = env.str("PORTAL_SECRET_KEY")
PORTAL_ENCRYPTION_KEYS = env.list("PORTAL_ENCRYPTION_KEYS")
PORTAL_LOOKUP_KEY = env.str("PORTAL_LOOKUP_KEY")
PORTAL_LOOKUP_KEY_NEXT = env.str("PORTAL_LOOKUP_KEY_NEXT", "")
PORTAL_SIGNING_KEY = env.str("PORTAL_SIGNING_KEY")
PORTAL_STATE = Path(env.str("PORTAL_STATE"))
PORTAL_ORIGIN = env.str("PORTAL_ORIGIN")
PORTAL_CLOCK_OFFSET = env.float("PORTAL_CLOCK_OFFSET", 0.0)
if PRODUCTION and PORTAL_CLOCK_OFFSET:
    raise ImproperlyConfigured("PORTAL_CLOCK_OFFSET is for demo and test; production runs on real time.")
# Fonts for what the portal's own lacks; those that are not installed are passed over (exam_portal.kit.fonts).
PORTAL_FALLBACK_FONTS = env.list(
    "PORTAL_FALLBACK_FONTS",
    default=[f"/usr/share/fonts/truetype/hanazono/HanaMin{part}.ttf" for part in "AB"],
)

# What each app asks of the candidate next, in the order in which the candidate walks (exam_portal.kit.hooks).
NEXT_STEPS = [
    "accounts.next_steps.of_account",
    "registration.next_steps.of_registration",
]
# What a candidate must know after changing the account's data.
AFTER_ACCOUNT_CHANGE = ["registration.next_steps.standing_submission_stays"]
# Whether an identity or an account may be changed or deleted now.
ACCOUNTS_GUARDS = ["registration.guards.no_live_application"]
PHOTO_RULES = ["registration.photo_rules.of_the_exam_at"]
# Which candidates are of whose exam point or region.
STAFF_TERRITORY = ["registration.guards.applies_there"]
# What stands against an application about an identity, and which streams of the ledger are about a candidate.
IDENTITY_OBSTACLES = ["registration.guards.obstacles"]
LEDGER_STREAMS = ["registration.guards.streams_of"]
# What waits for staff on their home page.
STAFF_WORK = [
    "accounts.staff_work.work",
    "registration.staff_work.work",
]
# By which numbers staff find a candidate, beside those of the account, and what a candidate's page shows of each app.
STAFF_CANDIDATE_SEARCH = ["registration.staff_candidates.by_code"]
STAFF_CANDIDATE_PANELS = ["registration.staff_candidates.applications"]
# Who is asked about a new education record, one after the other until one knows. Without any, staff compare it.
EDUCATION_VERIFIERS = env.list("PORTAL_EDUCATION_VERIFIERS", default=[])

# --- Django -------------------------------------------------------------------------------------
DEBUG = False
ALLOWED_HOSTS = env.list("PORTAL_HOSTS")
CSRF_TRUSTED_ORIGINS = [PORTAL_ORIGIN]
ROOT_URLCONF = "exam_portal.urls"
WSGI_APPLICATION = "exam_portal.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "exam_portal.kit",
    "exam_portal.portal",
    "exam_portal.staff.apps.StaffAdminConfig",
    "review",
    "confirmation",
    "registration",
    "accounts",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "pgtrigger",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.forms",
]

MIDDLEWARE = [
    "exam_portal.portal.middleware.ArrivalMiddleware",
    "exam_portal.portal.middleware.ReadableMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "exam_portal.portal.middleware.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "exam_portal.portal.middleware.PrivatePagesMiddleware",
    "accounts.middleware.StaffMiddleware",
    "exam_portal.staff.looking.LookingMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "exam_portal.portal.context.portal",
            ],
        },
    }
]
FORM_RENDERER = "exam_portal.kit.forms.Uncut"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Database, cache, tasks ---------------------------------------------------------------------
_database = env.db_url("DATABASE_URL")
_database["HOST"] = unquote(_database["HOST"])  # a Unix socket's folder comes percent-encoded
if _database["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (15 or later).")
DATABASES = {
    "default": {
        **_database,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,  # PgBouncer in transaction pooling keeps no session state
    }
}

REDIS_URL = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "exam_portal.kit.cache.ForgivingCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}


def _broker_url(redis_url: str) -> str:
    """Celery's spelling of the same Redis: `unix:///path?db=0` becomes `redis+socket:///path?virtual_host=0`."""
    if redis_url.startswith("unix://"):
        return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")
    return redis_url


CELERY_BROKER_URL = _broker_url(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A request never waits for a dead broker: the row is written, the sweeper finds it.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 2,
    "max_retries": 0,
    # Seconds after which a task that nobody has acknowledged is given to another worker too. Longer than the longest
    # task, which is to verify a big ledger; what a dead worker left is found by the sweepers long before.
    "visibility_timeout": 6 * 3600,
}
CELERY_TIMEZONE = "Asia/Shanghai"

# --- Accounts -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.auth.IdentityBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "portal:dashboard"
STAFF_HOME = "admin:index"
LOGOUT_REDIRECT_URL = "portal:home"
PASSWORD_HASHERS = ["accounts.hashers.PortalArgon2Hasher"]  # its cost: docs/performance.md
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 8},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "accounts.auth.AccountAdapter"
SOCIALACCOUNT_ADAPTER = "accounts.wechat.adapter.WeChatAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {
    "login": "accounts.forms.SignInForm",
    "signup": "accounts.forms.SignUpForm",
    "reauthenticate": "accounts.forms.PasswordAgainForm",
}
# Whole hospitals share one address: generous per address, strict per account.
PORTAL_SIGN_INS_PER_ADDRESS = env.int("PORTAL_SIGN_INS_PER_ADDRESS", 600)
PORTAL_SIGN_UPS_PER_ADDRESS = env.int("PORTAL_SIGN_UPS_PER_ADDRESS", 300)
PORTAL_RECOVERIES_PER_ADDRESS = env.int("PORTAL_RECOVERIES_PER_ADDRESS", 300)
# Calendars ask by themselves, those of many people from the few addresses of whoever runs them.
PORTAL_CALENDARS_PER_ADDRESS = env.int("PORTAL_CALENDARS_PER_ADDRESS", 1200)
# WeChat pushes from few addresses what all followers do.
PORTAL_WECHAT_EVENTS_PER_ADDRESS = env.int("PORTAL_WECHAT_EVENTS_PER_ADDRESS", 6000)
ACCOUNT_RATE_LIMITS = {
    "login": None,  # per address: accounts.limits
    "login_failed": f"{max(1, PORTAL_SIGN_INS_PER_ADDRESS // 2)}/m/ip,10/15m/key",
    "signup": None,
}
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("ALLAUTH_TRUSTED_PROXY_COUNT", 0)
# Staff: a second step at each sign-in, asked for again before what matters most; candidates have none.
MFA_ADAPTER = "accounts.two_step.TwoStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # half a minute for a telephone whose clock is off, and for slow typing; none is used twice
MFA_RECOVERY_CODES_SHOW_ONCE = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600  # of links by which staff set a password
PORTAL_STAFF_IDLE_MINUTES = env.int("PORTAL_STAFF_IDLE_MINUTES", 30)
PORTAL_STAFF_SESSIONS = env.int("PORTAL_STAFF_SESSIONS", 2)

# --- E-mail: codes by which an address is verified and an account recovered (R06) ----------------
_email = env.str("PORTAL_EMAIL_URL", "" if PRODUCTION else f"filemail:///{PORTAL_STATE}/mail")
PORTAL_EMAIL = bool(_email)  # without it, recovery by e-mail is not offered
EMAIL_TIMEOUT = 10  # seconds: a server that hangs keeps neither a worker nor a request
if _email:
    vars().update(env.email_url_config(_email))
DEFAULT_FROM_EMAIL = env.str("PORTAL_EMAIL_FROM", f"no-reply@{urlsplit(PORTAL_ORIGIN).hostname}")

# --- WeChat (R08, R17): the real one, or the sandbox of exam_portal/local/wechat, by the same client ----
WECHAT_API = env.str("PORTAL_WECHAT_API", "https://api.weixin.qq.com")
WECHAT_OPEN = env.str("PORTAL_WECHAT_OPEN", "https://open.weixin.qq.com")
WECHAT_WEBSITE_APP_ID = env.str("PORTAL_WECHAT_WEBSITE_APP_ID", "")
WECHAT_WEBSITE_SECRET = env.str("PORTAL_WECHAT_WEBSITE_SECRET", "")
WECHAT_ACCOUNT_APP_ID = env.str("PORTAL_WECHAT_ACCOUNT_APP_ID", "")
WECHAT_REMINDER_TEMPLATE = env.str("PORTAL_WECHAT_REMINDER_TEMPLATE", "")
WECHAT_ACCOUNT_SECRET = env.str("PORTAL_WECHAT_ACCOUNT_SECRET", "")
# How candidates find the official account: its name, and the address in its QR code.
WECHAT_ACCOUNT_NAME = env.str("PORTAL_WECHAT_ACCOUNT_NAME", "")
WECHAT_FOLLOW_URL = env.str("PORTAL_WECHAT_FOLLOW_URL", "")
WECHAT_EVENT_TOKEN = env.str("PORTAL_WECHAT_EVENT_TOKEN", "")
WECHAT_EVENT_AES_KEY = env.str("PORTAL_WECHAT_EVENT_AES_KEY", "")

# --- Messages by WeChat, e-mail and SMS: the outbox (R17) ----------------------------------------
PORTAL_SMS = env.list("PORTAL_SMS", default=[])  # one function by dotted name, or none
PORTAL_SENDS_PER_SECOND = env.int("PORTAL_SENDS_PER_SECOND", 50)
PORTAL_SEND_LEASE = env.int("PORTAL_SEND_LEASE", 300)

# --- Sessions and headers -----------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # survives the death of Redis
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_HTTPONLY = True
if not PRODUCTION:  # cookies know no ports: two demos on one machine must not sign each other out
    _port = urlsplit(PORTAL_ORIGIN).port
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"sessionid_{_port}", f"csrftoken_{_port}"
CSRF_FAILURE_VIEW = "exam_portal.portal.views.csrf_failure"
CSRF_USE_SESSIONS = False
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
_https = PORTAL_ORIGIN.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SECURE_SSL_REDIRECT = _https
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
if env.bool("PORTAL_BEHIND_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
if PRODUCTION and not _https:
    raise ImproperlyConfigured("PORTAL_ORIGIN must begin with https:// in production.")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Where a WeChat is set up, a form leads to its page.
        "form-action": [SELF, *([WECHAT_OPEN] if WECHAT_WEBSITE_APP_ID or WECHAT_ACCOUNT_APP_ID else [])],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [
    ("zh-hans", _("Simplified Chinese")),
    ("zh-hant", _("Traditional Chinese")),
    ("en", _("English")),
]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "exam_portal.formats"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = USE_TZ = True
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = _https

# --- Files --------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = PORTAL_STATE / "static"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("vendor/bootstrap", BASE_DIR / "node_modules" / "bootstrap" / "dist"),
    ("vendor/htmx", BASE_DIR / "node_modules" / "htmx.org" / "dist"),
]
MEDIA_ROOT = PORTAL_STATE / "private"
MEDIA_URL = ""  # private storage: nothing is served but through a permission check
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if PORTAL_ENV == "test"
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Tests serve static files from where they lie, uncollected.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = PORTAL_ENV == "test"

# --- Logs: one line an event, to standard error; no request bodies, no personal data -------------
DEFAULT_EXCEPTION_REPORTER = "exam_portal.kit.discreet.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "exam_portal.kit.discreet.Filter"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "exam_portal.kit.discreet.LineFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.str("PORTAL_LOG_LEVEL", "INFO")},
    "loggers": {"django": {"handlers": [], "level": "INFO", "propagate": True}},
}
