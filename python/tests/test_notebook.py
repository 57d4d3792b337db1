"""The notebook runs from the first cell to the last, in a copy of the repository's layout.

    DESCENT_WRITE_NOTEBOOK=1 python -m unittest tests.test_notebook     # writes its outputs into the repository
"""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

try:
    import ipykernel  # noqa: F401
    import nbclient
    import nbformat
    import pandas  # noqa: F401
    import sklearn  # noqa: F401
except ImportError as problem:
    MISSING = problem.name
else:
    MISSING = None

REPOSITORY = Path(os.environ.get("DESCENT_REPOSITORY", Path(__file__).resolve().parent.parent.parent))
NOTEBOOK = REPOSITORY / "python/examples/quickstart.ipynb"


@unittest.skipIf(MISSING, f"without {MISSING} the notebook is not run")
class Notebook(unittest.TestCase):
    def test_every_cell_runs_and_the_pictures_are_there(self):
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            here = Path(folder) / "python/examples"
            here.mkdir(parents=True)
            shutil.copytree(REPOSITORY / "tests/tables", Path(folder) / "tests/tables")
            nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(here)}}).execute()
        shown = [output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])]
        self.assertTrue(any("<iframe srcdoc" in data.get("text/html", "") for data in shown))
        self.assertTrue(any("image/svg+xml" in data for data in shown))
        if os.environ.get("DESCENT_WRITE_NOTEBOOK"):
            for cell in notebook.cells:
                cell.metadata.pop("execution", None)
            nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    unittest.main()
