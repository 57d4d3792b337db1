def number(cell):
    """A cell as a number, by the file's marks for decimals and thousands."""
    found = NUMBER.fullmatch(cell)
    if found is None:
        raise ValueError(f"{cell!r} is no number")
    whole, fraction, exponent = found.groups(default="")
    return float(re.sub("[^0-9+-]", "", whole) + "." + fraction + exponent)
