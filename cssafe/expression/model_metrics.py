"""What was measured of the served network: figures.json in its folder, written by `python -m cssafe evaluate --card`.

One JSON object; shares lie in [0, 1] and have four decimals, intervals are [low, high] of 95 %:

    date          "2026-11-21"
    command       the command that wrote it, file names without folders
    processor     its name
    precision     "bf16", "f32" or "int8": what the network ran in
    precisions    {precision: {"fer2013", "ferplus": accuracy}} in each precision that this machine has, without copies of
                  training pictures where the data tell which these are
    model         {"name", "sha256"}; the hash of expression.bin
    data          {"file", "sha256"} of what was evaluated
    beside        {"name", "sha256"} of the network that it is compared with, or null
    fer2013       figures by FER2013's seven labels, see below
    ferplus       figures by the majority of FERPlus' votes, eight labels

Figures of one set of labels, the same that `python -m cssafe evaluate --json` prints:

    n             faces
    accuracy, accuracy_interval
    accuracy_without_duplicates, accuracy_without_duplicates_interval, n_without_duplicates
                  only where the data tell which faces also stand in the training data
    macro_f1, macro_f1_interval
    expected_calibration_error
    per_class     {label: {"precision", "recall", "recall_interval", "f1", "support": faces}}
    labels        the order of the rows and columns of the next two
    confusion     counts; a row for each true label, a column for each guess
    confusion_normalised
                  the same as shares of each row (all 0 where there are no faces)
    reliability   [{"from", "to": confidence, "count": faces, "confidence": mean, "accuracy"}]; the last two are null in an
                  empty bin
    coverage      [{"coverage": share of the faces that are answered, the surest first, "confidence": the least of them,
                  "accuracy": among them}], by rising coverage
    robustness    [{"change": "brightness", "strength": 30, "unit": "grey levels", "accuracy", "beside": accuracy of the other
                  network or null}], the first with the change "none"; absent where it was not measured
    groups        {column: {"groups": {value: {"n", "accuracy", "accuracy_interval", "per_class": {label: {"support",
                  "recall", "recall_interval"}}}}, "smallest": faces below which figures are null, "unknown": faces without
                  a value, "p_accuracy", "p_recall": {label}}}; p is the probability of differences at least this large
                  between groups that do not differ, null where fewer than two groups are large enough. Empty where nothing
                  was measured.
"""

import json
from pathlib import Path
from typing import Any

from cssafe.errors import ConfigurationError
from cssafe.language import N_

FIGURES = "figures.json"


def read(folder: Path) -> dict[str, Any] | None:
    """The figures of the network in a model folder; None where none were measured.

    Raises:
        ConfigurationError: the file cannot be read, or was measured with other weights than those of model.json.
    """
    path = folder / FIGURES
    if not path.is_file():
        return None
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        measured = figures["model"]["sha256"]
        served = json.loads((folder / "model.json").read_text(encoding="utf-8"))["sha256"]["expression.bin"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            N_(
                "{path} cannot be read ({error}): expected what `python -m cssafe evaluate DATA --card` writes. Run it again."
            ),
            path=path,
            error=error,
        ) from error
    if measured != served:
        raise ConfigurationError(
            N_(
                "{path} was measured with other weights than those of {card}. Run `python -m cssafe evaluate DATA --card` "
                "again."
            ),
            path=path,
            card=folder / "model.json",
        )
    return figures
