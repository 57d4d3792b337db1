def missing_rows(at):
    """How many rows are missing between each date and the next, by months."""
    month = np.floor(at).astype(np.int64).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return np.ceil(np.diff(month) / MONTHS - 1 - 1e-9).clip(0)
