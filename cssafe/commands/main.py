"""The command line `python -m cssafe COMMAND`: choice of the command, and its errors in one line.

Exit status 0; 2 and one line on stderr for input that cannot be used; 130 after Ctrl-C. A command's module is imported when the
command is chosen: the help and every complaint come at once.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from cssafe import settings
from cssafe.commands.arguments import Parser
from cssafe.errors import CssafeError
from cssafe.names import MAX_SENTENCE_CHARS, clean_text

COMMANDS = {
    "analyze": ("read faces in images, videos, folders and cameras", "cssafe.commands.analyze"),
    "watch": ("record a lesson from a room camera, with no browser open", "cssafe.commands.watch"),
    "evaluate": ("score the expression network on labelled faces", "cssafe.training.expression.evaluate"),
    "signals": ("measure how far head pose and the other signals can be trusted", "cssafe.training.signals.evaluate"),
    "bench": ("measure how fast everything is on this machine", "cssafe.commands.bench"),
    "train": ("train the expression network", "cssafe.training.expression.train"),
    "temporal": ("train and compare what joins a face's frames over time", "cssafe.training.temporal.compare"),
    "validate": ("compare scores with people's labels of engagement", "cssafe.training.engagement.validate"),
    "fit": ("make a formula from labelled videos or lessons", "cssafe.training.engagement.fit"),
    "hidden": ("learn and measure how much of a face is hidden", "cssafe.training.occlusion.train"),
    "sample": ("fill the database with a synthetic term", "cssafe.commands.sample"),
    "figures": ("print the figures of the pages, for other programs", "cssafe.commands.figures"),
    "restore": ("put a backup in the place of the database", "cssafe.commands.restore"),
    "export": ("write everything in the database into one file", "cssafe.exchange.exporter"),
    "import": ("take in what another CSSAFE has exported", "cssafe.exchange.importer"),
    "rescue": ("copy what can be read of a damaged database into a new one", "cssafe.commands.rescue"),
}
"""Name -> help text, module with `add_arguments(parser)` and `main(args)`."""

TASKS = {
    ("evaluate", "detection"): ("score the face detectors on photographs", "cssafe.training.detection.evaluate"),
    ("train", "detection"): ("train the face detector", "cssafe.training.detection.train"),
}
"""(command, `--task`) -> the same, for tasks other than the expression network."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. arguments: without the program's name (default: sys.argv's)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = _command_parser()
    try:
        name = parser.parse_args(words[:1]).command
        tasks = ("expression", *(task for command, task in TASKS if command == name))
        does, path = TASKS.get((name, _parse_task(name, words, tasks)), COMMANDS[name])
        module = import_module(path)
        parser = Parser(prog=f"python -m cssafe {name}", description=does.capitalize() + ".")
        if len(tasks) > 1:
            parser.add_argument("--task", choices=tasks, default="expression", help="default: expression")
        module.add_arguments(parser)
        return module.main(parser.parse_args(words[1:]))
    except SystemExit as stop:  # argparse, after --help or a complaint
        return int(stop.code or 0)
    except BrokenPipeError:  # the reader of our output has enough, as in `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except Exception as error:
        return _report_error(parser.prog, error)


def _command_parser() -> Parser:
    overview = "\n".join(f"  {name:<10}{does}" for name, (does, _) in COMMANDS.items())
    parser = Parser(
        prog="python -m cssafe",
        usage="python -m cssafe COMMAND ...",
        epilog=f"commands:\n{overview}\n\nEach has its own --help.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="one of the commands below")
    return parser


def _parse_task(name: str, words: Sequence[str], tasks: Sequence[str]) -> str:
    """The value of --task, which decides the module that understands the other arguments."""
    parser = Parser(prog=f"python -m cssafe {name}", add_help=False, allow_abbrev=False)
    if len(tasks) > 1:
        parser.add_argument("--task", choices=tasks, default="expression")
    return getattr(parser.parse_known_args(words[1:])[0], "task", "expression")


def _report_error(prog: str, error: Exception) -> int:
    """One line on stderr, without control characters that a file may bring; returns the exit status: 2 for what the user can
    mend, 1 for a fault in CSSAFE."""
    error = _explain_damage(error)
    expected = isinstance(error, CssafeError | OSError)
    kind = "" if expected else f"This is a fault in CSSAFE, please report it: {_origin(error)}: "
    print(f"{prog}: {kind}{clean_text(error, MAX_SENTENCE_CHARS) or type(error).__name__}", file=sys.stderr)
    return 2 if expected else 1


def _explain_damage(error: Exception) -> Exception:
    """The error in words where a block of the database is damaged; any other error unchanged."""
    if "cssafe.store" not in sys.modules:
        return error
    from cssafe.store import backups
    from cssafe.store.errors import is_damage, why_damaged

    if not is_damage(error):
        return error
    path = settings.load().database
    return why_damaged(path, error, backup=backups.newest_backup(path))


def _origin(error: Exception) -> str:
    """Type, file and line of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return f"{type(error).__name__} in {where}"
