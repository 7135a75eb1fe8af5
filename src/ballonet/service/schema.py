"""The tables of the store and of the history: what brings a file from each version to the next.

Sizes are bytes, times epoch seconds, and unknown is NULL. A script that was released is never changed.
"""

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE acts (
        id INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        uuid TEXT NOT NULL,
        name TEXT NOT NULL,
        from_bytes INTEGER NOT NULL,
        to_bytes INTEGER NOT NULL,
        cause TEXT NOT NULL,
        outcome TEXT, -- NULL: it is under way
        settled_at REAL,
        actual_bytes INTEGER,
        text TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX acts_of_guest ON acts (uuid);
    CREATE INDEX acts_under_way ON acts (uuid) WHERE outcome IS NULL;
    CREATE INDEX acts_by_time ON acts (at);

    CREATE TABLE holds (
        id TEXT PRIMARY KEY,
        uuid TEXT NOT NULL,
        name TEXT NOT NULL,
        begun_at REAL NOT NULL,
        until REAL,
        who TEXT NOT NULL,
        why TEXT NOT NULL,
        size_bytes INTEGER
    );
    CREATE TABLE leases (
        id TEXT PRIMARY KEY,
        size_bytes INTEGER NOT NULL,
        begun_at REAL NOT NULL,
        until REAL NOT NULL,
        who TEXT NOT NULL,
        guest TEXT NOT NULL
    );

    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: who follows asks for what is newer
        at REAL NOT NULL,
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        uuid TEXT NOT NULL,
        from_bytes INTEGER,
        to_bytes INTEGER,
        sentence TEXT NOT NULL,
        written INTEGER NOT NULL,
        reasons TEXT -- JSON
    );
    CREATE INDEX events_by_time ON events (at);
    CREATE INDEX events_of_guest ON events (uuid, at);
    CREATE INDEX events_of_name ON events (name, at);

    CREATE TABLE learned (
        uuid TEXT PRIMARY KEY,
        at REAL NOT NULL,
        numbers TEXT NOT NULL -- JSON
    );
    CREATE TABLE state (
        name TEXT PRIMARY KEY,
        text TEXT NOT NULL
    );
    """,
    # Events of a rare kind are found without reading all others: of a million that took a second.
    "CREATE INDEX events_of_kind ON events (kind, at);",
)

# A sample is float32 values side by side: the seconds from its row's `at` to its end, then `fields` of them.
# Rows come in the order of time, and go in it: few pages are touched by either.
HISTORY_MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE guests (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        uuid TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        seen_at INTEGER NOT NULL
    );
    CREATE TABLE host_samples (
        step INTEGER NOT NULL, -- seconds that a sample sums up; 0: a tick, and a row holds those of a minute
        at INTEGER NOT NULL, -- when the first of these ticks was
        fields INTEGER NOT NULL,
        cells BLOB NOT NULL, -- of ticks deflated
        PRIMARY KEY (step, at)
    ) WITHOUT ROWID;
    CREATE TABLE guest_samples ( -- the same of each guest, with the host's `at`
        step INTEGER NOT NULL,
        at INTEGER NOT NULL,
        guest INTEGER NOT NULL,
        fields INTEGER NOT NULL,
        cells BLOB NOT NULL,
        PRIMARY KEY (step, at, guest)
    ) WITHOUT ROWID;
    """,
)
