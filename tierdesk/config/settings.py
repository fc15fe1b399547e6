"""Settings: one file, read from the environment, loud when something is missing or wrong.

Every variable is listed in docs/operate/settings.md. `TIERDESK_HOME` holds what must survive (default: ./data).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from tierdesk.config.secret import read_or_make_secret
from tierdesk.core.scope import ROLE


def flag(name: str, default: bool) -> bool:
    raw = os.environ.get(name, str(default)).strip().lower()
    if raw not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        raise ImproperlyConfigured(f"{name} must be yes or no, not “{raw}”")
    return raw in {"1", "true", "yes", "on"}


def number(name: str, default: int) -> int:
    raw = os.environ.get(name, str(default))
    try:
        return int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not “{raw}”") from error


def names(name: str) -> list[str]:
    return [one for one in (word.strip() for word in os.environ.get(name, "").split(",")) if one]


def database(url: str) -> dict[str, Any]:
    """Django's database settings for a libpq URL, with pooling and prepared statements."""
    from psycopg.conninfo import conninfo_to_dict

    if not url:
        raise ImproperlyConfigured(
            "DATABASE_URL is not set. The `tierdesk` command starts an embedded PostgreSQL by itself; "
            "for anything else set DATABASE_URL=postgresql://user:password@host/name."
        )
    parts: dict[str, Any] = dict(conninfo_to_dict(url))
    options: dict[str, Any] = {"server_side_binding": True, "prepare_threshold": 2}
    if flag("TIERDESK_DATABASE_POOL", True):
        options["pool"] = {
            "min_size": 1,
            "max_size": number("TIERDESK_DATABASE_POOL_SIZE", 12),
            "timeout": 10,
        }
    for name in ("sslmode", "application_name", "connect_timeout"):
        if name in parts:
            options[name] = parts[name]
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.get("dbname", "tierdesk"),
        "USER": parts.get("user", ""),
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": parts.get("port", ""),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0,
    }


HOME = Path(os.environ.get("TIERDESK_HOME", "data")).resolve()
DEBUG = flag("TIERDESK_DEBUG", False)
SECRET_KEY = os.environ.get("TIERDESK_SECRET_KEY") or read_or_make_secret(HOME)
SECRET_KEY_FALLBACKS = names("TIERDESK_OLD_SECRET_KEYS")
BASE_URL = os.environ.get("TIERDESK_URL", "http://127.0.0.1:8000").rstrip("/")
ALLOWED_HOSTS = os.environ.get("TIERDESK_HOSTS", "127.0.0.1,localhost,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [BASE_URL]
SECURE_COOKIES = BASE_URL.startswith("https://")

DATABASES = {"default": database(os.environ.get("DATABASE_URL", ""))}
DATABASE_ROLE = ROLE if flag("TIERDESK_ROW_LEVEL_SECURITY", True) else ""
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.auth",
    "procrastinate.contrib.django",
    "tierdesk.core",
    "tierdesk.directory.staff",
    "tierdesk.directory.calendars",
    "tierdesk.directory.clients",
    "tierdesk.directory.services",
    "tierdesk.directory.contracts",
    "tierdesk.directory.oncall",
    "tierdesk.tickets",
    "tierdesk.response.triage",
    "tierdesk.response.sla",
    "tierdesk.response.tiers",
    "tierdesk.response.runbooks",
    "tierdesk.response.vendors",
    "tierdesk.response.major",
    "tierdesk.response.waiting",
    "tierdesk.response.assignment",
    "tierdesk.response.paging",
    "tierdesk.response.shifts",
    "tierdesk.response.notifications",
    "tierdesk.learning.knowledge",
    "tierdesk.learning.problems",
    "tierdesk.learning.analytics",
    "tierdesk.learning.prediction",
    "tierdesk.channels",
    "tierdesk.channels.email",
    "tierdesk.channels.web_form",
    "tierdesk.channels.phone",
    "tierdesk.channels.alarms",
    "tierdesk.channels.chat",
    "tierdesk.web.ui",
    "tierdesk.web.workspace",
    "tierdesk.web.portal",
    "tierdesk.web.api",
    "tierdesk.ops",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "tierdesk.web.ui.middleware.SecurityHeaders",
    "tierdesk.web.ui.middleware.AskedAt",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tierdesk.web.ui.middleware.ClientScope",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "tierdesk.config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "APP_DIRS": False,
        "DIRS": [
            Path(__file__).parent.parent / room / "templates"
            for room in ("web/ui", "web/workspace", "web/portal", "ops/settings")
        ],
        "OPTIONS": {
            "environment": "tierdesk.web.ui.jinja.environment",
            "context_processors": ["tierdesk.web.ui.jinja.one_token"],
        },
    },
    {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {}},
]

AUTH_USER_MODEL = "staff.User"
AUTHENTICATION_BACKENDS = ["tierdesk.directory.staff.sign_in.AccountBackend"]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_NAME = "__Host-tierdesk" if SECURE_COOKIES else "tierdesk"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 40 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

WIRING = "tierdesk.flow.WIRING"
WAKEUPS = "tierdesk.flow.WAKEUPS"

MAIL_DOMAIN = os.environ.get("TIERDESK_MAIL_DOMAIN", "desk.localhost")
MAIL_FROM = os.environ.get("TIERDESK_MAIL_FROM", f"support@{MAIL_DOMAIN}")
MAIL_AUTHSERV_ID = os.environ.get("TIERDESK_MAIL_AUTHSERV_ID", "")
SMTP_RELAY_HOST = os.environ.get("TIERDESK_SMTP_RELAY_HOST", "")
SMTP_RELAY_PORT = number("TIERDESK_SMTP_RELAY_PORT", 25)
SMTP_LISTEN_HOST = os.environ.get("TIERDESK_SMTP_LISTEN_HOST", "127.0.0.1")
SMTP_LISTEN_PORT = number("TIERDESK_SMTP_LISTEN_PORT", 0)
LMTP_LISTEN_PORT = number("TIERDESK_LMTP_LISTEN_PORT", 0)
ALARMS_LISTEN_HOST = os.environ.get("TIERDESK_ALARMS_LISTEN_HOST", "127.0.0.1")
SYSLOG_PORT = number("TIERDESK_SYSLOG_PORT", 0)
SNMP_PORT = number("TIERDESK_SNMP_PORT", 0)
SYSLOG_TLS_PORT = number("TIERDESK_SYSLOG_TLS_PORT", 0)
SYSLOG_TLS_AUTHORITY = os.environ.get("TIERDESK_SYSLOG_TLS_AUTHORITY", "")
TLS_CERTIFICATE = os.environ.get("TIERDESK_TLS_CERTIFICATE", "")
TLS_KEY = os.environ.get("TIERDESK_TLS_KEY", "")
FLOOD_AFTER = number("TIERDESK_FLOOD_AFTER", 200)
PRIVATE_HOSTS = names("TIERDESK_PRIVATE_HOSTS")
SMALLEST_GROUP = number("TIERDESK_SMALLEST_GROUP", 5)
NAMES_IN_REPORTS = flag("TIERDESK_NAMES_IN_REPORTS", False)

WEBHOOKS_OF_AGENTS = flag("TIERDESK_WEBHOOKS_OF_AGENTS", True)
TWILIO_ACCOUNT = os.environ.get("TIERDESK_TWILIO_ACCOUNT", "")
SMS_URL = os.environ.get("TIERDESK_SMS_URL", "https://api.twilio.com").rstrip("/")
SMS_FROM = os.environ.get("TIERDESK_SMS_FROM", "")
VOICE_FROM = os.environ.get("TIERDESK_VOICE_FROM", "")
TWILIO_AUTH_TOKEN = os.environ.get("TIERDESK_TWILIO_AUTH_TOKEN", "")
AMI_HOST = os.environ.get("TIERDESK_AMI_HOST", "")
AMI_PORT = number("TIERDESK_AMI_PORT", 5038)
AMI_USER = os.environ.get("TIERDESK_AMI_USER", "tierdesk")
AMI_SECRET = os.environ.get("TIERDESK_AMI_SECRET", "")
AMI_CONTEXTS = os.environ.get("TIERDESK_AMI_CONTEXTS", "from-trunk,from-pstn,from-external").split(",")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("TIERDESK_LOG_LEVEL", "INFO")},
    "loggers": {
        "procrastinate": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "mail.log": {"level": "WARNING"},  # aiosmtpd notes every line that it hears
        "imapclient": {"level": "WARNING"},  # and this one every line that it says, passwords among them
    },
}
