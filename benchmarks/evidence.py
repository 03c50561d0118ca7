"""Makes EVIDENCE.md (``make evidence``), section by section: what a coreset costs in loss, and what
it saves in time, measured.

A section is a module with ``measure(part, max_rows)``, which returns records (dicts of JSON types),
and ``text(kept)``, which writes them up. Each part is measured in a process of its own, and what
comes out is kept in ``benchmarks/kept``, with the commit that it was measured on, so that parts can
be measured one at a time (``--only NAME --part PART``), a section written again without measuring
(``--kept``), and conclusions drawn from the figures of other sections.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from bench import machine
from datasets import SETS, at_hand, left_out

ROOT = Path(__file__).parents[1]
MADE = ("*.md", "docs/paper", "benchmarks/kept")
"""What measuring writes, in git's words."""
Record: TypeAlias = dict[str, Any]
Kept: TypeAlias = Mapping[str, list[Record]]
"""The records of each part that was measured."""


@dataclass(frozen=True)
class Section:
    """A title, the module that measures and writes, and the parts to measure; without parts it is
    written from those of all sections.
    """

    title: str
    module: str
    parts: tuple[str, ...] = ()


ONE_CORESET_PARTS = (
    *(f"{data}-{share}" for data in ("ijcnn1", "adult", "covtype16") for share in (0.01, 0.1, 0.3)),
    *("flights-0.01", *(f"covtype16 class {label}-0.05" for label in (4, 5, 6, 7))),
    *("flights, 3 hours late-0.05", "abalone-0.03", "reuters-0.1", "mnist-0.02"),
)
RIVAL_PARTS = ("ijcnn1-0.01", "ijcnn1-0.1", "covtype16-0.01", "adult-0.1")
SPEED_PARTS = tuple(
    f"{data}-{solver}" for data in ("flights", "ijcnn1") for solver in ("sgd", "svrg", "saga")
)
MODEL_PARTS = (
    "svm-ijcnn1",
    *(f"boosting-{data}" for data in ("covtype16", "ijcnn1", "adult", "flights")),
    *(f"neighbour-{data}" for data in ("covtype16", "ijcnn1", "adult")),
    *(f"network-{data}" for data in ("ijcnn1", "covtype16")),
)
SEARCH_PARTS = (
    *(f"logistic-{data}" for data in ("ijcnn1", "covtype16", "adult", "flights")),
    "softmax-clinc150",
    *(f"svm-{data}" for data in ("ijcnn1", "covtype16", "adult")),
    *(f"neighbour-{data}" for data in ("ijcnn1", "covtype16", "clinc150")),
    "ridge-abalone",
    *(f"boosting-{data}" for data in ("ijcnn1", "covtype16", "flights")),
    *(f"xgboost-{data}" for data in ("covtype16", "adult")),
    *(f"network-{data}" for data in ("ijcnn1", "covtype16")),
)
LABELLING_PARTS = ("clinc150", "mnist")
SECTIONS: dict[str, Section] = {
    "claims": Section("What holds, and what does not", "claims"),
    "one_coreset": Section("One coreset for the whole path", "one_coreset", ONE_CORESET_PARTS),
    "models": Section("The same coreset for other models", "other_models", MODEL_PARTS),
    "searching": Section("Searching for parameters", "searching", SEARCH_PARTS),
    "labelling": Section("Which rows to label", "labelling", LABELLING_PARTS),
    "rivals": Section("Beside other subsets, and Newton's steps", "rivals", RIVAL_PARTS),
    "speed": Section("What it saves in a tuning grid", "speed", SPEED_PARTS),
}
"""In the order of the document. All are measured before any is written."""


def folder(name: str, max_rows: int) -> Path:
    """Return where the records of a section are kept; those of a trial apart."""
    return ROOT / ("build/evidence-trial" if max_rows else "benchmarks/kept") / name


def commit() -> str:
    """Return the commit that is checked out, a plus sign after it if files were changed since, other
    than those that measuring writes: pages, pictures, what is kept.
    """
    described = git("describe", "--always", "--exclude=*")
    changed = git("status", "--porcelain", "-uno", "--", ".", *(f":!{made}" for made in MADE))
    return f"{described}{'+' if changed else ''}" or "unknown"


def git(*arguments: str) -> str:
    """Return what git says of this repository; nothing if it is none."""
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def begun_file(name: str, part: str, max_rows: int) -> Path:
    """Return where a part that takes long leaves its records as they come, to go on from there."""
    return ROOT / "build" / "evidence-begun" / name / f"{part}-{max_rows}.json"


def begun_records(name: str, part: str, max_rows: int) -> list[Record]:
    """Return what an earlier measurement of a part came to before it was stopped, on this commit."""
    file = begun_file(name, part, max_rows)
    known = json.loads(file.read_text()) if file.exists() else {"commit": None}
    records: list[Record] = known["records"] if known["commit"] == commit() else []
    return records


def leave_begun(name: str, part: str, max_rows: int, records: list[Record]) -> None:
    """Leave the records of a part so far for `begun_records`."""
    file = begun_file(name, part, max_rows)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"commit": commit(), "records": records}))


def measure_part(name: str, part: str, max_rows: int) -> None:
    """Measure one part of a section, and keep the records."""
    begun = time.perf_counter()
    records = importlib.import_module(SECTIONS[name].module).measure(part, max_rows)
    place = folder(name, max_rows)
    place.mkdir(parents=True, exist_ok=True)
    known = {"commit": commit(), "records": records}
    (place / f"{part}.json").write_text(json.dumps(known, separators=(",", ":")) + "\n")
    begun_file(name, part, max_rows).unlink(missing_ok=True)
    say(f"-- {name}, {part}: {time.perf_counter() - begun:.0f} s")


def set_of(part: str) -> str:
    """Return the data set of a part: its name begins or ends with it, beside a hyphen."""
    first, _, others = part.partition("-")
    return first if first in SETS else others


def measure_all(name: str, max_rows: int, go_on: bool = False) -> list[str]:
    """Measure the parts of a section, each in a process of its own, and return those that failed.

    Parts whose data is not at hand are left out. Going on, only parts that are not kept are measured, and a failure stops nothing.
    """
    kept, failed = kept_of(name, max_rows) if go_on else {}, []
    for part in SECTIONS[name].parts:
        if part in kept or not at_hand([set_of(part)]):
            continue
        options = ["--only", name, "--part", part, "--max-rows", str(max_rows)]
        done = subprocess.run([sys.executable, __file__, *options], check=not go_on)
        if done.returncode:
            say(f"-- {name}, {part}: failed")
            failed.append(f"{name}, {part}")
    return failed


def files_of(name: str, max_rows: int) -> dict[str, Any]:
    """Return what is kept of the measured parts of a section, in the order of the section."""
    files = {part: folder(name, max_rows) / f"{part}.json" for part in SECTIONS[name].parts}
    return {part: json.loads(file.read_text()) for part, file in files.items() if file.exists()}


def kept_of(name: str, max_rows: int) -> dict[str, list[Record]]:
    """Return the records of the measured parts of a section."""
    return {part: kept["records"] for part, kept in files_of(name, max_rows).items()}


def written(name: str, max_rows: int) -> str:
    """Return a section as Markdown, from what is kept; empty where nothing is."""
    section = SECTIONS[name]
    module = importlib.import_module(section.module)
    if section.parts:
        kept = kept_of(name, max_rows)
        missing = [part for part in section.parts if part not in kept]
        text = module.text(kept).strip() if kept else ""
        remarks = [f"Not measured: {'; '.join(missing)}."] if kept and missing else []
        remarks += [f["remark"] for f in files_of(name, max_rows).values() if "remark" in f]
        text = "\n\n".join([text, " ".join(remarks)]).strip()
    else:
        text = module.text(
            {other: kept_of(other, max_rows) for other in SECTIONS if SECTIONS[other].parts}
        ).strip()
    commits = sorted({kept["commit"] for kept in files_of(name, max_rows).values()})
    command = f"`python benchmarks/evidence.py --only {name}`"
    command += f", at {', '.join(commits)}" if commits else ""
    return f"## {section.title}\n\n{command}\n\n{text}\n" if text else ""


def replaced(document: str, sections: Sequence[str]) -> str:
    """Return a document with sections in place of those of the same title; new ones are added at
    the end.
    """
    head, *others = document.rstrip("\n").split("\n## ")
    bodies = {
        ("## " + other).splitlines()[0]: "## " + other.rstrip("\n") + "\n" for other in others
    }
    for section in sections:
        bodies[section.splitlines()[0]] = section
    return "\n".join([head.rstrip("\n") + "\n", *bodies.values()])


def header() -> str:
    """Return the start of the document."""
    absent = left_out(set_of(part) for section in SECTIONS.values() for part in section.parts)
    absent = absent and "\n" + absent
    return (
        "# Evidence\n\nMade by `make evidence`, section by section with the command that each "
        "names; every figure, in the sentences too, is "
        f"measured by it.\n\n{machine()}\n{absent}"
    )


def say(text: str) -> None:
    """Report progress."""
    print(text, file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    """Return what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=tuple(SECTIONS), help="one section")
    parser.add_argument(
        "--part", help="measure one part of it, keep what comes out, and write nothing"
    )
    parser.add_argument(
        "--go-on",
        action="store_true",
        help="measure only the parts that are not kept, and go on after a failure",
    )
    parser.add_argument(
        "--kept", action="store_true", help="measure nothing: write what benchmarks/kept has"
    )
    parser.add_argument(
        "--into", type=Path, help="replace the sections in this file (default: print them)"
    )
    parser.add_argument(
        "--max-rows",
        type=int,
        default=0,
        help="no data set has more rows than that: a trial of the scripts themselves",
    )
    given = parser.parse_args()
    if given.part and (given.only is None or given.part not in SECTIONS[given.only].parts):
        known = SECTIONS[given.only].parts if given.only else ()
        parser.error(f"--part: give --only, and one of its parts. {'; '.join(known)}")
    return given


def main() -> int:
    """Print the document, or write sections into it; returns 1 if a part failed or there is nothing
    to write.
    """
    given = arguments()
    if given.part:
        if not at_hand([set_of(given.part)]):
            return 1
        measure_part(given.only, given.part, given.max_rows)
        return 0
    names, failed = [given.only] if given.only else list(SECTIONS), []
    if not given.kept:
        for name in names:
            failed += measure_all(name, given.max_rows, given.go_on)
    sections = [text for name in names if (text := written(name, given.max_rows))]
    if not sections:
        say("Nothing was measured, so nothing is written.")
        return 1
    if given.into is None:
        print("\n".join([header(), *sections]), end="")
    else:
        before = given.into.read_text() if given.only and given.into.exists() else header()
        given.into.write_text(replaced(before, sections))
    if failed:
        say(f"Failed: {'; '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
