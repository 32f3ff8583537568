"""Training of the face detector: `python -m cssafe train --task detection`. Runs on every Keras backend.

TensorFlow's separable convolutions crash in training on some processors: set KERAS_BACKEND=torch or jax. An interrupted run
resumes after its last epoch when started again with the same folder.
"""

import argparse
import json
from datetime import date
from functools import lru_cache
from pathlib import Path

import keras
import numpy as np

from cssafe.training.detection import evaluate, network
from cssafe.training.detection.augment import pad_truth, random_square
from cssafe.training.detection.dataset import Photograph, read_photographs, split_photographs
from cssafe.training.detection.loss import DetectionLoss
from cssafe.vision.openvino_runtime import sha256

MAX_FACES, ROW_MULTIPLE = 64, 16
"""Largest number of faces of a square; multiple of the number of rows, so that few shapes are compiled."""

CACHED_PHOTOGRAPHS = 2000
"""Photographs kept decoded in memory (about 1 MB each)."""

AVERAGED_SHARE = 0.05
"""Share of the run, its end, over which weights are averaged."""


FILES = ("model.keras", "detector.xml", "detector.bin")
"""Files of an exported detector, beside model.json."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, help="photographs with face boxes: see data/README.md for the layouts")
    parser.add_argument(
        "--out", type=Path, default=Path("build/detector"), help="folder for checkpoints and the result"
    )
    parser.add_argument("--width", type=float, default=1.0, help="factor on the network's channels")
    parser.add_argument("--size", type=int, default=256, help="side of the squares that are learned from, pixels")
    parser.add_argument("--epochs", type=int, default=400, help="times each photograph is shown (the schedule fits)")
    parser.add_argument("--batch", type=int, default=16, help="squares a step")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument(
        "--strength", type=float, default=1.0, help="of the augmentation, 0 to 1: mosaics, other cameras"
    )
    parser.add_argument("--start", type=Path, help="folder of an earlier run whose network to go on from")
    parser.add_argument("--precision", choices=("float32", "mixed_bfloat16"), default="float32", help="to train in")
    parser.add_argument("--seed", type=int, default=0)


def main(args: argparse.Namespace) -> int:
    keras.utils.set_random_seed(args.seed)
    keras.mixed_precision.set_global_policy(args.precision)
    learn, choose = split_photographs(read_photographs(args.data))
    batches = Batches(learn, args.size, args.batch, args.seed, args.strength)
    print(
        f"{len(learn)} photographs to learn from, {len(choose)} held back; backend {keras.backend.backend()}",
        flush=True,
    )

    model = network.build(args.width)
    if args.start:
        load_start_weights(args.start, model)
    print(f"{model.count_params()} parameters", flush=True)
    compile_model(model, args, args.epochs * len(batches))
    args.out.mkdir(parents=True, exist_ok=True)
    model.fit(
        batches,
        epochs=args.epochs,
        callbacks=[
            # The checkpoint comes first: at that moment the model still holds the weights that are being trained.
            keras.callbacks.BackupAndRestore(str(args.out / "checkpoint"), delete_checkpoint=False),
            keras.callbacks.CSVLogger(str(args.out / "log.csv"), append=True),
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.ModelCheckpoint(str(args.out / "averaged.weights.h5"), save_weights_only=True),
        ],
        verbose=2,
    )
    settings = {name: value for name, value in vars(args).items() if isinstance(value, int | float | str)}
    settings |= {"start": args.start.name if args.start else ""}
    export(model, args.out, len(learn), settings)
    if choose:
        print(json.dumps(evaluate.choose_threshold(args.out, choose), indent=1))
    return 0


def compile_model(model: keras.Model, args: argparse.Namespace, steps: int) -> None:
    """AdamW with warm-up, a cosine to 0 and averaged weights, over so many steps."""
    warm_up = min(500, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=max(1, steps - warm_up), warmup_target=args.rate, warmup_steps=warm_up
    )
    memory = 1 - 1 / max(20, AVERAGED_SHARE * steps)
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.05, clipnorm=10.0, use_ema=True, ema_momentum=memory)
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    model.compile(optimizer, loss=DetectionLoss(network.places(args.size, args.size)))


def load_start_weights(folder: Path, model: keras.Model) -> None:
    """Load the weights of an earlier run into `model`.

    Raises:
        FileNotFoundError: no weights. ValueError: weights of another network.
    """
    path = folder / "model.keras"
    if not path.is_file():
        raise FileNotFoundError(f"{folder} holds no model.keras. Name a folder that `train --task detection` made.")
    earlier = keras.models.load_model(path, compile=False)
    if earlier.count_params() != model.count_params():
        raise ValueError(
            f"{path} has {earlier.count_params()} parameters, the network to train has {model.count_params()}. "
            "Give the same --width as then."
        )
    model.set_weights(earlier.get_weights())


class Batches(keras.utils.PyDataset):
    """Shuffled batches of random squares, determined by the seed, the step and the epochs since the start (a resumed run counts
    from 0)."""

    def __init__(self, photographs: list[Photograph], size: int, batch: int, seed: int, strength: float):
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=8)
        self.photographs, self.size, self.batch, self.seed, self.strength = photographs, size, batch, seed, strength
        self.read = lru_cache(CACHED_PHOTOGRAPHS)(Photograph.read)
        self.epoch = 0
        self.on_epoch_end()

    def __len__(self) -> int:
        return max(1, len(self.photographs) // self.batch)

    def on_epoch_end(self) -> None:
        """Shuffle for the next epoch; Keras fetches its first batches before the epoch begins."""
        self.epoch += 1
        rng = np.random.default_rng((self.seed, self.epoch))
        self.order = np.resize(rng.permutation(len(self.photographs)), len(self) * self.batch)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self.seed, self.epoch, step))
        chosen = self.order[step * self.batch : (step + 1) * self.batch]
        squares = [random_square(self.photographs, i, self.size, rng, self.read, self.strength) for i in chosen]
        images = np.stack([image for image, _ in squares]).astype(np.float32)
        most = max(len(truth) for _, truth in squares)
        rows = min(MAX_FACES, ROW_MULTIPLE * max(1, -(-most // ROW_MULTIPLE)))
        return images, np.stack([pad_truth(truth, rows) for _, truth in squares])


def export(trained: keras.Model, folder: Path, photographs: int, settings: dict[str, float | str]) -> None:
    """Write model.keras, the OpenVINO graph and model.json into `folder`; the graph takes pictures of any size.

    Args:
        trained: of network.build. photographs: number learned from. settings: of the run, with "width".
    """
    folder.mkdir(parents=True, exist_ok=True)
    keras.mixed_precision.set_global_policy("float32")
    model = network.build(float(settings["width"]), "channels_last")
    model.set_weights(trained.get_weights())
    model.save(folder / "model.keras", include_optimizer=False)
    if keras.backend.backend() == "tensorflow":
        graph = model
    else:  # OpenVINO does not remove the transpositions around each convolution
        graph = network.build(float(settings["width"]), "channels_first")
        graph.set_weights(model.get_weights())
    graph.export(str(folder / "detector.xml"), format="openvino", verbose=False)
    card = {
        "name": "detector",
        "date": date.today().isoformat(),
        "input": {"channels": "BGR", "range": [0, 255], "multiple": network.STRIDES[-1]},
        "strides": list(network.STRIDES),
        "parameters": model.count_params(),
        "training": {**settings, "photographs": photographs},
        "sha256": {name: sha256(folder / name) for name in FILES},
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
