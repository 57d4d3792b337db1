def holes(df):
    """Missing cells with a value before them in their series: the features of the column, the rows of the cell, of the value
    before it and of that after it, where both count, and how far the cell is on the way between them."""
    df = stripped(df)
    for name, first, end, between in FILLED:
        missing = np.array([cell is None for cell in texts(df[name])], bool)
        for rows, at in series(df):
            known = np.flatnonzero(~missing[rows])
            for place in np.flatnonzero(missing[rows]):
                later = np.searchsorted(known, place)
                if later > 0:
                    before, after = known[later - 1], known[later] if between and later < len(known) else None
                    share = 0.0 if after is None else (at[place] - at[before]) / (at[after] - at[before])
                    yield slice(first, end), rows[place], rows[before], None if after is None else rows[after], share


def filled(df):
    """The features of a table, with missing cells filled from the rows around them."""
    rows = features(df)
    for own, row, before, after, share in holes(df):
        change = 0.0 if after is None else rows[after, own] - rows[before, own]
        rows[row, own] = rows[before, own] + change * share
    return rows


def looks_ahead(df):
    """The rows that later ones helped to fill: no window ends with them."""
    return [row for _, row, _, after, _ in holes(df) if after is not None]
