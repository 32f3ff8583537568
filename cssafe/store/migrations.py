"""Schema of the database, one function a step. A released step is never changed: add another.

Names are written out, because a step must not change with constants. tests/data holds a database of each released step.

The table `migrations` has the names of the steps done. Times are naive UTC in TIMESTAMP columns. There are no keys and no
foreign keys: one writer thread keeps the rows consistent, and DuckLake has no keys.
"""

import duckdb

from cssafe.errors import StoreError
from cssafe.language import N_


def m001_initial(connection: duckdb.DuckDBPyConnection) -> None:
    """Lessons, their observations, markers and settings. `minutes` and `tracks` are what the charts read (summaries.py)."""
    connection.execute("""
        CREATE SEQUENCE lesson_numbers;  -- never gives a number twice, so an old link cannot show another lesson
        CREATE TABLE lessons (
            lesson INTEGER NOT NULL, name VARCHAR NOT NULL, class_name VARCHAR NOT NULL, subject VARCHAR NOT NULL,
            room VARCHAR NOT NULL, time_zone VARCHAR NOT NULL, profile VARCHAR NOT NULL, formula VARCHAR NOT NULL,
            source VARCHAR NOT NULL, audience VARCHAR NOT NULL, started TIMESTAMP NOT NULL, ended TIMESTAMP);
        CREATE TABLE markers (lesson INTEGER NOT NULL, time TIMESTAMP NOT NULL, kind VARCHAR NOT NULL, note VARCHAR);
        CREATE TABLE settings (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
        CREATE TABLE observations (
            lesson INTEGER NOT NULL, time TIMESTAMP NOT NULL, track INTEGER NOT NULL, frames INTEGER, score FLOAT,
            yaw FLOAT, pitch FLOAT, roll FLOAT, gaze_x FLOAT, gaze_y FLOAT, openness FLOAT, eyes_open FLOAT, size FLOAT,
            sharpness FLOAT, p_neutral FLOAT, p_happy FLOAT, p_surprise FLOAT, p_sad FLOAT, p_angry FLOAT,
            p_disgust FLOAT, p_fear FLOAT, p_contempt FLOAT, attention FLOAT, concentration FLOAT, level TINYINT);
        CREATE TABLE minutes (
            lesson INTEGER NOT NULL, time TIMESTAMP NOT NULL, faces DOUBLE, seconds INTEGER NOT NULL,
            attention DOUBLE, concentration DOUBLE);
        CREATE TABLE tracks (
            lesson INTEGER NOT NULL, track INTEGER NOT NULL, measured INTEGER NOT NULL, expressed INTEGER NOT NULL,
            attention DOUBLE, concentration DOUBLE, p_neutral DOUBLE, p_happy DOUBLE, p_surprise DOUBLE, p_sad DOUBLE,
            p_angry DOUBLE, p_disgust DOUBLE, p_fear DOUBLE, p_contempt DOUBLE, n_neutral INTEGER, n_happy INTEGER,
            n_surprise INTEGER, n_sad INTEGER, n_angry INTEGER, n_disgust INTEGER, n_fear INTEGER, n_contempt INTEGER,
            c0 INTEGER, c1 INTEGER, c2 INTEGER, c3 INTEGER, c4 INTEGER, c5 INTEGER, c6 INTEGER, c7 INTEGER, c8 INTEGER,
            c9 INTEGER);
    """)


def m002_signals(connection: duckdb.DuckDBPyConnection) -> None:
    """Eyes, mouth, quality and movements; null for earlier lessons."""
    watched = ("blinks", "perclos", "mouth", "yawning", "hidden", "quality")
    movements = ("smile", "brow_raise", "frown", "nose_wrinkle", "jaw_drop")
    for name in (*watched, *movements):
        connection.execute(f"ALTER TABLE observations ADD COLUMN {name} FLOAT")


def m003_activities(connection: duckdb.DuckDBPyConnection) -> None:
    """Activities, each from its time until the next. Earlier lessons were scored as with eyes to the front."""
    connection.execute("""
        CREATE TABLE activities (lesson INTEGER NOT NULL, time TIMESTAMP NOT NULL, activity VARCHAR NOT NULL);
        INSERT INTO activities SELECT lesson, started, 'front' FROM lessons;
    """)


def m004_ratings(connection: duckdb.DuckDBPyConnection) -> None:
    """Teachers' ratings of minutes: 0 low, 1 medium, 2 high, null for no answer."""
    connection.execute("CREATE TABLE ratings (lesson INTEGER NOT NULL, time TIMESTAMP NOT NULL, rating TINYINT)")


def m005_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Positions of faces, linked tracks (`face` is the first of them; only differing ones are kept), and weights. Earlier
    lessons have no positions, so each track is a face, and no quality, so all weigh alike."""
    for name in ("x", "y", "w", "h"):
        connection.execute(f"ALTER TABLE observations ADD COLUMN {name} FLOAT")
    connection.execute("""
        CREATE TABLE faces (lesson INTEGER NOT NULL, track INTEGER NOT NULL, face INTEGER NOT NULL);
        ALTER TABLE tracks ADD COLUMN weight DOUBLE;
        UPDATE tracks SET weight = measured;
    """)


def m006_notes(connection: duckdb.DuckDBPyConnection) -> None:
    """Teachers' notes, at most one a lesson, and tags for comparing lessons."""
    connection.execute("""
        CREATE TABLE notes (lesson INTEGER NOT NULL, note VARCHAR NOT NULL);
        CREATE TABLE tags (lesson INTEGER NOT NULL, tag VARCHAR NOT NULL);
    """)


def m007_divisions(connection: duckdb.DuckDBPyConnection) -> None:
    """Regions for which a lesson's figures were first shown. Edges are shares of the picture."""
    connection.execute("""
        CREATE TABLE divisions (
            lesson INTEGER NOT NULL, name VARCHAR NOT NULL, "left" DOUBLE NOT NULL, top DOUBLE NOT NULL,
            "right" DOUBLE NOT NULL, bottom DOUBLE NOT NULL);
    """)


def m008_people(connection: duckdb.DuckDBPyConnection) -> None:
    """People of a lesson, minutes in which those not visible count, and valence. Null for earlier lessons, until they are
    scored again. Band and interval: see presence/minutes.py."""
    counts = ("present", "known", "on_task", "off_task", "unreadable", "unseen", "n_low", "n_medium", "n_high")
    for name in (*counts, "low", "high", "lowest", "highest", "valence"):
        connection.execute(f"ALTER TABLE minutes ADD COLUMN {name} DOUBLE")
    connection.execute("""
        ALTER TABLE lessons ADD COLUMN expected INTEGER;
        ALTER TABLE minutes ADD COLUMN looks INTEGER;
        CREATE TABLE people (
            lesson INTEGER NOT NULL, person INTEGER NOT NULL, present INTEGER NOT NULL, shares DOUBLE,
            attention_shares DOUBLE, engaged DOUBLE);
    """)


def m009_plain_means(connection: duckdb.DuckDBPyConnection) -> None:
    """Figures without weights by quality: summaries are deleted, and derived again when the workspace opens. A formula's name
    says where its numbers come from."""
    connection.execute("""
        DELETE FROM minutes WHERE lesson IN (SELECT lesson FROM observations);
        ALTER TABLE tracks DROP COLUMN weight;
        UPDATE lessons SET formula = 'sharma-distractionmodel 2' WHERE formula = 'published 2';
        UPDATE settings SET value = '"sharma-distractionmodel 2"' WHERE key = 'formula' AND value = '"published 2"';
    """)


def m010_empty_seconds(connection: duckdb.DuckDBPyConnection) -> None:
    """Seconds in which the camera gave a picture and nobody was found; unknown for earlier lessons."""
    connection.execute("CREATE TABLE empty_seconds (lesson INTEGER NOT NULL, time TIMESTAMP NOT NULL)")


MIGRATIONS = (
    m001_initial,
    m002_signals,
    m003_activities,
    m004_ratings,
    m005_places,
    m006_notes,
    m007_divisions,
    m008_people,
    m009_plain_means,
    m010_empty_seconds,
)


def migrate(connection: duckdb.DuckDBPyConnection) -> None:
    """Run all missing steps, each in a transaction of its own.

    Raises:
        StoreError: a newer CSSAFE or another program made this database.
    """
    tables = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if tables and "migrations" not in tables:
        raise StoreError(
            N_(
                "This database was made by another program (it contains the table {table}). It was left as it is. Move it "
                "away, or choose another folder with CSSAFE_DATA."
            ),
            table=min(tables),
        )
    connection.execute("CREATE TABLE IF NOT EXISTS migrations (name VARCHAR NOT NULL, done TIMESTAMP NOT NULL)")
    done = {name for (name,) in connection.execute("SELECT name FROM migrations").fetchall()}
    if unknown := done - {step.__name__ for step in MIGRATIONS}:
        raise StoreError(
            N_(
                "This database was made by a newer version of CSSAFE (it contains {newer}). It was left as it is. Update "
                "CSSAFE, or choose another folder with CSSAFE_DATA."
            ),
            newer=", ".join(sorted(unknown)),
        )
    for step in MIGRATIONS:
        if step.__name__ not in done:
            connection.begin()
            step(connection)
            connection.execute("INSERT INTO migrations VALUES (?, now() AT TIME ZONE 'UTC')", [step.__name__])
            connection.commit()


def lesson_tables(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Names of the tables whose rows belong to lessons, sorted."""
    rows = connection.execute(
        "SELECT table_name FROM duckdb_columns() WHERE column_name = 'lesson' AND NOT internal"
        " AND database_name = current_database() AND schema_name = 'main' ORDER BY table_name"
    ).fetchall()
    return [name for (name,) in rows]
