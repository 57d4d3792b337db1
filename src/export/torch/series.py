def series(df):
    """The rows of each series, by their numbers in the order of time, with their times."""
    df = stripped(df)
    groups = {}
    for row, name in enumerate(zip(*(texts(df[name]) for name in GROUP)) if GROUP else [()] * len(df)):
        if None in name:
            raise ValueError(f"row {row}: the name of the series is missing")
        groups.setdefault(name, []).append(row)
    for rows in groups.values():
        at = times(df.iloc[rows])
        order = np.argsort(at, kind="stable") if SORT else np.arange(len(at))
        rows, at = np.array(rows)[order], at[order]
        if not (np.diff(at) > 0).all():
            raise ValueError("the rows of a series are not in the order of time, or two have the same time, or none")
        yield rows, at


def runs(df):
    """The rows of one series that follow each other with at most MAX_GAP rows missing between two, by their numbers."""
    for rows, at in series(df):
        yield from np.split(rows, np.flatnonzero(missing_rows(at) > MAX_GAP) + 1)


def following(df):
    """The rows of which each window of `windows` predicts the targets (N, len(STEPS)), by their numbers; -1 where there is none."""
    after = np.full((len(df), len(STEPS)), -1)
    for rows in runs(df):
        for place, step in enumerate(STEPS):
            after[rows[:-step], place] = rows[step:]
    return after[windows(df)[:, -1]]


def windows(df):
    """The rows of each window (N, WINDOW), by their numbers, in the order of the rows that windows end with."""
    pieces = [np.lib.stride_tricks.sliding_window_view(rows, WINDOW) for rows in runs(df) if len(rows) >= WINDOW]
    found = np.concatenate([np.zeros((0, WINDOW), np.int64), *pieces])
