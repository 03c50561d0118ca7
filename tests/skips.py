"""Which tests were skipped, and whether any of them need not have been.

``python tests/skips.py REPORT.xml ...`` takes pytest's ``--junitxml`` of one or more runs. A test
counts as skipped where no run has run it. It fails where what the test needs is there after all,
and where a skip has not the form of `tools.py`, so that nobody can tell.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from xml.etree import ElementTree

from tools import TOOLS


def reason_of(skip: ElementTree.Element) -> str:
    """Return why a test was skipped, or a whole file, whose reason is the last part of a tuple."""
    if skip.get("type"):
        return skip.get("message") or ""
    return str(ast.literal_eval(skip.text or "('',)")[-1]).removeprefix("Skipped: ")


def skipped_tests(reports: Iterable[str]) -> dict[str, str]:
    """Return the reason of each test that no run has run."""
    skipped: dict[str, str] = {}
    run: set[str] = set()
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):
            file, name = case.get("classname") or "", case.get("name") or ""
            skip = case.find("skipped")
            if skip is not None and skip.get("type") != "pytest.xfail":
                skipped[f"{file}::{name}" if file else name] = reason_of(skip)
            else:
                # A file that was skipped whole stands there by its name alone.
                run |= {f"{file}::{name}", file}
    return {test: reason for test, reason in skipped.items() if test not in run}


def verdict(skipped: dict[str, str]) -> tuple[list[str], list[str]]:
    """Return a line for each reason, and one for each skip that need not have been."""
    reasons, wrong = Counter(skipped.values()), defaultdict(list)
    for test, reason in skipped.items():
        name = re.match(r"needs ([^:]+): ", reason)
        tool = TOOLS.get(name[1]) if name else None
        if tool is None:
            wrong[f"not of the form 'needs NAME: ...' of tests/tools.py: {reason}"].append(test)
        elif tool.find() or tool.is_installed():
            wrong[f"{reason}, yet it is there"].append(test)
    return (
        [f"{count} skipped: {reason}" for reason, count in reasons.most_common()],
        [f"{reason} ({', '.join(tests)})" for reason, tests in wrong.items()],
    )


def main(reports: list[str]) -> int:
    """Print the skips of some runs; return 1 where one need not have been."""
    lines, wrong = verdict(skipped_tests(reports))
    print("\n".join(lines or ["No test was skipped."]))
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
