"""The sampler for PyTorch loops, and the ResNet-20 example, on a few rows."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import numpy as np
import pytest
from tools import needs

torch = needs("torch")

from craig_cli.errors import UsageError
from craig_cli.selection.grouped import grouped_rows
from craig_cli.threads import Workers
from craig_cli.torch import CoresetSampler, IndexedDataset

pytestmark = pytest.mark.needs("torch")

N = 120
EXAMPLE = Path(__file__).parents[1] / "examples" / "resnet20.py"


def made() -> tuple[torch.Tensor, torch.Tensor]:
    """Rows around three centres, and their classes."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, N)
    rows = rng.normal(size=(3, 4))[labels] * 2 + rng.normal(size=(N, 4))
    return torch.from_numpy(rows.astype(np.float32)), torch.from_numpy(labels)


def trained(sampler, epochs: int, model=None, optimizer=None):
    """Train a linear model, and return it with its optimizer and the rows of each epoch."""
    rows, labels = made()
    dataset = torch.utils.data.TensorDataset(rows, labels)
    if model is None:
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    loader = torch.utils.data.DataLoader(IndexedDataset(dataset), batch_size=16, sampler=sampler)
    seen = []
    for _ in range(epochs):
        if sampler.is_due:
            sampler.refresh(model, dataset)
        epoch = []
        for numbers, inputs, targets in loader:
            loss = sampler.loss(numbers, model(inputs), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            epoch += numbers.tolist()
        seen.append(epoch)
    return model, optimizer, seen


def test_all_rows_then_coresets():
    _, labels = made()
    sampler = CoresetSampler(labels, fraction=0.25, every=2)
    assert len(sampler) == N
    model, _, seen = trained(sampler, 5)
    assert sorted(seen[0]) == list(range(N))
    assert [len(epoch) for epoch in seen] == [N, 30, 30, 30, 30]
    assert [len(set(epoch)) for epoch in seen[1:]] == [30] * 4
    assert (set(seen[1]) == set(seen[2]), set(seen[3]) == set(seen[4])) == (True, True)
    assert seen[1] != seen[2]  # another order
    weights = sampler.weights(sampler.chosen.index)
    assert float(weights.mean()) == pytest.approx(1)
    assert sampler.chosen.weights.sum() == N
    rows, _ = made()
    assert float((model(rows).argmax(1) == labels).float().mean()) > 0.7


def test_the_selection_is_that_of_the_gradients():
    rows, labels = made()
    torch.manual_seed(1)
    model = torch.nn.Linear(4, 3)
    sampler = CoresetSampler(labels, fraction=0.2, warm_up=0)
    sampler.refresh(model, torch.utils.data.TensorDataset(rows, labels))
    assert model.training
    chosen = set(iter(sampler))
    residuals = torch.softmax(model(rows), 1).detach().numpy()
    residuals[np.arange(N), labels.numpy()] -= 1
    with Workers(1) as workers:
        index, weights = grouped_rows(residuals, labels.numpy(), 0.2, workers)
    assert chosen == set(index.tolist())
    expected = dict(zip(index.tolist(), weights / weights.mean(), strict=True))
    assert {row: pytest.approx(float(sampler.weights([row])[0])) for row in chosen} == expected


def test_the_loss_is_weighted_and_its_gradient_is_the_weighted_one():
    rows, labels = made()
    model = torch.nn.Linear(4, 3)
    sampler = CoresetSampler(labels, fraction=0.25)
    trained(sampler, 2)
    batch = torch.as_tensor(sampler.chosen.index[:8])
    loss = sampler.loss(batch, model(rows[batch]), labels[batch])
    each = torch.nn.functional.cross_entropy(model(rows[batch]), labels[batch], reduction="none")
    torch.testing.assert_close(loss, (each * sampler.weights(batch)).mean())


def test_a_checkpoint_goes_on_as_if_nothing_had_happened(tmp_path):
    _, labels = made()
    options = {"fraction": 0.25, "every": 3, "seed": 4}
    whole, _, seen = trained(CoresetSampler(labels, **options), 6)
    sampler = CoresetSampler(labels, **options)
    model, optimizer, first = trained(sampler, 3)
    torch.save(sampler.state_dict(), tmp_path / "sampler.pt")
    resumed = CoresetSampler(labels, **options)
    resumed.load_state_dict(torch.load(tmp_path / "sampler.pt", weights_only=True))
    _, _, rest = trained(resumed, 3, model, optimizer)
    assert first + rest == seen
    torch.testing.assert_close(model.weight, whole.weight, rtol=0, atol=0)


def test_random_rows_take_as_many_backward_passes_and_no_pass():
    _, labels = made()
    sampler = CoresetSampler(labels, fraction=0.25, method="random", warm_up=0)
    _, _, seen = trained(sampler, 3)
    assert [len(epoch) for epoch in seen] == [30, 30, 30]
    assert set(seen[0]) != set(seen[1])


def test_importance_takes_what_the_steps_noted_and_no_pass():
    _, labels = made()
    sampler = CoresetSampler(labels, fraction=0.25, method="importance", warm_up=0)
    model, optimizer, seen = trained(sampler, 1)
    assert float(np.ptp(sampler.chosen.weights)) < 1e-9  # nothing was known
    noted = set(np.flatnonzero(sampler._is_known).tolist())
    assert noted == set(seen[0])
    lengths = np.linalg.norm(sampler._residuals, axis=1)
    trained(sampler, 1, model, optimizer)
    index, weights = sampler.chosen.index, sampler.chosen.weights
    own = [k for k, row in enumerate(index) if row in noted and weights[k] > weights.min() + 1e-9]
    order = np.argsort(lengths[index[own]], kind="stable")
    assert (np.diff(weights[own][order]) < 1e-6).all()  # the longer, the likelier
    assert (
        np.unique(np.round([weights[k] for k in range(30) if index[k] not in noted], 9)).size == 1
    )


def test_refused():
    _, labels = made()
    sampler = CoresetSampler(labels, fraction=0.25, warm_up=0)
    with pytest.raises(UsageError) as caught:
        list(sampler)
    assert str(caught.value) == (
        f"{N} rows have no gradient yet: train an epoch on all rows "
        f"(warm_up), or call refresh(model, dataset) first."
    )
    with pytest.raises(UsageError) as caught:
        CoresetSampler(labels[:50], fraction=0.25).load_state_dict(sampler.state_dict())
    assert str(caught.value) == f"state: it is of {N} rows, and there are 50 labels."
    for options, text in (
        (
            {"method": "best"},
            "method: 'best' is not one of groups, cells, exact, stratified, importance, random.",
        ),
        ({"warm_up": -1}, "warm_up: -1 is not at least 0."),
        (
            {"fraction": 2.0},
            "fraction: 2.0 is not above 0 and at most 1. For 2 % write fraction=0.02.",
        ),
    ):
        with pytest.raises(UsageError) as caught:
            CoresetSampler(labels, **{"fraction": 0.25, **options})
        assert str(caught.value) == text


def idx(array: np.ndarray) -> bytes:
    return (
        bytes([0, 0, 8, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


@pytest.fixture
def example():
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("resnet20", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_idx(folder: Path) -> None:
    rng = np.random.default_rng(1)
    for part, n in (("train", 64), ("t10k", 16)):
        labels = (np.arange(n) % 4).astype(np.uint8)
        images = rng.integers(0, 60, (n, 8, 8)).astype(np.uint8) + labels[:, None, None] * 60
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images.astype(np.uint8)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels))


def test_the_example_runs_and_resumes(example, tmp_path, monkeypatch):
    write_idx(tmp_path)
    common = [str(tmp_path), "--fraction", "0.25", "--every", "1", "--batch", "16", "--width", "4"]
    whole = example.train(example.parse([*common, "--epochs", "3"]))
    assert [line["backward"] for line in whole] == [64, 80, 96]
    options = example.parse([*common, "--epochs", "3", "--checkpoint", str(tmp_path / "state.pt")])
    measured, calls = example.accuracy, []

    def stops_in_the_third_epoch(*arguments):
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measured(*arguments)

    monkeypatch.setattr(example, "accuracy", stops_in_the_third_epoch)
    with pytest.raises(KeyboardInterrupt):
        example.train(options)
    rest = example.train(options)
    assert [line["epoch"] for line in rest] == [3]
    assert rest[-1]["accuracy"] == whole[-1]["accuracy"]


def test_the_example_reads_cifar_10(example, tmp_path):
    rng = np.random.default_rng(2)
    raw = rng.integers(0, 256, (6, 3073), dtype=np.uint8)
    raw[:, 0] = [3, 1, 0, 9, 9, 2]
    for number, name in enumerate(("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin")):
        (tmp_path / name).write_bytes(raw[2 * number : 2 * number + 2].tobytes())
    images, labels = example.load(tmp_path, "train")
    assert (images.shape, labels.tolist()) == ((4, 3, 32, 32), [3, 1, 0, 9])
    shown = images[0, 1, 2, 3] - images[1, 1, 2, 3]
    assert float(shown) == pytest.approx(
        (int(raw[0, 1 + 1024 + 2 * 32 + 3]) - int(raw[1, 1 + 1024 + 2 * 32 + 3])) / 255, abs=1e-6
    )
    assert example.load(tmp_path, "test")[1].tolist() == [9, 2]
