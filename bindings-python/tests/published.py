"""Published clients, each in a virtual environment of its own with pinned requirements."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

_HERE = Path(__file__).parent
_ROOT = Path(__file__).resolve().parents[2] / "target" / "published"


def interpreter(name: str) -> str:
    """The Python of the environment for ``requirements-NAME.txt``, made on first use."""
    requirements = _HERE / f"requirements-{name}.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    mark = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    folder = _ROOT / f"{name}-{version}-{mark}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (folder / "complete").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, "-r", str(requirements)], check=True)
        (folder / "complete").touch()
    return str(python)


def sources(name: str, version: str) -> Path:
    """The folder with a package as its authors packed it, tests included."""
    folder = _ROOT / f"{name}-{version}-sources"
    if not (folder / "complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        download = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
        download += ["--no-deps", "--no-binary", ":all:", "-d", str(folder), f"{name}=={version}"]
        subprocess.run(download, check=True)
        (archive,) = folder.glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        (folder / "complete").touch()
    (inside,) = (path for path in folder.iterdir() if path.is_dir())
    return inside
