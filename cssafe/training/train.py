"""Train the expression network: `python -m cssafe train`. Reads top to bottom; runs on every Keras backend.

An interrupted run goes on where its last epoch ended when it is started again with the same folder.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from cssafe.labels import FER2013
from cssafe.training import network
from cssafe.training.augment import Augment
from cssafe.training.data import SIZE, Labelled, read_training
from cssafe.training.export import export, inner, temperatures

IMITATION = 0.7
"""Share of a student's loss that comes from its teachers, the rest from the labels (Hinton et al. 2015 leave the labels a
considerably lower weight)."""

RARE = 0.03
"""Share of the pictures from which on an emotion is learned as often as it occurs; rarer ones are drawn more often, by
the square root of what they lack (repeat factors, Gupta et al. 2019, arXiv 1908.03195)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="labelled faces: see data/README.md for the layouts")
    parser.add_argument(
        "--out", type=Path, default=Path("build/expression"), help="folder for checkpoints and the result"
    )
    parser.add_argument("--network", choices=tuple(network.FEATURES), default="vgg")
    parser.add_argument("--width", type=float, default=1.0, help="factor on the channels of vgg")
    parser.add_argument(
        "--epochs", type=int, default=60, help="passes over Training (the schedule is stretched to fit)"
    )
    parser.add_argument("--batch", type=int, default=128, help="pictures a step")
    parser.add_argument("--rate", type=float, default=0.1, help="highest learning rate")
    parser.add_argument("--strength", type=float, default=1.0, help="of the augmentation; 0: mirrored only")
    parser.add_argument(
        "--cut", type=int, default=0, help="learn from parts smaller than the picture by so many pixels"
    )
    parser.add_argument("--mixup", type=float, default=0.0, help="alpha of mixed pairs (Zhang et al. 2018); 0: none")
    parser.add_argument("--start", type=Path, help="folder of an earlier run whose network to go on from")
    parser.add_argument("--teacher", type=Path, nargs="+", default=[], help="folders of networks to imitate, as one")
    parser.add_argument(
        "--all", action="store_true", help="learn from the held-back tenth too: the last pass, when all is chosen"
    )
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> int:
    keras.utils.set_random_seed(args.seed)
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    learn, choose = read_training(args.data)
    if args.all:
        learn, choose = learn + choose, choose[:0]
    batches = Batches(learn, args)
    print(
        f"{len(learn)} pictures to learn from, {len(choose)} held back; backend {keras.backend.backend()}", flush=True
    )

    # model, loss, optimiser
    student = network.build(args.network, width=args.width)
    if args.start:
        student.set_weights(inner(args.start).get_weights())
    model = in_training(student, [inner(folder) for folder in args.teacher], args)
    steps = args.epochs * len(batches)
    warm_up = min(2 * len(batches), steps // 4)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=max(1, steps - warm_up), warmup_target=args.rate, warmup_steps=warm_up
    )
    share = 1 - IMITATION if args.teacher else 1.0
    model.compile(
        # Keras takes the decay from the weights at once, not through the momentum: 5e-3 here is what 5e-4 is in PyTorch.
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-3, use_ema=True, ema_momentum=0.998),
        loss={
            "fer2013": keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
            "ferplus": keras.losses.CategoricalCrossentropy(from_logits=True),
        },
        loss_weights={"fer2013": share, "ferplus": share},
        weighted_metrics={"fer2013": ["accuracy"], "ferplus": ["accuracy"]},
    )

    # loop; the averaged weights are the ones that are scored and kept
    args.out.mkdir(parents=True, exist_ok=True)
    model.fit(
        batches,
        epochs=args.epochs,
        validation_data=(choose.images[..., None].astype(np.float32), *targets(choose)) if len(choose) else None,
        validation_batch_size=256,
        callbacks=[
            # The checkpoint comes first: at that moment the model still holds the weights that are being trained.
            keras.callbacks.BackupAndRestore(str(args.out / "checkpoint"), delete_checkpoint=False),
            keras.callbacks.CSVLogger(str(args.out / "log.csv"), append=True),
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        ],
        verbose=2,
    )

    settings = {name: value for name, value in vars(args).items() if isinstance(value, int | float | str)}
    settings |= {"start": args.start.name if args.start else "", "teachers": len(args.teacher)}
    inherited = temperatures(args.start) if args.start else None
    export(student, args.out, learn, choose, settings, inherited)
    print(json.dumps(json.loads((args.out / "model.json").read_text())["metrics"], indent=1))
    return 0


def in_training(student: keras.Model, teachers: list[keras.Model], args: argparse.Namespace) -> keras.Model:
    """The student behind the augmentation; with teachers, which see the same variants, also the loss of not being like
    them (patient and consistent, Beyer et al. 2022, arXiv 2106.05237)."""
    pictures = keras.Input((SIZE, SIZE, 1), name="pictures")
    seen = Augment(args.strength, args.cut, args.seed, name="augment")(pictures)
    said = student(seen)
    outputs = {name: said[name] for name in network.OUTPUTS}
    lessons = []
    for i, teacher in enumerate(teachers):
        teacher = keras.Model(teacher.input, teacher.output, name=f"teacher_{i}", trainable=False)
        lessons.append(teacher(seen, training=False))
    if lessons:
        outputs = {
            name: Imitate(IMITATION, name=name)([logits, *(lesson[name] for lesson in lessons)])
            for name, logits in outputs.items()
        }
    else:
        outputs = {name: layers.Identity(dtype="float32", name=name)(logits) for name, logits in outputs.items()}
    return keras.Model(pictures, outputs, name="in_training")


class Imitate(layers.Layer):
    """Passes a student's logits on, and adds the cross-entropy between the teachers' mean probabilities and its own to the
    loss. Input: the student's logits (n, k), then each teacher's."""

    def __init__(self, weight: float, **kwargs: Any):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.weight = weight

    def call(self, logits: list[Any]) -> Any:
        student, *teachers = logits
        truth = sum(ops.softmax(teacher) for teacher in teachers) / len(teachers)
        self.add_loss(-self.weight * ops.mean(ops.sum(truth * ops.log_softmax(student), axis=-1)))
        return student


def targets(data: Labelled) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Labels and sample weights for `fit`; a picture without a label, or without usable votes, counts for the other output
    only."""
    labelled = data.fer2013 >= 0
    labels = {
        "fer2013": np.eye(len(FER2013), dtype=np.float32)[np.maximum(data.fer2013, 0)],
        "ferplus": data.ferplus,
    }
    return labels, {"fer2013": labelled.astype(np.float32), "ferplus": data.ferplus.sum(axis=1)}


def repeats(data: Labelled) -> np.ndarray:
    """How often each picture is drawn, against one of a frequent emotion: (n,), from 1 up. See RARE."""
    voted = data.ferplus.sum(axis=1) > 0
    majority = data.ferplus.argmax(axis=1)
    shares = np.bincount(majority[voted], minlength=data.ferplus.shape[1]) / max(1, voted.sum())
    factors = np.sqrt(np.maximum(1, RARE / np.maximum(shares, 1e-6)))
    return np.where(voted, factors[majority], 1.0)


class Batches(keras.utils.PyDataset):
    """Shuffled batches, with the rare emotions more often; what a step sees depends only on the seed, the step and the
    epochs since the start (a resumed run begins to count anew)."""

    def __init__(self, data: Labelled, args: argparse.Namespace):
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        self.data, self.batch, self.seed, self.mixup = data, args.batch, args.seed, args.mixup
        self.images = data.images[..., None].astype(np.float32)
        self.targets = targets(data)
        self.repeats = repeats(data)
        self.epoch = 0
        self.on_epoch_end()

    def __len__(self) -> int:
        return max(1, len(self.data) // self.batch)

    def on_epoch_end(self) -> None:
        """Choose for the next epoch; Keras fetches its first batches before it says that the epoch begins."""
        self.epoch += 1
        rng = np.random.default_rng((self.seed, self.epoch))
        # Each picture once, then the rare ones again with the probability that their repeat factor exceeds 1 by.
        times = np.floor(self.repeats + rng.random(len(self.data))).astype(int)
        self.order = rng.permutation(np.repeat(np.arange(len(self.data)), times))

    def __getitem__(self, step: int) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
        chosen = self.order[step * self.batch : (step + 1) * self.batch]
        images = self.images[chosen]
        labels, weights = ({name: values[chosen] for name, values in part.items()} for part in self.targets)
        if self.mixup:
            rng = np.random.default_rng((self.seed, self.epoch, step))
            other = rng.permutation(len(chosen))
            share = rng.beta(self.mixup, self.mixup, len(chosen)).astype(np.float32)
            images = _mixed(images, images[other], share)
            for name in labels:
                # A side without a label brings none into the mixture, and the sum of the shares is its weight.
                shares = labels[name] * weights[name][:, None]
                mixture = _mixed(shares, shares[other], share)
                weights[name] = mixture.sum(axis=1)
                labels[name] = mixture / np.maximum(weights[name], 1e-6)[:, None]
        return images, labels, weights


def _mixed(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    share = share.reshape(-1, *[1] * (one.ndim - 1))
    return share * one + (1 - share) * other
