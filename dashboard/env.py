"""Reading the environment: one reader, and the secrets that the embedded mode keeps in its data directory."""

import os
import secrets
from pathlib import Path

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if (BASE_DIR / ".env").is_file():
    env.read_env(BASE_DIR / ".env")


def data_directory(name: str) -> Path:
    """The directory for everything this installation keeps on disk, created private to its owner.

    One that is not absolute is beside `manage.py`, wherever a command is called from.
    """
    path = (BASE_DIR / Path(env.str(name, default="var")).expanduser()).resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def kept_secret(name: str, path: Path, *, production: bool, fernet: bool = False) -> str:
    """The secret from the environment; in embedded mode one that is made once and kept in `path`."""
    if value := env.str(name, default=""):
        return str(value)
    if production:
        raise ImproperlyConfigured(f"{name} must be set in production (see docs/configuration.md).")
    if not path.exists():
        value = Fernet.generate_key().decode() if fernet else secrets.token_urlsafe(50)
        write_private(path, value)
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Create the file whole and readable by its owner only; a file that another process made first wins."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
