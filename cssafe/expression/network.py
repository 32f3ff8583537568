"""The served expression network: an exported graph and its model.json, run without Keras."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cssafe.errors import ConfigurationError
from cssafe.labels import FER2013, FERPLUS
from cssafe.language import N_
from cssafe.vision import openvino_runtime

GRAPHS = {"int8": "expression_int8", "bf16": "expression", "f32": "expression"}
"""Precision -> the exported graph that is run in it. A folder may lack the one of 8-bit integers."""


class Expression:
    """Reads a model folder and names the emotions of crops.

    Args:
        folder: with model.json, expression.xml and expression.bin, and mostly the same as expression_int8.
        precision: "int8", "bf16" or "f32"; None takes the quickest that the processor has and the folder has a graph for.
            The model card has the accuracy of each.

    Raises:
        ConfigurationError: a file is missing, unreadable or not the one that model.json was written for.
    """

    def __init__(self, folder: Path, precision: str | None = None) -> None:
        self.card = read_card(folder)
        try:
            digests = dict(self.card["sha256"])
            self.size = int(self.card["input"]["size"])
            orders = self.card["labels"]
            # Labels travel by name: the graph's own order is turned into ours here, once.
            self._columns = {
                "fer2013": [orders["fer2013"].index(name) for name in FER2013],
                "ferplus": [orders["ferplus"].index(name) for name in FERPLUS],
            }
            graph = GRAPHS[precision or precisions(self.card)[0]]
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise _unreadable(folder, error) from error
        openvino_runtime.check_digests(folder, digests, (f"{graph}.xml", f"{graph}.bin"))
        self._graph, self._precise = folder / f"{graph}.xml", precision == "f32"
        self._network = openvino_runtime.compile_model(self._graph, self._precise)
        self._outputs = {port.get_any_name(): i for i, port in enumerate(self._network.outputs)}

    def ferplus(self, crops: np.ndarray, mirror: bool = True) -> np.ndarray:
        """Grey crops uint8 (n, size, size) -> probabilities float32 (n, 8) in the order of labels.FERPLUS. mirror: as in
        `probabilities`."""
        return self.probabilities(crops, mirror)["ferplus"]

    def fer2013(self, crops: np.ndarray) -> np.ndarray:
        """The same for the seven original labels, (n, 7) in the order of labels.FER2013."""
        return self.probabilities(crops)["fer2013"]

    def probabilities(self, crops: np.ndarray, mirror: bool = True) -> dict[str, np.ndarray]:
        """Both in one run: {"ferplus": (n, 8), "fer2013": (n, 7)}. mirror: average each crop with its mirror image, in twice
        the time; without it the accuracy is half a point lower (docs/benchmarks.md)."""
        if crops.shape[1:] != (self.size, self.size):
            raise ValueError(f"Crops are (n, {self.size}, {self.size}); these are {crops.shape}.")
        if len(crops) == 0:
            return {name: np.zeros((0, len(columns)), np.float32) for name, columns in self._columns.items()}
        network = self._network if mirror else self._unmirrored
        maps = openvino_runtime.run_batches(network, crops[..., None].astype(np.float32))
        return {name: maps[self._outputs[name]][:, columns] for name, columns in self._columns.items()}

    def evidence(self, crops: np.ndarray) -> np.ndarray | None:
        """Evidence for each emotion at each place of the crops: logits float32 (n, rows, columns, 8), the emotions in the
        order of labels.FERPLUS, whose mean over all places is each emotion's logit (class activation map, Zhou et al. 2016).

        None: the graph gives no map.
        """
        if not self.mapped:
            return None
        number = self._outputs["map"]
        if len(crops) == 0:
            sides = [side.get_length() for side in list(self._network.outputs[number].partial_shape)[1:3]]
            return np.zeros((0, *sides, len(FERPLUS)), np.float32)
        maps = openvino_runtime.run_batches(self._network, crops[..., None].astype(np.float32))
        return maps[number][..., self._columns["ferplus"]]

    @cached_property
    def _unmirrored(self) -> Any:
        """Compiled when it is first used: a class in a recording needs it, a single camera never."""
        return openvino_runtime.compile_model(openvino_runtime.without_mirror(self._graph), self._precise)

    @property
    def mapped(self) -> bool:
        """Whether the graph gives `evidence`; networks exported earlier than that do not."""
        return "map" in self._outputs

    @property
    def precision(self) -> str:
        """Precision that the network runs in on this machine: "bf16", "f32", "int8"."""
        return openvino_runtime.precision(self._network)


def precisions(card: dict[str, Any]) -> list[str]:
    """Precisions that a network can run in on this machine, the quickest first, by its model.json."""
    return [name for name in openvino_runtime.precisions() if f"{GRAPHS[name]}.xml" in card["sha256"]]


def read_card(folder: Path) -> dict[str, Any]:
    """model.json of the network in a model folder.

    Raises:
        ConfigurationError: it is missing or unreadable.
    """
    try:
        card = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable(folder, error) from error
    if not isinstance(card, dict):
        raise _unreadable(folder, TypeError("model.json holds no object"))
    return card


def _unreadable(folder: Path, error: Exception) -> ConfigurationError:
    return ConfigurationError(
        N_(
            "The expression network in {folder} cannot be read ({error}): expected a folder with model.json, expression.xml "
            "and expression.bin. Point CSSAFE_MODEL to one, or make one with `python -m cssafe train`."
        ),
        folder=folder,
        error=error,
    )
