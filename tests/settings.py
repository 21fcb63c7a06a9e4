"""Settings of the test suite: the shipped ones in a directory of their own, on SQLite or TEST_DATABASE=postgresql."""

import atexit
import os
import shutil
import tempfile

DATA_DIR = tempfile.mkdtemp(prefix="numberdesk-tests-")
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)
os.environ["DATA_DIR"] = DATA_DIR
os.mkdir(os.path.join(DATA_DIR, "static"))  # WhiteNoise warns when it is not there.
os.environ["MODE"] = "embedded"
os.environ["DEMO"] = "true"
os.environ.pop("DATABASE_URL", None)
os.environ.pop("CELERY_BROKER_URL", None)
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright runs an event loop in the test's thread.

if os.environ.get("TEST_DATABASE") == "postgresql":
    from tests.servers import postgresql_url

    os.environ["DATABASE_URL"] = postgresql_url()

from dashboard.settings import *  # noqa: E402,F403

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):  # noqa: F405
    # On disk, as in operation: threads and processes of a test can share it.
    DATABASES["default"]["TEST"] = {"NAME": os.path.join(DATA_DIR, "test.sqlite3")}  # noqa: F405

ALLOWED_HOSTS = ["*"]
WHITENOISE_AUTOREFRESH = True  # Or each test's client would begin by reading all static files.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_TRANSPORT = "memory"
CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {"polling_interval": 0.02}
