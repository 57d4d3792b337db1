def missing_rows(at):
    """How many rows are missing between each date and the next, by the days of the week that have rows."""
    day = np.floor(at).astype(np.int64).astype("datetime64[D]")
    return (np.busday_count(day[:-1] + 1, day[1:] + 1, weekmask=WEEK) - 1).clip(0)
