"""Panels: round ticks, and the same picture as text, SVG and PNG."""

from __future__ import annotations

import io
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from tools import needs

from craig_cli.reports.panel import INK, PALETTE, Panel, Series, make_axis, number, percent
from craig_cli.reports.panel_png import write_png
from craig_cli.reports.panel_svg import element, sheet
from craig_cli.reports.panel_text import in_text


def words(axis):
    return [text for _, text in axis.ticks]


@pytest.mark.parametrize(
    ("values", "is_log", "ticks"),
    [
        ((0, 1), False, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ((-3, 7.7), False, ["-2", "0", "2", "4", "6", "8"]),
        ((12345, 99999), False, ["20,000", "40,000", "60,000", "80,000", "100,000"]),
        ((0, 0), False, ["-0.4", "-0.2", "0", "0.2", "0.4"]),
        ((1, 60), True, ["1", "2", "5", "10", "20", "50"]),
        ((1, 5000), True, ["1", "10", "100", "1,000"]),
        ((1e-12, 1), True, ["1e-12", "1e-9", "1e-6", "0.001", "1"]),
        ((1.1, 1.3), True, ["1.1", "1.15", "1.2", "1.25", "1.3"]),
        ((5, 5), True, ["4", "6", "8", "10"]),
    ],
)
def test_ticks_are_round(values, is_log, ticks):
    assert words(make_axis("", values, is_log=is_log)) == ticks


def are_round(values):
    """Return whether all are 1, 2 or 5 times a power of ten."""
    return {f"{value:.3e}"[:5] for value in values} <= {"1.000", "2.000", "5.000"}


def test_ticks_are_round_few_and_within():
    rng = np.random.default_rng(0)
    for _ in range(300):
        low = 10 ** rng.uniform(-9, 6)
        high = low * (1 + 10 ** rng.uniform(-3, 10))
        for is_log in (False, True):
            axis = make_axis("", (low, high), is_log=is_log)
            places = [place for place, _ in axis.ticks]
            assert 2 <= len(places) <= 8
            assert axis.low <= places[0] and places[-1] <= axis.high
            assert are_round(np.diff(places)) or (is_log and are_round(places)), places


def test_an_axis_holds_its_values():
    for is_log in (False, True):
        axis = make_axis("", (2, 30, 7), is_log=is_log)
        assert 0 < axis.share(2) < axis.share(7) < axis.share(30) < 1
    assert axis.share(math.sqrt(60)) == pytest.approx(0.5)


def test_whole_numbers_and_shares():
    assert words(make_axis("", (1, 2), is_whole=True)) == ["1", "2"]
    assert words(make_axis("", (0, 1), text=percent)) == [f"{p}%" for p in range(0, 101, 20)]
    assert [number(x) for x in (0, 1e-4, -2.5e-7, 0.25, 999, 1500, 2e6, 1e20)] == [
        *("0", "1e-4", "-2.5e-7", "0.25", "999", "1,500", "2e6", "1e20")
    ]


PANEL = Panel(
    "<Fall & rise>",
    make_axis("picks", (1, 100), is_log=True),
    make_axis("cost", (0, 4)),
    (
        Series(((1, 0), (10, 4), (100, 2)), PALETTE[0], "a<b", is_dashed=True),
        Series(((10, 1),), INK, kind="dots", width=4),
        Series(((1, 1), (100, 3)), PALETTE[1], "c", "circles", areas=(1.0, 0.25)),
    ),
)


def test_in_text():
    shown = in_text(PANEL, 30)
    lines = shown.splitlines()
    assert lines[:2] == ["<Fall & rise>", "cost"]
    assert [line[0] for line in lines[2:14] if line[0] != " "] == list("43210")
    assert lines[2].startswith("4 |") and lines[2].index("*") == 16
    assert lines[14] == "  +-+-----------+-----------+-"
    assert lines[15] == "    1          10          100"
    assert lines[16] == f"{'picks':>30}"
    assert max(map(len, lines)) <= 30 and shown.isascii()


def test_words_under_an_axis_never_touch():
    panel = Panel("", make_axis("", (1, 60), is_log=True), make_axis("", (0, 1)), ())
    assert in_text(panel, 18).splitlines()[15].split() == ["1", "2", "5", "20"]


def test_in_svg():
    tree = ET.fromstring(element(PANEL))
    texts = [e.text for e in tree.iter("text")]
    assert texts[:3] == ["<Fall & rise>", "cost", "picks"]
    assert texts[3:] == ["0", "1", "2", "3", "4", "1", "10", "100"]
    assert tree.find("title").text == "<Fall & rise>" and tree.get("fill") == INK
    inner = tree.find("svg")
    assert [e.tag for e in inner] == ["path", "path", "circle", "circle"]
    assert [e.get("stroke") for e in inner] == [PALETTE[0], INK, PALETTE[1], PALETTE[1]]
    assert [float(e.get("r")) for e in inner.iter("circle")] == [5.5, 3.2]
    assert inner[0].get("stroke-dasharray") and not inner[1].get("stroke-dasharray")
    width, height = float(inner.get("width")), float(inner.get("height"))
    for x, y in re.findall(r"([\d.]+) ([\d.]+)", inner[0].get("d")):
        assert 0 <= float(x) <= width and 0 <= float(y) <= height
    # what no ticks mark is no wider than what is drawn
    assert all(0 <= float(e.get("x")) <= 400 for e in tree.iter("text"))


def test_a_sheet_of_panels():
    text = sheet("all <of> it", [PANEL] * 3, 2, "a test")
    tree = ET.fromstring(text.encode())
    space = "{http://www.w3.org/2000/svg}"
    assert (tree.get("width"), tree.tag) == ("800", f"{space}svg")
    groups = [e.get("transform") for e in tree.findall(f"{space}g")]
    assert groups == ["translate(0 34)", "translate(400 34)", "translate(0 364)"]
    legend = [e.text for e in tree.findall(f"{space}g/{space}g/{space}text")]
    assert legend == ["a<b", "c"] * 3
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"<script|href|url\(|@import", text)


def test_a_long_legend_takes_several_lines():
    names = [f"class number {n}" for n in range(8)]
    panel = Panel("", PANEL.x, PANEL.y, tuple(Series((), name=name) for name in names))
    tree = ET.fromstring(sheet("", [panel], 1, "").encode())
    shown = [e for e in tree.iter("{http://www.w3.org/2000/svg}text") if e.text in names]
    assert [e.text for e in shown] == names
    assert max(float(e.get("x")) for e in shown) < 400 - 6 * len(names[0])
    assert len({e.get("y") for e in shown}) == 3


def test_in_png():
    needs("matplotlib")
    found = []
    for _ in range(2):
        out = io.BytesIO()
        write_png(out, "title", [PANEL, PANEL, PANEL], 2, "a test")
        found.append(out.getvalue())
    assert found[0] == found[1] and found[0].startswith(b"\x89PNG") and b"a test" in found[0]
