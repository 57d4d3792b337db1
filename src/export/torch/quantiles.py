def to_normal(values, quantiles):
    """The number of the normal distribution at a value's share: QuantileTransformer(output_distribution="normal")."""
    shares = np.linspace(0, 1, len(quantiles))
    quantiles = np.array(quantiles)
    width = quantiles[-1] - quantiles[0]
    bound = 1e-7 * (min(width, 1.0) if width > 0 else 1.0)
    share = (np.interp(values, quantiles, shares) - np.interp(-values, -quantiles[::-1], -shares[::-1])) / 2
    share = np.where(values + bound > quantiles[-1], 1.0, share)
    share = np.where(values - bound < quantiles[0], 0.0, share)
    normal = torch.special.ndtri(torch.from_numpy(share)).numpy()
    return np.where(np.isnan(values), np.nan, np.clip(normal, -5.199337582605575, 5.199337582605575))


def from_normal(values, quantiles):
    """The inverse of to_normal."""
    share = torch.special.ndtr(torch.from_numpy(values)).numpy()
    back = np.interp(share, np.linspace(0, 1, len(quantiles)), quantiles)
    back = np.where(share + 1e-7 > 1, quantiles[-1], back)
    return np.where(share - 1e-7 < 0, quantiles[0], back)
