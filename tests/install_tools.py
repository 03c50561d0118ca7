"""Gets what tests need and is missing, by pip, apt-get (as root) and npm.

``python tests/install_tools.py`` ends with exit code 0 whatever it could get: its last lines say
what it could not, and the tests that need it say so again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import ENVIRONMENT, TOOLS, Tool

TIME_LIMIT = 600
"""Seconds that one client may take: a source that does not answer must not hold up the rest."""
PIP = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
APT = ("apt-get", "install", "--yes", "--quiet", "--no-install-recommends")
NPM = ("npm", "install", "--no-audit", "--no-fund", "--prefix", str(ENVIRONMENT))


def run(command: Sequence[str]) -> str:
    """Return what is wrong with a command that has failed; an empty text where it has not."""
    if shutil.which(command[0]) is None:
        return f"there is no {command[0]}"
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIME_LIMIT,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
    except subprocess.TimeoutExpired:
        return f"{command[0]} took more than {TIME_LIMIT} seconds"
    if done.returncode == 0:
        return ""
    said = done.stdout.strip().splitlines() or ["it said nothing"]
    return f"{Path(command[0]).name} {' '.join(command[1:3])}: {said[-1]}"


def install(tool: Tool) -> str:
    """Return what kept a tool from being installed; an empty text where nothing did."""
    if tool.client == "apt" and os.geteuid() != 0:
        return "apt-get needs root"
    if tool.client == "npm" and shutil.which("npm") is None and os.geteuid() == 0:
        run([*APT, "npm"])
    client = {"pip": PIP, "apt": APT, "npm": NPM}[tool.client]
    wrong = ""
    for package in tool.packages:
        wrong = run([*client, package])
        if not wrong:
            return "" if tool.find() else "installed, but not found"
    return wrong


def main() -> None:
    """Install what is missing; print what was installed and what was not."""
    missing = {name: tool for name, tool in TOOLS.items() if tool.client and not tool.find()}
    if os.geteuid() == 0 and any(tool.client != "pip" for tool in missing.values()):
        run(["apt-get", "update", "--quiet"])
    failed = {}
    for name, tool in missing.items():
        wrong = install(tool)
        print(f"{name}: {wrong or 'installed'}", flush=True)
        if wrong:
            failed[name] = wrong
    for name, wrong in failed.items():
        print(f"not to be had: {name} ({wrong})")


if __name__ == "__main__":
    main()
