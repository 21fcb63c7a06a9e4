"""All settings, from the environment. Every name read here is explained in docs/configuration.md."""

from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from dashboard.env import BASE_DIR, data_directory, env, kept_secret
from dashboard.logs import configure_structlog, logging_config

MODE = env.str("MODE", default="embedded")
if MODE not in {"embedded", "production"}:
    raise ImproperlyConfigured(f"MODE is {MODE!r}; it must be embedded or production.")
PRODUCTION = MODE == "production"
DEBUG = env.bool("DEBUG", default=False)
DATA_DIR = data_directory("DATA_DIR")

SECRET_KEY = kept_secret("SECRET_KEY", DATA_DIR / "secret_key", production=PRODUCTION)
CREDENTIALS_KEYS = kept_secret(
    "CREDENTIALS_KEYS", DATA_DIR / "credentials_keys", production=PRODUCTION, fernet=True
).split(",")

HOST = env.str("HOST", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if PRODUCTION and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the hosts this dashboard is served at in production.")
if PRODUCTION:
    ALLOWED_HOSTS.append("127.0.0.1")  # the container asks itself whether it is alive

INSTALLED_APPS = [
    "dashboard.admin_site.DashboardAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "django_structlog",
    "heroicons",
    "template_partials",
    "dashboard",
    "phone_numbers",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "dashboard.middleware.body_limit",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "dashboard.middleware.page_headers",
    "dashboard.middleware.forms_only",
    "dashboard.middleware.sign_in_again",
]

AUTHENTICATION_BACKENDS = ["dashboard.backends.Backend"]
ROOT_URLCONF = "dashboard.urls"
WSGI_APPLICATION = "dashboard.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "phone_numbers.views.freshness.frame",
            ],
        },
    },
]

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'numberdesk.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-20000;"
        ),
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://")
if CELERY_BROKER_URL.startswith("filesystem"):
    CELERY_BROKER_TRANSPORT = "dashboard.folder_broker:Transport"
    QUEUE_DIR = DATA_DIR / "queue"
    for folder in ("messages", "control", "processed"):
        (QUEUE_DIR / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(QUEUE_DIR / "messages"),
        "data_folder_out": str(QUEUE_DIR / "messages"),
        "control_folder": str(QUEUE_DIR / "control"),
        "processed_folder": str(QUEUE_DIR / "processed"),
        "store_processed": False,
        "polling_interval": 0.1,
    }
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": 900,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,  # also how long a page waits for a broker that hangs; the job's row is saved by then
        "socket_connect_timeout": 2,
        "max_retries": 0,
        "socket_keepalive": True,
        "health_check_interval": 15,
    }
CELERY_TASK_PUBLISH_RETRY = False  # the next tick sends what could not be sent
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_ACKS_ON_TIMEOUT = True  # what took too long is resumed from its row, not looped by the broker
CELERY_TASK_ROUTES = {  # edits and the tick never wait behind syncs or plans
    "numbers.sync_account": {"queue": "syncs"},
    "numbers.work_for_account": {"queue": "plans"},
    "numbers.write_local_changes": {"queue": "plans"},
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
# What runs when the broker is lost goes on: its row says whose it is, so a second message for it does nothing.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 300_000
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "Start due syncs and re-send lost work": {"task": "numbers.tick", "schedule": 15.0},
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "numbers:list"
LOGOUT_REDIRECT_URL = "login"

LANGUAGE_CODE = "en"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = str(BASE_DIR / env.str("STATIC_ROOT", default=str(DATA_DIR / "static")))
if not PRODUCTION:
    Path(STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # stays empty: files are served from where they lie
WHITENOISE_USE_FINDERS = not PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_COOKIE_HTTPONLY = True
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # a pasted list of 10,000 long lines, and then some
CSRF_FAILURE_VIEW = "dashboard.sign_in.form_grown_old"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", default=12) * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^(healthz|livez)$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

DEMO = env.bool("DEMO", default=not PRODUCTION)
DEMO_NUMBERS = env.int("DEMO_NUMBERS", default=2000)
SIMULATOR_PORT = env.int("SIMULATOR_PORT", default=0) or PORT + 1
SIMULATOR_URL = env.str("SIMULATOR_URL", default=f"http://127.0.0.1:{SIMULATOR_PORT}")
SYNC_INTERVAL_SECONDS = env.int("SYNC_INTERVAL_SECONDS", default=300)
if SYNC_INTERVAL_SECONDS < 15:
    raise ImproperlyConfigured(f"SYNC_INTERVAL_SECONDS is {SYNC_INTERVAL_SECONDS}; it must be at least 15.")
SYNC_RUNS_KEPT = env.int("SYNC_RUNS_KEPT", default=1000)
if SYNC_RUNS_KEPT < 1:
    raise ImproperlyConfigured(f"SYNC_RUNS_KEPT is {SYNC_RUNS_KEPT}; it must be at least 1.")
LEASE_SECONDS = env.int("LEASE_SECONDS", default=60)
WORKER_SILENCE_SECONDS = 90
"""After so long without a sign of life, the health page calls the workers of a queue lost."""

LOGGING = logging_config(level=env.str("LOG_LEVEL", default="INFO" if PRODUCTION else "WARNING"), as_json=PRODUCTION)
configure_structlog()
DJANGO_STRUCTLOG_CELERY_ENABLED = True
