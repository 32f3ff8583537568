"""`make test-elsewhere` and `make measure` do not pass over what is missing or fails."""

from tests import elsewhere, measure


def test_without_libfaketime_or_the_turkish_locale_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr(elsewhere, "TURKISH", "xx_XX.UTF-8")
    monkeypatch.setattr(elsewhere.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert "xx_XX.UTF-8 is missing" in elsewhere.missing()
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "")
    assert "apt-get install faketime" in elsewhere.missing()


def test_every_command_is_measured_and_those_that_fail_are_named(tmp_path):
    path, bad = tmp_path / "measured.md", "-c 'raise SystemExit(3)'"
    assert measure.measure([bad, "-c 'print(\"a table\")'"], path) == [bad]
    written = path.read_text(encoding="utf-8")
    assert "\n## `python -c 'print(\"a table\")'`\n\na table\n" in written
    assert measure.measure([], path) == [] and path.read_text(encoding="utf-8").startswith("# Measured on 20")
