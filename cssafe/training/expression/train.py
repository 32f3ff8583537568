"""Train the expression network by PyTorch: `python -m cssafe train`. Reads top to bottom.

Everything random follows from the seed and the number of the step, so an interrupted run that is started again with the same
folder sees the same batches and ends with the same weights.
"""

import argparse
import copy
import hashlib
import json
import math
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd

from cssafe.errors import DataError
from cssafe.training.expression import augment, network
from cssafe.training.expression.data import SIZE, Labelled, read_training
from cssafe.training.expression.export import export, inner, temperatures

try:
    import torch
    from torch.nn import functional

    from cssafe.training.expression.torch_network import Twin, predict
except ImportError:
    raise DataError("PyTorch is not installed, and training needs it: pip install -r requirements-train.txt") from None

MOMENTUM, WEIGHT_DECAY, SMOOTHING = 0.9, 5e-4, 0.1
"""As the published networks from scratch have them (docs/training.md); smoothing of FER2013's labels."""

MEMORY = 0.998
"""Share of the averaged weights that stays in each step."""

WARM_UP_EPOCHS = 2

CAMERA_PICTURES = 0.5
"""Share of the pictures that a poor camera sees in the last part of a run."""

IMITATION = 0.7
"""Share of a student's loss that comes from its teachers, the rest from the labels (Hinton et al. 2015 leave the labels a
considerably lower weight)."""

RARE = 0.03
"""Share of the pictures from which on an emotion is learned as often as it occurs; rarer ones are drawn more often, by
the square root of what they lack (repeat factors, Gupta et al. 2019, arXiv 1908.03195)."""

CHECKPOINT_S = 180
"""Longest time between two checkpoints, seconds."""

EVALUATED = 5
"""Epochs between two looks at the pictures held back."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="labelled faces: see data/README.md for the layouts")
    parser.add_argument(
        "--out", type=Path, default=Path("build/expression"), help="folder for the checkpoint and the result"
    )
    parser.add_argument("--network", choices=tuple(network.FEATURES), default="vgg")
    parser.add_argument("--width", type=float, default=1.0, help="factor on the channels of vgg")
    parser.add_argument("--epochs", type=int, default=200, help="passes over Training (the schedule fits)")
    parser.add_argument("--batch", type=int, default=128, help="pictures a step")
    parser.add_argument("--rate", type=float, default=0.1, help="highest learning rate")
    parser.add_argument(
        "--cut", type=int, default=8, help="learn from parts smaller than the picture by so many pixels"
    )
    parser.add_argument(
        "--camera", type=float, default=0.2, help="share of the run, its end, with whole pictures and poor cameras"
    )
    parser.add_argument(
        "--weights", type=float, nargs=2, default=(1.0, 1.0), metavar=("FER2013", "FERPLUS"), help="of the two losses"
    )
    parser.add_argument("--start", type=Path, help="folder of an earlier run whose network to go on from")
    parser.add_argument("--teacher", type=Path, nargs="+", default=[], help="folders of networks to imitate, as one")
    parser.add_argument(
        "--all", action="store_true", help="learn from the held-back tenth too: the last pass, when all is chosen"
    )
    parser.add_argument(
        "--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="auto: the quicker one, measured"
    )
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> int:
    if keras.backend.backend() == "torch":  # Keras cannot trace a network with named outputs there
        raise DataError(
            "Keras on PyTorch cannot export the network: unset KERAS_BACKEND, PyTorch is used to train anyway."
        )
    keras.utils.set_random_seed(args.seed)
    learn, choose = read_training(args.data)
    if args.all:
        learn, choose = learn + choose, choose[:0]
    print(f"{len(learn)} pictures to learn from, {len(choose)} held back", flush=True)

    model = network.build(args.network, width=args.width)
    if args.start:
        model.set_weights(inner(args.start).get_weights())
    teachers = [Twin(inner(folder)).eval() for folder in args.teacher]
    plan = Plan(learn, args.epochs, args.batch, args.rate, args.cut, args.camera, args.seed)
    settings = {
        name: getattr(args, name)
        for name in ("network", "width", "epochs", "batch", "rate", "cut", "camera", "all", "seed")
    }
    settings |= {"weights": list(args.weights), "teachers": len(teachers)}
    settings |= {"start": args.start.name if args.start else "", "pixels": pixels(learn)}
    run = Run(Twin(model), settings)
    run.resume(args.out)
    train(run, plan, choose, teachers, args)

    run.averaged.store_keras(model)
    inherited = temperatures(args.start) if args.start else None
    del settings["pixels"]  # the export tells it
    export(model, args.out, learn, choose, settings, inherited)
    print(json.dumps(json.loads((args.out / "model.json").read_text())["metrics"], indent=1))
    return 0


@dataclass(frozen=True)
class Plan:
    """What each step learns from and at which rate: functions of its number alone.

    epochs: passes. cut: pixels. camera: share of the run. The rest: see the options of the same names.
    """

    data: Labelled
    epochs: int
    batch: int
    rate: float
    cut: int
    camera: float
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return max(1, len(self.data) // self.batch)

    @property
    def steps(self) -> int:
        return self.epochs * self.steps_per_epoch

    def rate_at(self, step: int) -> float:
        """From 0 to the highest rate in a line, then along a cosine to 0."""
        warm_up = min(WARM_UP_EPOCHS * self.steps_per_epoch, self.steps // 4)
        if step < warm_up:
            return self.rate * (step + 1) / warm_up
        return self.rate * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (self.steps - warm_up)))

    def rows(self, step: int) -> np.ndarray:
        """Indices of the step's pictures: each once an epoch, rare emotions more often."""
        epoch, i = divmod(step, self.steps_per_epoch)
        rng = np.random.default_rng((self.seed, epoch))
        # Each picture once, then the rare ones again with the probability that their repeat factor exceeds 1 by.
        times = np.floor(repeats(self.data) + rng.random(len(self.data))).astype(int)
        order = rng.permutation(np.repeat(np.arange(len(self.data)), times))
        return order[i * self.batch : (i + 1) * self.batch]

    def crops(self, step: int, rows: np.ndarray) -> np.ndarray:
        """Variants of the step's pictures, uint8 (n, side, side)."""
        rng = np.random.default_rng((self.seed, step // self.steps_per_epoch, step))
        last_part = step >= self.steps * (1 - self.camera)
        side, camera = (SIZE, CAMERA_PICTURES) if last_part else (SIZE - self.cut, 0.0)
        return augment.variants(self.data.images[rows], rng, side, camera)


@dataclass
class Run:
    """Where a training stands; everything here is in its checkpoint.

    step: steps done. averaged: the network with the moving average of the weights, which is evaluated and kept.
    loss: moving average. log: one row an epoch. settings: what a resumed run must share.
    """

    network: Twin
    settings: dict[str, Any]
    step: int = 0
    loss: float = 0.0
    log: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.averaged = copy.deepcopy(self.network).eval()
        self.optimizer = torch.optim.SGD(
            self.network.parameters(), lr=0.0, momentum=MOMENTUM, nesterov=True, weight_decay=WEIGHT_DECAY
        )

    def save(self, folder: Path) -> None:
        """Write checkpoint.pt and log.csv; a kill leaves the old or the new file."""
        folder.mkdir(parents=True, exist_ok=True)
        parts = {name: getattr(self, name).state_dict() for name in ("network", "averaged", "optimizer")}
        values = {name: getattr(self, name) for name in ("settings", "step", "loss", "log")}
        torch.save(parts | values, folder / "checkpoint.part")
        os.replace(folder / "checkpoint.part", folder / "checkpoint.pt")
        pd.DataFrame(self.log).to_csv(folder / "log.csv", index=False)

    def resume(self, folder: Path) -> None:
        """Go on from a folder's checkpoint, if it has one.

        Raises:
            DataError: it was written with other settings or other pictures.
        """
        path = folder / "checkpoint.pt"
        if not path.is_file():
            return
        saved = torch.load(path, weights_only=True)
        for name, value in saved["settings"].items():
            if self.settings.get(name) != value:
                raise DataError(
                    f"{path} was written with {name} = {value}, not {self.settings.get(name)}: "
                    "expected the same settings. Give them again, or another --out."
                )
        for name in ("network", "averaged", "optimizer"):
            getattr(self, name).load_state_dict(saved[name])
        self.step, self.loss, self.log = saved["step"], saved["loss"], saved["log"]
        print(f"resumed after step {self.step}", flush=True)

    def average(self) -> None:
        """Move the averaged weights, and batch statistics, towards the network's; sooner in the first steps."""
        memory = min(MEMORY, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - memory)
            else:
                mean.copy_(value)


def train(run: Run, plan: Plan, choose: Labelled, teachers: list[Twin], args: argparse.Namespace) -> None:
    """All steps that are left, with a checkpoint every few minutes and a line of log an epoch."""
    bfloat16 = args.precision == "bfloat16" or (args.precision == "auto" and bfloat16_is_quicker(run.network))
    saved = began = time.monotonic()
    cpu = time.process_time()
    while run.step < plan.steps:
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            learn(run, plan, teachers, args.weights)
        if run.step % plan.steps_per_epoch == 0:
            epoch = run.step // plan.steps_per_epoch
            row = {"epoch": epoch, "rate": plan.rate_at(run.step - 1), "loss": run.loss}
            row |= {"seconds": time.monotonic() - began, "processor_seconds": time.process_time() - cpu}
            if len(choose) and (epoch % EVALUATED == 0 or epoch == plan.epochs):
                with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
                    row |= accuracy(run.averaged, choose)
            run.log.append(row)
            print(" ".join(f"{name} {value:.4g}" for name, value in row.items()), flush=True)
            began, cpu = time.monotonic(), time.process_time()
        if run.step == plan.steps or time.monotonic() - saved > CHECKPOINT_S:
            run.save(args.out)
            saved = time.monotonic()


def learn(run: Run, plan: Plan, teachers: list[Twin], weights: tuple[float, float]) -> None:
    """One step."""
    for group in run.optimizer.param_groups:
        group["lr"] = plan.rate_at(run.step)
    torch.manual_seed(plan.seed * 1_000_003 + run.step)  # of dropout
    rows = plan.rows(run.step)
    crops = torch.from_numpy(plan.crops(run.step, rows)).float()
    run.network.train()
    said = run.network(crops)
    value = loss(said, plan.data[rows], weights)
    if teachers:
        value = (1 - IMITATION) * value + IMITATION * imitation(said, crops, teachers)
    run.optimizer.zero_grad()
    value.backward()
    run.optimizer.step()
    run.step += 1
    run.average()
    run.loss += (value.item() - run.loss) / min(run.step, plan.steps_per_epoch)


def loss(said: dict[str, torch.Tensor], truth: Labelled, weights: tuple[float, float]) -> torch.Tensor:
    """Cross-entropy with FER2013's smoothed labels and with FERPlus' shares of votes, weighted; a picture without a label, or
    without usable votes, counts for the other output only."""
    fer2013 = functional.cross_entropy(
        said["fer2013"],
        torch.from_numpy(truth.fer2013),
        label_smoothing=SMOOTHING,
        ignore_index=-1,
        reduction="sum",
    )
    ferplus = -(torch.from_numpy(truth.ferplus) * said["ferplus"].log_softmax(-1)).sum()
    return (weights[0] * fer2013 + weights[1] * ferplus) / len(truth)


def imitation(said: dict[str, torch.Tensor], crops: torch.Tensor, teachers: list[Twin]) -> torch.Tensor:
    """Cross-entropy with the mean probabilities of the teachers, which see the same variants (patient and consistent, Beyer et
    al. 2022, arXiv 2106.05237)."""
    with torch.no_grad():
        lessons = [teacher(crops) for teacher in teachers]
    total = torch.zeros(())
    for name in network.OUTPUTS:
        truth = torch.stack([lesson[name].softmax(-1) for lesson in lessons]).mean(0)
        total = total - (truth * said[name].log_softmax(-1)).sum(-1).mean()
    return total


def bfloat16_is_quicker(twin: Twin) -> bool:
    """Whether this processor learns quicker in bfloat16, by its own time for some steps."""
    trial, crops, took = copy.deepcopy(twin).train(), torch.rand(64, 40, 40), []
    for enabled in (False, True):
        for step in range(4):
            if step == 1:  # the first one prepares
                start = time.process_time()
            with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
                said = trial(crops)
            sum(said[name].sum() for name in network.OUTPUTS).backward()
        took.append(time.process_time() - start)
    print(f"bfloat16 takes {took[1] / took[0]:.2f} times as long as float32", flush=True)
    return took[1] < took[0]


def accuracy(twin: Twin, data: Labelled) -> dict[str, float]:
    """Of what is held back, on both label sets, asked twice."""
    said = predict(twin, data.images)
    labelled, voted = data.fer2013 >= 0, data.ferplus.sum(axis=1) > 0
    right = {
        "fer2013": (said["fer2013"].argmax(axis=1) == data.fer2013)[labelled],
        "ferplus": (said["ferplus"].argmax(axis=1) == data.ferplus.argmax(axis=1))[voted],
    }
    return {name: float(values.mean()) if len(values) else 0.0 for name, values in right.items()}


def repeats(data: Labelled) -> np.ndarray:
    """How often each picture is drawn, against one of a frequent emotion: (n,), from 1 up. See RARE."""
    voted = data.ferplus.sum(axis=1) > 0
    majority = data.ferplus.argmax(axis=1)
    shares = np.bincount(majority[voted], minlength=data.ferplus.shape[1]) / max(1, voted.sum())
    factors = np.sqrt(np.maximum(1, RARE / np.maximum(shares, 1e-6)))
    return np.where(voted, factors[majority], 1.0)


def pixels(data: Labelled) -> str:
    """SHA-256 of the pictures."""
    return hashlib.sha256(data.images.tobytes()).hexdigest()
