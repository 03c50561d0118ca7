"""ResNet-20 on Fashion-MNIST or CIFAR-10 files, trained on coresets that are selected anew by the
last layer's gradients.

    python examples/resnet20.py /usr/share/datasets/fashion-mnist --fraction 0.1 --every 5
    python examples/resnet20.py cifar-10-batches-bin --fraction 0.1 --every 5 --method random

FOLDER holds MNIST's four IDX files, or CIFAR-10's binary version (data_batch_1.bin ...
test_batch.bin). SGD with momentum, step 0.1 falling to zero by a cosine, weight decay 5e-4, batches
of 128. One line an epoch: backward passes so far, seconds of steps and of selection, test accuracy.
Needs ``pip install 'craig-cli[torch]'``.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

from craig_cli.readers import read_dataset
from craig_cli.settings import InputSettings
from craig_cli.torch import METHODS, CoresetSampler, IndexedDataset

CIFAR_SHAPE = (3, 32, 32)


class Block(nn.Module):
    """Two 3 x 3 convolutions and what goes past them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.past = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.past = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.past(x))


def resnet20(channels: int, n_classes: int, width: int = 16) -> nn.Module:
    """Return ResNet-20 (He et al. 2016): three stages of three blocks, of `width`, twice and four
    times as many channels.
    """
    stages, inputs = [], width
    for outputs, stride in ((width, 1), (2 * width, 2), (4 * width, 2)):
        for number in range(3):
            stages.append(Block(inputs, outputs, stride if number == 0 else 1))
            inputs = outputs
    first = nn.Conv2d(channels, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()
    return nn.Sequential(
        *first, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, n_classes)
    )


def load(folder: Path, part: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return images (n, channels, height, width), each column centred, and labels, of ``train`` or
    ``test``.
    """
    batches = sorted(folder.glob("data_batch_*.bin" if part == "train" else "test_batch.bin"))
    if batches:
        raw = np.concatenate(
            [
                np.fromfile(path, np.uint8).reshape(-1, 1 + int(np.prod(CIFAR_SHAPE)))
                for path in batches
            ]
        )
        images, labels = (
            raw[:, 1:].reshape(-1, *CIFAR_SHAPE).astype(np.float32) / 255,
            raw[:, 0].astype(np.int64),
        )
    else:
        prefix = "train" if part == "train" else "t10k"
        data = read_dataset(InputSettings((str(folder / f"{prefix}-images*"),)))
        side = round(data.n_columns**0.5)
        images, labels = np.asarray(data.rows).reshape(-1, 1, side, side), np.asarray(data.labels)
    return torch.from_numpy(images - images.mean(axis=(0, 2, 3), keepdims=True)), torch.from_numpy(
        labels
    )


def accuracy(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, device: str) -> float:
    """Return the share of images whose likeliest class is theirs."""
    model.eval()
    with torch.no_grad():
        right = sum(
            int((model(x.to(device)).argmax(1).cpu() == y).sum())
            for x, y in zip(images.split(512), labels.split(512), strict=True)
        )
    model.train()
    return right / len(labels)


def train(options: argparse.Namespace) -> list[dict[str, float]]:
    """Train, print a line an epoch, and return the lines."""
    torch.manual_seed(options.seed)
    images, labels = (part[: options.limit or None] for part in load(options.folder, "train"))
    held = tuple(part[: options.limit or None] for part in load(options.folder, "test"))
    dataset = torch.utils.data.TensorDataset(images, labels)
    model = resnet20(images.shape[1], int(labels.max()) + 1, options.width).to(options.device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, options.epochs)
    sampler = CoresetSampler(
        labels,
        fraction=options.fraction,
        every=options.every,
        warm_up=options.warm_up,
        method=options.method,
        seed=options.seed,
    )
    loader = torch.utils.data.DataLoader(
        IndexedDataset(dataset), batch_size=options.batch, sampler=sampler
    )
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule, "sampler": sampler}
    if options.checkpoint and options.checkpoint.exists():
        state = torch.load(options.checkpoint, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["random"])
    lines, backward, selecting, stepping = [], 0, 0.0, 0.0
    while sampler.epoch < options.epochs:
        begun = time.perf_counter()
        if sampler.is_due:
            sampler.refresh(model, dataset, options.device)
        batches = iter(loader)
        selecting, begun = selecting + time.perf_counter() - begun, time.perf_counter()
        for rows, inputs, targets in batches:
            loss = sampler.loss(rows, model(inputs.to(options.device)), targets.to(options.device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            backward += len(rows)
        schedule.step()
        stepping += time.perf_counter() - begun
        right = accuracy(model, *held, options.device)
        lines.append(
            {
                "epoch": sampler.epoch,
                "backward": backward,
                "seconds": stepping,
                "selection_seconds": selecting,
                "accuracy": right,
            }
        )
        print(json.dumps(lines[-1]), flush=True)
        if options.checkpoint:
            torch.save(
                {name: part.state_dict() for name, part in parts.items()}
                | {"random": torch.get_rng_state()},
                options.checkpoint,
            )
    return lines


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fraction", type=float, default=0.1)
    parser.add_argument("--every", type=int, default=5, help="epochs between two selections")
    parser.add_argument("--warm-up", type=int, default=1, help="epochs over all rows at first")
    parser.add_argument("--method", choices=METHODS, default="groups")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--width", type=int, default=16, help="channels of the first stage")
    parser.add_argument(
        "--limit", type=int, default=0, help="only so many images, to train on and to test on"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    parser.add_argument(
        "--checkpoint", type=Path, help="go on from this file, and keep it up to date"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    train(parse())
