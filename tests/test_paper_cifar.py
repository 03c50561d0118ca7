"""The runs of ``make paper-large``: what fits into a budget, going on after a stop, and what the
page says; on made images and a tiny network.
"""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import paper_cifar
import pytest
from paper_cifar_plan import (
    ALL,
    CRAIG,
    FIGURE_6,
    FIXED,
    FRESH,
    LAYER,
    RESET,
    TIMED,
    Cell,
    Plan,
    all_cells,
    epochs_as_long,
    keep,
    left_to_do,
    planned,
    read_kept,
    said,
    that_fit,
)
from tools import needs

RATES = (300.0, 1000.0)
PLAN = Plan(10, 10_000, *RATES)
N = 2000


def total(plan, cells):
    return sum(map(plan.seconds_of, cells)) / 60


def test_longer_budgets_have_longer_runs_and_those_of_a_seed_fit():
    first = [cell for cell in all_cells() if cell.way != ALL and cell.seed == 0]
    plans = {minutes: planned(minutes, *RATES) for minutes in (60, 480, 1500, 60_000)}
    longest = [plan.longest for plan in plans.values()]
    assert longest == sorted(longest) and longest[0] < longest[1] < longest[2]
    assert all(total(plans[minutes], first) <= minutes for minutes in (480, 1500, 60_000))
    assert plans[60_000].epochs_of(0.01) == 200
    assert all(plan.epochs_of(cell.share) >= 10 for plan in plans.values() for cell in first)


def test_what_matters_most_is_run_first_and_the_budget_holds():
    cells = list(all_cells())
    assert len(cells) == len(set(cells))
    some = that_fit(cells, PLAN, 60)
    assert 0 < total(PLAN, some) <= 60
    assert some[:2] == [Cell(FIXED, 0.01, 0, 0), Cell(FRESH, 0.01, 0, 0)]
    assert {cell.share for cell in cells[:40]} == {0.01, 0.1}
    assert [cell.seed for cell in cells[:40]] == [0] * 20 + [1] * 20
    assert len(cells) == 102
    assert [cell.way for cell in cells[-2:]] == [ALL, ALL]
    assert f"budget 60 minutes: {len(some)} runs in about" in said(PLAN, some, 60)
    assert that_fit(cells, PLAN, 0) == []


def test_a_run_of_equal_time_has_the_epochs_of_the_seconds_measured():
    cell = Cell(TIMED, 0.1, 5, 0)
    craig = {"way": CRAIG, "share": 0.1, "every": 5, "seed": 0}
    craig |= {"steps_seconds": 100.0, "selection_seconds": 50.0}
    epochs = PLAN.epochs_of(0.1)
    assert epochs_as_long(cell, PLAN, [craig]) == round(1.5 * epochs)
    steps, passes = 5000 / 300, 20_000 / 1000 / 5
    assert epochs_as_long(cell, PLAN, []) == round(epochs * (1 + passes / steps))


def numbers(cell, accuracy, selection=0.0, epochs=20):
    found = asdict(cell) | {"epochs": epochs, "pool": 10_000 if selection else 0}
    found |= {"backward": epochs * cell.picks, "steps_seconds": 30.0}
    found |= {"selection_seconds": selection, "accuracy": accuracy, "curve": [[1, 2, 3, 0.1]]}
    return found | {"commit": "abc", "cores": 2}


def test_what_is_kept_is_not_run_again(tmp_path):
    path = tmp_path / "docs" / "cifar.json"
    assert left_to_do(read_kept(path)) == list(all_cells())
    first, second = list(all_cells())[:2]
    kept = {"plan": asdict(PLAN), "runs": [numbers(second, 0.5)]}
    keep(path, kept)
    assert read_kept(path) == kept
    assert left_to_do(read_kept(path))[0] == first and second not in left_to_do(read_kept(path))
    assert [p.name for p in path.parent.iterdir()] == ["cifar.json"]


@pytest.mark.needs("matplotlib")
def test_the_text_quotes_the_numbers(tmp_path, monkeypatch):
    import paper_cifar_page
    import paper_pictures

    monkeypatch.setattr(paper_pictures, "FOLDER", tmp_path)
    monkeypatch.setattr(paper_cifar_page, "at_hand", lambda names: names)
    monkeypatch.setattr(
        paper_cifar_page, "cifar10", lambda part: (np.zeros((9, 32, 32, 3), np.uint8), None)
    )
    path = tmp_path / "cifar.json"
    assert paper_cifar.text(path) == ""
    stage = {"rows": [[1, 2], [3]], "share_of_heaviest_tenth": 0.25, "spread": 4.0}
    runs = [
        numbers(Cell(FIXED, 0.01, 0, 0), 0.30),
        numbers(Cell(FRESH, 0.01, 0, 0), 0.50),
        numbers(Cell(FRESH, 0.01, 0, 1), 0.54),
        numbers(FIGURE_6, 0.40, 60.0) | {"stages": {"2": stage, "20": stage | {"spread": 5.0}}},
        numbers(Cell(LAYER, 0.01, 1, 0), 0.45, 70.0) | {"held_share": [0.9, 0.97]},
        numbers(Cell(RESET, 0.01, 1, 0), 0.35, 60.0),
        numbers(Cell(TIMED, 0.01, 1, 0), 0.60, epochs=60),
        numbers(Cell(ALL, 1.0, 0, 0), 0.8),
    ]
    keep(path, {"plan": asdict(PLAN), "runs": runs})
    text = paper_cifar.text(path)
    assert "| 1% | 1 | 30.00 | 52.00 ± 2.00 | 40.00 | 45.00 | 35.00 | 60.00 |" in text
    assert "| 1% | 1 | 20 | 10,000 | 30 | 30 | 60 | 70 | 60 | 30 |" in text
    assert (
        "*CRAIG, p - y* is above one fixed random subset in 1 of 1 case (mean +10.00 points, "
        "+10.00 to +10.00), and above fresh random rows in 0 of 1 case (mean -10.00 points"
    ) in text
    assert "last layer's gradient in 0 of 1 case (mean -5.00 points" in text
    assert "momentum reset in 1 of 1 case (mean +5.00 points" in text
    assert "By equal time" in text and "in 0 of 1 case (mean -20.00 points" in text
    assert "333 to 33333 images a second went forward and backward, by the machine" in text
    assert "97.0% of the squared length" in text and "come to 80.00 %" in text
    assert [(claim.measured[:31], claim.holds) for claim in paper_cifar.claims(path)] == [
        ("in 1 of 1 case (mean +10.00 poi", "yes"),
        ("in 0 of 1 case (mean -10.00 poi", "no"),
        ("mean distance to the nearest ot", "yes"),
    ]
    assert "column they do here" in text and "8 of 102 planned runs are kept" in text
    assert {p.name for p in tmp_path.glob("*.png")} == {"fig5.png", "fig6.png"}


@pytest.fixture
def training():
    """The module, with images of ten colours and a tiny network."""
    torch = needs("torch")
    import paper_cifar_training as module

    def network():
        nn = torch.nn
        body = nn.Sequential(nn.Conv2d(3, 6, 3, 2, bias=False), nn.BatchNorm2d(6), nn.ReLU())
        return nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 10))

    rng = np.random.default_rng(0)
    labels = np.arange(N) % 10
    rows = rng.integers(0, 90, (N, 32, 32, 3)).astype(np.uint8)
    rows += (80 * (labels[:, None] // (1, 3, 9) % 3)).astype(np.uint8)[:, None, None]
    module.tiny = (module.Data(rows, labels, rows[:90], labels[:90]), network)
    yield module
    del module.tiny


@pytest.mark.needs("torch")
@pytest.mark.parametrize("way", [FIXED, FRESH, CRAIG, LAYER, RESET, TIMED])
def test_each_way_takes_as_many_backward_passes(training, way):
    data, network = training.tiny
    recipe = training.Recipe(Cell(way, 0.1, 2, 0), 4, N // 2)
    found = training.run(data, recipe, network)
    assert found["backward"] == 4 * N // 10 and found["epochs"] == 4
    assert 0 <= found["accuracy"] <= 1 and len(found["curve"]) == 4
    assert ("held_share" in found) == (way == LAYER)
    json.dumps(found)


@pytest.mark.needs("torch")
def test_training_learns_and_notes_what_is_chosen(training):
    data, network = training.tiny
    found = training.run(data, training.Recipe(FIGURE_6, 20, N // 2), network)
    assert list(found["stages"]) == ["2", "10", "20"]
    chosen = found["stages"]["20"]["rows"]
    assert all(data.labels[row] == c for c, own in enumerate(chosen) for row in own)
    whole = training.run(data, training.Recipe(Cell(ALL, 1.0, 0, 0), 5, 0), network)
    assert whole["accuracy"] > 0.4 and whole["backward"] == 5 * N


@pytest.mark.needs("torch")
def test_a_run_goes_on_as_if_nothing_had_happened(training, tmp_path, monkeypatch):
    data, network = training.tiny
    recipe = training.Recipe(Cell(CRAIG, 0.1, 2, 0), 5, N // 2)
    whole, path = training.run(data, recipe, network), tmp_path / "run.pt"
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0)
    noted, calls = training.Training.note, []

    def stops_in_the_fourth_epoch(self):
        calls.append(self.epoch)
        if len(calls) == 4:
            raise KeyboardInterrupt
        noted(self)

    monkeypatch.setattr(training.Training, "note", stops_in_the_fourth_epoch)
    with pytest.raises(KeyboardInterrupt):
        training.run(data, recipe, network, path)
    rest = training.run(data, recipe, network, path)
    assert calls == [1, 2, 3, 4, 4, 5] and not path.exists()
    assert (rest["accuracy"], rest["backward"]) == (whole["accuracy"], whole["backward"])
    assert [point[3] for point in rest["curve"]] == [point[3] for point in whole["curve"]]


@pytest.mark.needs("torch")
def test_a_call_goes_on_where_the_last_one_stopped(training, tmp_path, monkeypatch, capsys):
    data, network = training.tiny
    taken, whole = [], training.run

    def run(images, recipe, checkpoint):
        taken.append(recipe.cell)
        if len(taken) == 2:
            raise KeyboardInterrupt
        return whole(images, recipe, network)

    monkeypatch.setattr(paper_cifar, "at_hand", lambda names: names)
    monkeypatch.setattr(training, "cifar10_data", lambda: data)
    monkeypatch.setattr(training, "measured_rates", lambda: RATES)
    monkeypatch.setattr(training, "run", run)
    path = tmp_path / "cifar.json"
    call = ["--minutes", "4", "--into", str(path)]
    with pytest.raises(KeyboardInterrupt):
        paper_cifar.main(call)
    assert len(read_kept(path)["runs"]) == 1
    monkeypatch.setattr(training, "measured_rates", None)
    assert paper_cifar.main(call) == 0
    assert taken[2] == taken[1] and taken[:2] == list(all_cells())[:2]
    assert len(read_kept(path)["runs"]) == len(set(taken)) > 2
    assert paper_cifar.main([*call, "--dry-run"]) == 0
    assert paper_cifar.main([*call, "--pool", "7"]) == 2
    assert "--longest 4 --pool 10000: go on with these" in capsys.readouterr().err


def test_without_images_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(paper_cifar, "at_hand", lambda names: [])
    assert paper_cifar.main(["--into", str(tmp_path / "cifar.json")]) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.needs("torch")
def test_momentum_is_forgotten_only_where_it_is_to_be(training):
    data, network = training.tiny
    for way, is_kept in ((CRAIG, True), (RESET, False)):
        going = training.Training(data, training.Recipe(Cell(way, 0.1, 1, 0), 4, N // 2), network)
        going.select()
        going.take_epoch()
        going.select()
        assert bool(going.optimizer.state) == is_kept


@pytest.mark.needs("torch")
def test_fresh_rows_come_once_until_all_were_taken(training):
    data, network = training.tiny
    going = training.Training(data, training.Recipe(Cell(FRESH, 0.25, 0, 0), 8, 0), network)
    seen = []
    for going.epoch in range(4):
        going.select()
        seen.append(going.index)
    assert np.array_equal(np.sort(np.concatenate(seen)), np.arange(N))


@pytest.mark.needs("torch")
def test_fused_normalisation_changes_no_output(training):
    import torch

    model = training.resnet20()
    assert sum(p.numel() for p in model.parameters()) < 275_000
    images = torch.randn(8, 3, 32, 32)
    model(images)
    model.eval()
    with torch.no_grad():
        assert torch.allclose(model(images), training.fused(model)(images), atol=1e-5)


@pytest.mark.needs("torch")
def test_all_products_have_the_distances_of_the_gradients(training):
    rng = np.random.default_rng(0)
    residuals, inputs = (rng.normal(size=(40, m)).astype(np.float32) for m in (3, 5))
    labels = np.arange(40) % 2
    products = (residuals[:, :, None] * inputs[:, None, :]).reshape(40, -1)
    points, held = training.leading_products(residuals, inputs, labels, 15)
    fewer, less = training.leading_products(residuals, inputs, labels, 6)
    assert held == pytest.approx(1) and 0.4 < less < 1
    for own in (labels == 0, labels == 1):
        exact, whole, part = (
            np.linalg.norm(p[own][:, None] - p[own][None], axis=2)
            for p in (products, points, fewer)
        )
        assert np.allclose(whole, exact, atol=1e-4)
        assert (part <= exact + 1e-4).all()
