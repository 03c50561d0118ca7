"""What a run of `paper_cifar` is made of: ResNet-20 (that of examples/resnet20.py), a quicker copy for
passes, the steps, crops and flips, and what distances are taken among.
"""

from __future__ import annotations

import copy
import importlib.util
from types import ModuleType

import numpy as np
from datasets import ROOT
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

STEP = 0.1
MARGIN = 4
"""Pixels that a crop moves by at most."""
LAYER_COLUMNS = 64


def example() -> ModuleType:
    """Return examples/resnet20.py as a module."""
    path = ROOT / "examples" / "resnet20.py"
    spec = importlib.util.spec_from_file_location("resnet20", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resnet20() -> nn.Sequential:
    """Return ResNet-20 for CIFAR-10."""
    return example().resnet20(3, 10)


def fused(model: nn.Sequential) -> nn.Sequential:
    """Return a copy for passes alone, its normalisations multiplied into the convolutions before."""
    copied = copy.deepcopy(model).eval()
    for part in [m for m in copied.modules() if isinstance(m, nn.Sequential)]:
        for place in range(len(part) - 1):
            pair = part[place], part[place + 1]
            if isinstance(pair[0], nn.Conv2d) and isinstance(pair[1], nn.BatchNorm2d):
                part[place] = fuse_conv_bn_eval(*pair)
                part[place + 1] = nn.Identity()
    return copied


def step_at(done: float) -> float:
    """Return the step when a share of the run, 0 ... 1, is done."""
    return STEP * (10 * done if done < 0.1 else 1 if done < 0.5 else 0.1 if done < 0.75 else 0.01)


def cropped(rows: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return images moved by up to `MARGIN` pixels either way, zeros coming in, and half of them
    flipped.
    """
    n, height, width, _ = rows.shape
    padded = np.pad(rows, ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)))
    down, right = rng.integers(0, 2 * MARGIN + 1, (2, n))
    columns = np.arange(width) + right[:, None]
    is_flipped = rng.random(n) < 0.5
    columns[is_flipped] = columns[is_flipped, ::-1]
    lines = np.arange(height) + down[:, None]
    return padded[np.arange(n)[:, None, None], lines[:, :, None], columns[:, None, :]]


def leading_products(
    residuals: NDArray[np.float32],
    inputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    n_columns: int = LAYER_COLUMNS,
) -> tuple[NDArray[np.float32], float]:
    """Return points whose distances are about those of the outer products of residuals and inputs,
    the last layer's gradients, within each class; and the share of the squared lengths in them.

    Notes
    -----
    Residuals (m columns) and inputs (h) of a class are turned to their principal directions, which
    changes no distance of the products. The mean square of column i times column j is an entry of
    one (m, h) product of matrices; only the largest `n_columns` are made. What is left out can only
    make distances shorter. Time n (m^2 + h^2 + m h), not n times all m h columns.
    """
    n_columns = min(n_columns, residuals.shape[1] * inputs.shape[1])
    points = np.zeros((len(residuals), n_columns), np.float32)
    held, total = 0.0, 0.0
    for number in np.unique(labels):
        own = np.flatnonzero(labels == number)
        turned = []
        for part in (residuals[own], inputs[own]):
            _, directions = np.linalg.eigh(part.T.astype(np.float64) @ part)
            turned.append(part @ directions.astype(np.float32))
        squares = (turned[0] ** 2).T.astype(np.float64) @ turned[1] ** 2
        largest = np.argsort(-squares, axis=None, kind="stable")[:n_columns]
        first, second = np.unravel_index(largest, squares.shape)
        points[own] = turned[0][:, first] * turned[1][:, second]
        held, total = held + squares.flat[largest].sum(), total + squares.sum()
    return points, float(held / total) if total > 0 else 1.0
