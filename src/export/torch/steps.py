def missing_rows(at):
    """How many rows are missing between each time and the next; steps that are up to half longer are usual."""
    steps = (np.diff(at) - 1e-14 * np.abs(at).max()) / STEP
    return np.ceil(steps - 1.5 - 1e-9).clip(0)
