"""Where the package's own files lie, in a wheel and in a checkout, and where caches may go."""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _data_folder(name: str) -> Path:
    installed = _PACKAGE / "_data" / name
    return installed if installed.is_dir() else _PACKAGE.parent / name


def firmware_templates() -> Path:
    """Folder of the C runtime, the ports and the Jinja templates."""
    return _data_folder("firmware_templates")


def runtime() -> Path:
    """Folder of the hand-written C that every firmware contains."""
    return firmware_templates() / "runtime"


def boards() -> Path:
    """Folder of the shipped board files."""
    return _data_folder("boards")


def clone() -> Path:
    """Folder that the package lies in: a clone's root, where it is used from a clone."""
    return _PACKAGE.parent


def zoo() -> Path:
    """Folder of the trained speech models that the package ships."""
    return _PACKAGE / "zoo"


def cache() -> Path:
    """Folder for what can be made again: $EDGEASR_CACHE, else the user's cache folder."""
    if chosen := os.environ.get("EDGEASR_CACHE"):
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeasr"


def configuration() -> Path:
    """File of what a user told edgeasr once for all: TOML; it need not exist."""
    folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "edgeasr" / "edgeasr.toml"
