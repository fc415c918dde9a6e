"""Installs the wheel into an empty environment of every CPython that is there, and tests it.

Usage: python test_each_python.py WHEEL FOLDER [EXTRAS]

FOLDER gets one environment for each version. Interpreters are looked for on the path and among
pyenv's versions.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent.parent
PROBE = "import sys; print(sys.implementation.name, *sys.version_info[:2])"
IMPORT = (
    "import time; start = time.perf_counter(); import silkline;"
    "print(f'silkline {silkline.__version__}, imported in"
    " {(time.perf_counter() - start) * 1000:.1f} ms')"
)


def interpreters() -> dict[str, Path]:
    """One interpreter for each version of CPython from 3.10 on."""
    found = [Path(sys.executable)]
    found += (Path.home() / ".pyenv" / "versions").glob("*/bin/python3")
    for folder in os.get_exec_path():
        if Path(folder).is_dir():
            found += (p for p in Path(folder).iterdir() if re.fullmatch(r"python3\.\d+", p.name))
    versions: dict[str, Path] = {}
    for path in found:
        probe = subprocess.run([path, "-c", PROBE], capture_output=True, text=True, check=False)
        name, *version = probe.stdout.split() or ["none", "0", "0"]
        if name == "cpython" and tuple(map(int, version)) >= (3, 10):
            versions.setdefault(".".join(version), path)
    return dict(sorted(versions.items(), key=lambda item: int(item[0].split(".")[1])))


def main(wheel: str, folder: str, extras: str = "test") -> int:
    """Tests the wheel everywhere; the exit status counts the versions that fail."""
    failed = []
    for version, python in interpreters().items():
        home = Path(folder).absolute() / version
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([python, "-m", "venv", home], check=True)
        inside = str(home / "bin" / "python")
        install = [inside, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*install, "--no-deps", Path(wheel).absolute()], check=True)
        print(f"--- Python {version} ---", flush=True)
        subprocess.run([inside, "-I", "-c", IMPORT], check=True)
        subprocess.run(
            [*install, f"silkline[{extras}] @ {Path(wheel).absolute().as_uri()}"], check=True
        )
        tests = subprocess.run(
            [inside, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=HERE, check=False
        )
        if tests.returncode:
            failed.append(version)
    print(f"failed: {', '.join(failed)}" if failed else "every Python passed")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
