def stripped(df):
    """The table without blanks around the names of its columns."""
    return df.rename(columns=lambda name: name.strip() if isinstance(name, str) else name)


def texts(column):
    """Cells as text without blanks around it; None is missing."""
    cells = ["" if cell is None or cell != cell else str(cell).strip() for cell in column]
    return [None if cell in MISSING else cell for cell in cells]


def numbers(column):
    """Cells as numbers (N,); NaN is missing."""
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(np.float64, na_value=np.nan)
    else:
        values = np.array([np.nan if cell is None else float(cell) for cell in texts(column)], np.float64)
    return values  # MISSING_NUMBERS


def booleans(column):
    """Words for yes and no as 1 and 0 (N,); NaN is missing."""
    words = {"true": 1, "yes": 1, "t": 1, "y": 1, "1": 1, "1.0": 1, "false": 0, "no": 0, "f": 0, "n": 0, "0": 0, "0.0": 0}
    return np.array([np.nan if cell is None else words[cell.lower()] for cell in texts(column)], np.float64)


def far_date(cell, form):
    """A date of any year as days since 1970-01-01 UTC."""
    order = {"dd.mm.yyyy": "%d.%m.%Y", "dd/mm/yyyy": "%d/%m/%Y", "mm/dd/yyyy": "%m/%d/%Y", "dd-mm-yyyy": "%d-%m-%Y"}
    if form in order:
        time = datetime.datetime.strptime(cell, order[form])
    else:
        time = datetime.datetime.fromisoformat(cell)
    time = time if time.tzinfo else time.replace(tzinfo=datetime.timezone.utc)
    return (time - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) / datetime.timedelta(days=1)


MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]


def first_day(cell, form):
    """The first day of a part of a year, 1981 Q1, 1991 W06, 1960 Jan or 1960M01, as ISO 8601 has it; the year may come last."""
    is_first = cell[:4].isdigit()
    year, part = (cell[:4], cell[4:]) if is_first else (cell[-4:], cell[:-4])
    if is_first:
        part = part[1:] if part[:1] in " -/." else part
    elif part[-1:] in " -/.":
        part = part[:-1]
    else:
        raise ValueError(f"{cell} is no period")
    part, digits = part.lower(), part[1:]
    names = [name for name in MONTHS if part == name or part == name[:3]]
    if form == "yyyy-www" and part[:1] == "w" and len(digits) == 2:
        return datetime.date.fromisocalendar(int(year), int(digits), 1).isoformat()
    if form == "yyyy-q" and part in ("q1", "q2", "q3", "q4"):
        month = 3 * int(digits) - 2
    elif form == "yyyy-mon" and names:
        month = MONTHS.index(names[0]) + 1
    elif form == "yyyy-mon" and part[:1] == "m" and len(digits) == 2:
        month = int(digits)
    else:
        raise ValueError(f"{cell} is no period of the form {form}")
    return datetime.date(int(year), month, 1).isoformat()


def days(column, form):
    """Dates as days since 1970-01-01 UTC (N,); NaN is missing, and numbers are such days already."""
    if pd.api.types.is_numeric_dtype(column):
        return numbers(column)
    cells = pd.Series(texts(column), dtype=object)
    if form in ("yyyy-q", "yyyy-www", "yyyy-mon"):
        cells, form = cells.map(lambda cell: None if cell is None else first_day(cell, form)), "yyyy-mm-dd"
    if form == "yyyy-mm-dd":
        cells = cells.str.replace("/", "-")
        times = pd.to_datetime(cells, format="ISO8601", utc=True, errors="coerce")
    else:
        times = pd.to_datetime(cells, format="mixed", dayfirst=form.startswith("dd"), utc=True, errors="coerce")
    # In microseconds: pandas has no nanoseconds far from now, and has no such dates at all before version 3.
    times = times.dt.tz_localize(None).to_numpy("datetime64[us]")
    values = (times - np.datetime64(0, "us")) / np.timedelta64(1, "D")
    for row in np.flatnonzero(np.isnat(times) & cells.notna()):
        values[row] = far_date(cells[row], form)
    return values  # MISSING_DATES


def scaled(values, fill=None, offset=0.0, scale=1.0, clip=False, quantiles=None, indicator=False):
    """(N, 1): imputed, scaled, and clipped smoothly or made normal by quantiles; with an indicator (N, 2), 1 where the cell was missing."""
    missing = np.isnan(values)
    if fill is not None:
        values = np.where(missing, fill, values)
    values = (values - offset) / scale
    if clip:
        values = values / np.sqrt(1 + (values / 3) ** 2)
    if quantiles is not None:
        values = to_normal(values, quantiles)
    features = [values] + ([missing] if indicator else [])
    return np.stack(features, axis=1).astype(np.float64)


def places(column, names, missing, unknown):
    """The place of each cell among the names (N,)."""
    known = {name: place for place, name in enumerate(names)}
    return np.array([missing if cell is None else known.get(cell, unknown) for cell in texts(column)], np.int64)


def one_hot(column, names, count, missing=-1):
    """(N, count): a 1 in a name's place; none for a name that training has not seen."""
    return (places(column, names, missing, -1)[:, None] == np.arange(count)).astype(np.float64)


def category(column, names, missing=-1):
    """(N, 1): the number of a name, from 1; 0 is one that training has not seen."""
    return 1.0 + places(column, names, missing, -1)[:, None]
