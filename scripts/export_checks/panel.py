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


# The date of a row by its number, the rows between two dates, and the most that windows cross where nothing is said.
def day_of(number):
    return datetime.date(2024, 1, 30) + datetime.timedelta(days=number)


def month_of(number):
    return datetime.date(2010 + number // 12, 1 + number % 12, 1)


def time_of(number):
    return datetime.datetime(2024, 2, 20) + number * datetime.timedelta(hours=6, minutes=20)


FREQUENCIES = {
    "hours": (time_of, lambda first, last: (last - first) / datetime.timedelta(hours=6, minutes=20), 0),
    "days": (day_of, lambda first, last: (last - first).days, 0),
    "working days": (day_of, lambda first, last: np.busday_count(first + datetime.timedelta(1), last + datetime.timedelta(1)), 5),
    "months": (month_of, lambda first, last: 12 * (last.year - first.year) + last.month - first.month, 0),
}


class Panel:
    """Rows of three series: `south` lacks 15 working days, or four days or months; `north` two in a row, where windows cross
    them; `east` has fewer rows than a window."""

    def __init__(self, path, steps, shuffled=False, missing=False, has_time=True, frequency="days", max_gap=None):
        self.path, self.steps, self.is_filled = path, steps, missing
        random = np.random.default_rng(5)
        date_of, between, usual = FREQUENCIES[frequency]
        most = usual if max_gap is None else max_gap
        gone = {("south", 20 + gone) for gone in range(15 if usual else 4)}
        gone |= {("north", 9 + gone) for gone in range(2 if most > 1 else 0)}
        rows = []
        for store, first, count in (("north", 0, 40), ("south", 2, 60 if usual else 40), ("east", 1, 3)):
            for day in range(count):
                date = date_of(first + day)
                is_free = frequency == "working days" and date.weekday() > 4
                if (store, day) not in gone and not is_free:
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
            cuts = [place for place in range(1, len(own)) if has_time and between(own[place - 1][0], own[place][0]) - 1 > most]
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
