"""Shared by all pages: workspace, settings, heading with the choice of language, charts with captions, error messages."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from zoneinfo import available_timezones

import pandas as pd
import streamlit as st
from altair.utils import schemapi
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cssafe import language, sample
from cssafe import settings as settings_module
from cssafe.charts.factors import FACTOR_TITLES
from cssafe.errors import ConfigurationError
from cssafe.exchange.spreadsheet import escape_texts, has_formula
from cssafe.language import COOKIE, LANGUAGES, N_, _, cookie_script
from cssafe.live import services
from cssafe.names import escape_sentence
from cssafe.settings import IDLE_TIMEOUT_MINUTES, Settings
from cssafe.store import StoreError, Workspace
from cssafe.store.errors import is_broken, is_damage

log = logging.getLogger(__name__)

NOT_STORED = N_(
    "Nothing is stored: what you record is visible in this tab only, and gone when you close it or leave it unused for "
    "{minutes} minutes."
)
NO_EMOTION = N_("Attention only: no emotion is computed, stored or shown.")
RENEWED = N_(
    "Your earlier lessons were deleted after {minutes} minutes without use: nothing is stored here. You have a new, empty "
    "workspace."
)
ERASING = N_(
    "The deleted lessons are gone from every table and chart, but traces of them remain in the database file and its "
    "backups: the file is in use, by a report or an export for example, or the disk has no room for a second one. CSSAFE "
    "tries again when the next lesson ends, and when it is closed or started; then the traces are gone, and so is this notice."
)
STYLE = """<style>
.stMainBlockContainer { padding-top: 4.5rem; }
.stMarkdown table { display: block; overflow-x: auto; }
[class*="st-key-typed_"] button[aria-label="Download as CSV"] { display: none; }
</style>"""
"""Less empty height above the heading; on a phone a wide table scrolls by itself; no CSV of Streamlit's own, whose texts a
spreadsheet may execute."""


def settings() -> Settings:
    """The settings; an invalid value ends the page with its message."""
    try:
        return settings_module.load()
    except ConfigurationError as error:
        st.error(escape_sentence(error), icon=":material/error:")
        st.stop()


def workspace() -> Workspace:
    """The file database; where nothing is stored (always when hosted), one in memory for each visit. An error ends the page
    with its message. Call it again in callbacks: a visit's workspace may be closed between two runs."""
    try:
        if settings().profile.stored:
            return services.current().workspace()
        return _visit().workspace()
    except StoreError as error:
        st.error(escape_sentence(error), icon=":material/error:")
        st.stop()


def _visit() -> services.Visit:
    if "visit" not in st.session_state:
        context = get_script_run_ctx()
        session = context.session_id if context else ""
        st.session_state["visit"] = services.current().visit(
            lambda: not runtime.exists() or runtime.get_instance().is_active_session(session)
        )
    return st.session_state["visit"]


def current_language() -> str:
    """The language of this visit: the one chosen, else that of the browser's cookie, else English."""
    if get_script_run_ctx(suppress_warning=True) is None:
        return "en"
    if "language" not in st.session_state:
        kept = st.context.cookies.get(COOKIE)
        st.session_state["language"] = kept if kept in LANGUAGES else "en"
    return st.session_state["language"]


language.set_language_source(current_language)
schemapi.disable_debug_mode()  # charts are validated as a whole; validating each part took a fifth of a page's time


def forget_uploads() -> None:
    """Remove the visit's uploaded files from Streamlit's memory, which keeps them until the tab is closed."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)


def show_heading(title: str) -> None:
    """The page's heading with the choice of language, and the notices of the profile."""
    st.html(STYLE)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, width="stretch")
        st.menu_button(
            LANGUAGES[current_language()],
            LANGUAGES,
            key="speak",
            help=_("Language"),
            icon=":material/translate:",
            type="tertiary",
            format_func=LANGUAGES.__getitem__,
            on_click=_set_language,
        )
    if st.context.cookies.get(COOKIE, "en") != current_language():
        st.html(f"<script>{cookie_script(current_language())}</script>", unsafe_allow_javascript=True)
    profile = settings().profile
    if not profile.stored:
        st.caption(":material/visibility_off: " + _(NOT_STORED).format(minutes=IDLE_TIMEOUT_MINUTES))
    if not profile.expression:
        st.caption(":material/visibility: " + _(NO_EMOTION))


def _set_language() -> None:
    st.session_state["language"] = st.session_state["speak"]


@st.fragment(run_every=2)
def show_write_problem() -> None:
    """Show the problem of writing, as long as there is one."""
    if problem := workspace().problem:
        st.error(escape_sentence(problem), icon=":material/error:")


def _dismiss() -> None:
    workspace().notice = None


def start_page(title: str) -> None:
    """The heading, and the notices of the workspace: problems of writing, missing observations, an unfinished deletion,
    synthetic lessons, a workspace that was renewed."""
    show_heading(title)
    opened = workspace()
    st.session_state["unwritten_shown"] = bool(opened.problem)
    if opened.problem:
        show_write_problem()
    if opened.notice is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.warning(escape_sentence(opened.notice), icon=":material/restore:", width="stretch")
            st.button(_("Dismiss"), key="dismiss_notice", type="tertiary", on_click=_dismiss)
    if opened.erasing:
        st.warning(_(ERASING), icon=":material/delete_history:")
    if sample.has_term(opened):
        st.caption(
            ":material/science: " + _("Some lessons here are synthetic: made up, to show what the charts look like.")
        )
    if not settings().profile.stored and _visit().renewed:
        _visit().renewed = False
        st.info(_(RENEWED).format(minutes=IDLE_TIMEOUT_MINUTES), icon=":material/history_toggle_off:")


def choose(label: str, titles: dict[str, str], default: str, key: str) -> str:
    """A row of buttons; the chosen key of `titles`, which is in the page's address, too."""
    return st.segmented_control(
        label,
        list(titles),
        default=default,
        required=True,
        format_func=titles.__getitem__,
        key=key,
        bind="query-params",
    )


@contextmanager
def saving(*expected: type[Exception]) -> Iterator[None]:
    """Save in the block, then draw the page again; an expected error is shown instead."""
    try:
        yield
    except expected as error:
        st.error(escape_sentence(error), icon=":material/error:")
    else:
        st.rerun()


def time_zones(saved: str | None) -> tuple[list[str], int]:
    """All time zones, and the index of the saved one, else of the browser's."""
    zones, zone = sorted(available_timezones()), saved or st.context.timezone
    return zones, zones.index(zone if zone in zones else "UTC")


def show_chart(drawn: Any, caption: str, table: pd.DataFrame, *, key: str, how: str = "", **options: Any) -> Any:
    """Draw a chart, and under it its caption, how to read it, and its table, made when it is opened.

    Args:
        drawn: an alt.Chart. caption: also for screen readers.
        table: the data of the chart (`column_titles` has titles for its columns).
        key: unique on the page. how: may be empty. options: of st.altair_chart.

    Returns:
        What st.altair_chart returns: the selections.
    """
    with st.container(gap="xsmall"):
        event = st.altair_chart(drawn, key=key, alt=caption, **options)
        st.text(caption)
        if how:
            st.caption(how)
        behind = st.expander(_("Table"), icon=":material/table:", type="compact", key=f"{key}_table", on_change="rerun")
    if behind.open:
        words = column_titles()
        floats = table.select_dtypes("float").columns
        with behind:
            show_table(
                table,
                key=f"{key}_rows",
                column_config={name: words.get(name, name) for name in table.columns}
                | {name: st.column_config.NumberColumn(words.get(name, name), format="%.3f") for name in floats},
            )
    return event


def show_table(table: pd.DataFrame, *, key: str, **options: Any) -> Any:
    """st.dataframe without index. If a spreadsheet would execute one of its texts, an escaped CSV replaces Streamlit's own.

    Args:
        key: unique on the page. options: of st.dataframe.

    Returns:
        What st.dataframe returns: the selections.
    """
    if not has_formula(table):
        return st.dataframe(table, hide_index=True, key=key, **options)
    with st.container(key=f"typed_{key}", gap="xsmall"):
        event = st.dataframe(table, hide_index=True, key=key, **options)
        st.download_button(
            "CSV",
            lambda: escape_texts(table).to_csv(index=False).encode(),
            f"{key}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
            key=f"{key}_csv",
        )
    return event


def edit_table(table: pd.DataFrame, *, key: str, **options: Any) -> pd.DataFrame:
    """st.data_editor without index, and without its CSV. key, options: of st.data_editor."""
    with st.container(key=f"typed_{key}"):
        return st.data_editor(table, key=key, hide_index=True, **options)


COLUMN_TITLES = {
    "group": N_("Group"),
    "emotion": N_("Emotion"),
    "start": N_("From"),
    "count": N_("Observations"),
    "observations": N_("Total observations"),
    "share": N_("Share (0 to 1)"),
    "low": N_("95 % interval, from"),
    "high": N_("95 % interval, to"),
    "lowest": N_("Range, from"),
    "highest": N_("Range, to"),
    "present": N_("People"),
    "on_task": N_("On task"),
    "off_task": N_("Off task"),
    "unreadable": N_("Not readable"),
    "unseen": N_("Not visible"),
    "n_low": N_("Low"),
    "n_medium": N_("Medium"),
    "n_high": N_("High"),
    "lessons": N_("Lessons"),
    "placements": N_("Classes, subjects and rooms"),
    "lesson": N_("Lesson"),
    "name": N_("Name"),
    "faces": N_("Faces"),
    "synthetic": N_("Synthetic"),
    "weekday": N_("Weekday"),
    "period": N_("Period"),
    "attention": N_("Attention"),
    "minutes": N_("Minutes"),
    "minute": N_("Minute"),
    "second": N_("Second"),
    "seconds": N_("Seconds"),
    "local": N_("Time"),
    "time": N_("Time (UTC)"),
    "kind": N_("Marker"),
    "window": N_("Within (s)"),
    "change": N_("Change"),
    "part": N_("Part"),
    "points": N_("Points"),
    "raw": N_("Mean, as recorded"),
    "raw_low": N_("95 % interval, from"),
    "raw_high": N_("95 % interval, to"),
    "effect": N_("Adjusted difference"),
    "factor": N_("Factor"),
    "mean": N_("Mean"),
}
"""Column of a table -> its title."""


def column_titles() -> dict[str, str]:
    """Column of a table -> its title in the page's language."""
    return {name: _(title) for name, title in (COLUMN_TITLES | FACTOR_TITLES).items()}


def show_error(error: Exception) -> bool:
    """Show an error of a page in words; the server's log has the details. True: Streamlit shows nothing more."""
    if (is_damage(error) or is_broken(error)) and settings().profile.stored:
        error = workspace().why_refused(error)
    if isinstance(error, (ConfigurationError, StoreError)):
        st.error(escape_sentence(error), icon=":material/error:")
    else:
        st.error(
            _(
                "This page could not be shown. Reload it; if that does not help, restart CSSAFE. The server's log has the "
                "details."
            ),
            icon=":material/error:",
        )
    return True
