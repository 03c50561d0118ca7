"""The tiers: what the quick one spares, and that a skip which need not be is told."""

from __future__ import annotations

from xml.etree import ElementTree

import install_tools
import pytest
import skips
import tools
from tools import Tool, spared

CASES = [{"a": a, "b": b, "c": c} for a in range(3) for b in "xy" for c in (True, False)]


def seen(cases, names):
    return {tuple(case[name] for name in names) for case in cases}


@pytest.mark.parametrize(("together", "kept"), [(1, 3), (2, 6)])
def test_what_is_kept_shows_every_value_or_every_pair(together, kept):
    left = spared(CASES, together)
    quick = [case for place, case in enumerate(CASES) if place not in left]
    assert len(quick) == kept
    for names in ("a", "b", "c") if together == 1 else ("ab", "ac", "bc"):
        assert seen(quick, names) == seen(CASES, names)


def report(path, *cases):
    """Write a report of tests, of a file and a name each, and why it was skipped, if it was."""
    suite = ElementTree.Element("testsuite")
    for file, name, why in cases:
        case = ElementTree.SubElement(suite, "testcase", classname=file, name=name)
        if why and file:
            ElementTree.SubElement(case, "skipped", type="pytest.skip", message=why).text = "..."
        elif why:
            skip = ElementTree.SubElement(case, "skipped", message="collection skipped")
            skip.text = repr(("tools.py", 146, f"Skipped: {why}"))
    ElementTree.ElementTree(suite).write(path)
    return str(path)


def test_a_test_counts_as_skipped_where_no_run_has_run_it(tmp_path):
    first = report(
        tmp_path / "1.xml",
        ("t.a", "one", "needs zsh: x"),
        ("t.a", "two", "needs fish: x"),
        ("", "t.whole", "needs torch: x"),
        ("t.a", "three", None),
    )
    second = report(tmp_path / "2.xml", ("t.a", "one", None), ("t.whole", "four", None))
    assert skips.skipped_tests([first, second]) == {"t.a::two": "needs fish: x"}
    assert skips.skipped_tests([first]) == {
        "t.a::one": "needs zsh: x",
        "t.a::two": "needs fish: x",
        "t.whole": "needs torch: x",
    }


ABSENT = Tool("program", ("no-such-program",), "pip", ("no-such-package",))
PRESENT = Tool("module", ("pytest",), "pip", ("pytest>=8",))
HIDDEN = Tool("module", ("no_such_module",), "pip", ("pytest>=8",))


@pytest.mark.parametrize(
    ("tool", "reason", "error"),
    [
        (ABSENT, "needs it: somehow", None),
        (PRESENT, "needs it: somehow", "error: needs it: somehow, yet it is there (t::a)\n"),
        (HIDDEN, "needs it: somehow", "error: needs it: somehow, yet it is there (t::a)\n"),
        (
            ABSENT,
            "not today",
            "error: not of the form 'needs NAME: ...' of tests/tools.py: not today (t::a)\n",
        ),
    ],
)
def test_a_skip_that_need_not_be_fails(monkeypatch, tmp_path, capsys, tool, reason, error):
    monkeypatch.setitem(tools.TOOLS, "it", tool)
    code = skips.main([report(tmp_path / "r.xml", ("t", "a", reason), ("t", "b", None))])
    said = capsys.readouterr()
    assert (code, said.out, said.err) == (int(bool(error)), f"1 skipped: {reason}\n", error or "")


def test_a_test_that_needs_what_is_not_there_is_skipped_in_one_form(monkeypatch):
    monkeypatch.setitem(tools.TOOLS, "it", ABSENT)
    with pytest.raises(pytest.skip.Exception) as caught:
        tools.needs("it")
    assert str(caught.value) == "needs it: pip install 'no-such-package'"


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        (["true"], ""),
        (["no-such-client", "install"], "there is no no-such-client"),
        (["sh", "-c", "echo first; echo why; exit 3"], "sh -c echo first; echo why; exit 3: why"),
        (["sleep", "9"], "sleep took more than 1 seconds"),
    ],
)
def test_what_is_told_of_a_client(monkeypatch, command, wrong):
    monkeypatch.setattr(install_tools, "TIME_LIMIT", 1)
    assert install_tools.run(command) == wrong


def test_what_cannot_be_had_is_told_at_the_end_and_the_rest_goes_on(monkeypatch, capsys):
    asked = []

    def run(command):
        asked.append(command[-1])
        return "pip install: no answer" if command[-1].startswith("no-such") else ""

    either = Tool("module", ("no_such_module",), "pip", ("no-such-first", "second"))
    found = {"absent": ABSENT, "here": PRESENT, "either": either}
    monkeypatch.setattr(install_tools, "run", run)
    monkeypatch.setattr(install_tools, "TOOLS", found)
    install_tools.main()
    assert asked == ["no-such-package", "no-such-first", "second"]
    assert capsys.readouterr().out.splitlines() == [
        "absent: pip install: no answer",
        "either: installed, but not found",
        "not to be had: absent (pip install: no answer)",
        "not to be had: either (installed, but not found)",
    ]
