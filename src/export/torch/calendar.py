def calendar(days, parts, fill=np.nan):
    """(N, 2 parts): the sine and the cosine of the place of each time in a day, a week and a year."""
    days = np.where(np.isnan(days), fill, days)
    times = np.round((days - np.floor(days)) * 86400e6) // 1e6 + 86400.0 * np.floor(days)
    seconds = np.where(np.isnan(times), 0, times).astype(np.int64).astype("datetime64[s]")
    months = np.where(np.isnan(times), np.nan, seconds.astype("datetime64[M]").astype(np.int64) % 12)
    turns = {"hour": times % 86400 / 86400, "weekday": (times // 86400 + 3) % 7 / 7, "month": months / 12}
    angles = [2 * np.pi * turns[part] for part in parts]
    return np.stack([place for angle in angles for place in (np.sin(angle), np.cos(angle))], axis=1)
