"""Train the expression network: `python -m cssafe train`. Reads top to bottom; runs on every Keras backend.

An interrupted run goes on where its last epoch ended when it is started again with the same folder.
"""

import argparse
import json
from pathlib import Path

import keras
import numpy as np

from cssafe.labels import FER2013
from cssafe.training import network
from cssafe.training.data import Labelled, augment, read_training
from cssafe.training.export import export


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="folder with fer2013_train_*.parquet and fer2013_valid.parquet")
    parser.add_argument(
        "--out", type=Path, default=Path("build/expression"), help="folder for checkpoints and the result"
    )
    parser.add_argument(
        "--epochs", type=int, default=45, help="passes over Training (the schedule is stretched to fit)"
    )
    parser.add_argument("--batch", type=int, default=128, help="pictures a step")
    parser.add_argument("--rate", type=float, default=0.1, help="highest learning rate")
    parser.add_argument("--start", type=Path, help="model.keras of an earlier run whose weights to go on from")
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
    print(f"{len(learn)} pictures to learn from, {len(choose)} held back; backend {keras.backend.backend()}")

    # model, loss, optimiser
    model = network.build()
    if args.start:
        model.set_weights(keras.models.load_model(args.start, compile=False).get_weights())
    steps = args.epochs * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=steps - 2 * len(batches), warmup_target=args.rate, warmup_steps=2 * len(batches)
    )
    model.compile(
        keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=5e-4, use_ema=True, ema_momentum=0.998),
        loss={
            "fer2013": keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
            "ferplus": keras.losses.CategoricalCrossentropy(),
        },
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

    settings = {name: value for name, value in vars(args).items() if isinstance(value, int | float)}
    export(model, args.out, learn, choose, settings)
    print(json.dumps(json.loads((args.out / "model.json").read_text())["metrics"], indent=1))
    return 0


def targets(data: Labelled) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Labels and sample weights for `fit`; a picture without usable votes counts for the FER2013 output only."""
    labels = {"fer2013": np.eye(len(FER2013), dtype=np.float32)[data.fer2013], "ferplus": data.ferplus}
    weights = {"fer2013": np.ones(len(data), np.float32), "ferplus": data.ferplus.sum(axis=1)}
    return labels, weights


class Batches(keras.utils.PyDataset):
    """Shuffled, augmented batches; what a step sees depends only on the seed, the step and the epochs since the start (a
    resumed run begins to count anew)."""

    def __init__(self, data: Labelled, args: argparse.Namespace):
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        self.data, self.batch, self.seed, self.epochs = data, args.batch, args.seed, args.epochs
        self.epoch = 0
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.data) // self.batch

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch; Keras fetches its first batches before it says that the epoch begins."""
        self.epoch += 1
        self.order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.data))

    def __getitem__(self, step: int) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
        chosen = self.order[step * self.batch : (step + 1) * self.batch]
        rng = np.random.default_rng((self.seed, self.epoch, step))
        some = self.data[chosen]
        labels, weights = targets(some)
        # The last third sees pictures closer to real ones (He et al. 2019, arXiv 1909.09148).
        strength = 1.0 if self.epoch <= self.epochs * 2 / 3 else 0.5
        return augment(some.images, rng, strength)[..., None].astype(np.float32), labels, weights
