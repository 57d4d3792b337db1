"""Several series in one file with a gap in time: their windows, and the lines that `descent predict` writes of forecasts."""

import datetime

import numpy as np

CONFIG = """seed = 1
[data]
name = "timeseries"
path = '{path}'
target = {target}
window = 5
horizon = {horizon}
group = "store"
normalize = "standard"
{data}
[model]
{model}
[loss]
name = "mse"
[optimizer]
name = "adam"
lr = 0.01
[train]
epochs = 2
batch_size = 16
"""
WINDOW = 5


class Panel:
    """Rows of three series by days: `south` lacks four days, `east` has fewer rows than a window."""

    def __init__(self, path, steps, shuffled=False, missing=False, has_time=True):
        self.path, self.steps, self.is_filled = path, steps, missing
        random = np.random.default_rng(5)
        rows = []
        for store, first, count in (("north", 0, 40), ("south", 2, 40), ("east", 1, 3)):
            for day in range(count):
                if (store, day) not in {("south", 20 + gone) for gone in range(4)}:
                    date = datetime.date(2024, 1, 30) + datetime.timedelta(days=first + day)
                    rows.append([date, store, round(random.normal(10, 5), 2), random.choice(["red", " blue "]),
                                 round(20 + 5 * np.sin(day / 3) + random.normal(), 3), round(random.normal(), 3)])
        rows.sort(key=lambda row: row[0])
        if shuffled:
            random.shuffle(rows)
        if missing:
            for number in (4, 21, 22, 40, 50, len(rows) - 1):
                rows[number][2 + number % 3] = ""
        # The rows of each series that follow each other, in the order of time.
        self.series = []
        for store in dict.fromkeys(row[1] for row in rows):
            own = sorted((row[0], number) for number, row in enumerate(rows) if row[1] == store)
            cuts = [place for place in range(1, len(own)) if has_time and (own[place][0] - own[place - 1][0]).days > 1]
            numbers = np.array([number for _, number in own])
            self.series.append(np.split(numbers, cuts))
        lines = [",".join(map(str, row if has_time else row[1:])) for row in rows]
        head = "day,store,temp,colour,sales,visits" if has_time else "store,temp,colour,sales,visits"
        path.write_text("\n".join([head, *lines]) + "\n")

    def windows(self):
        """The rows of all windows, in the order of the rows that they end with."""
        found = [run[first : first + WINDOW] for runs in self.series for run in runs for first in range(len(run) - WINDOW + 1)]
        return np.array(sorted(found, key=lambda window: window[-1]))

    def lines(self, ends, answers):
        """The forecasts (M, K) that `descent predict` writes, of those (N, steps K) from the windows that end with these rows:
        of each row the latest, and those of the days behind each series."""
        answers = dict(zip(ends, np.asarray(answers).reshape(len(ends), len(self.steps), -1)))
        first, reach = self.steps[0], self.steps[-1]
        of_rows = {}
        for run in (run for runs in self.series for run in runs):
            for place in range(first, len(run)):
                if run[place - first] in answers:
                    of_rows[run[place]] = answers[run[place - first]][0]
        lines = [of_rows[row] for row in sorted(of_rows)]
        for run in (runs[-1] for runs in self.series):
            for ahead in range(1, reach + 1):
                place, step = next((place, step) for place, step in enumerate(self.steps) if step >= ahead)
                end = len(run) - 1 + ahead - step
                if end >= 0 and run[end] in answers:
                    lines.append(answers[run[end]][place])
        return np.array(lines)
