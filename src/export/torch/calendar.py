def calendar(days, parts, fill=np.nan):
    """(N, 2 parts): the sine and the cosine of the place of each time in a day, a week and a year."""
    days = np.where(np.isnan(days), fill, days)
    times = np.round((days - np.floor(days)) * 86400e6) // 1e6 + 86400.0 * np.floor(days)
    months = pd.to_datetime(times, unit="s").month.to_numpy()
    turns = {"hour": times % 86400 / 86400, "weekday": (times // 86400 + 3) % 7 / 7, "month": (months - 1) / 12}
    angles = [2 * np.pi * turns[part] for part in parts]
    return np.stack([place for angle in angles for place in (np.sin(angle), np.cos(angle))], axis=1)
