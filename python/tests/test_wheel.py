"""The wheel that DESCENT_WHEEL names: its size, its files, and the glibc that its program asks for."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

WHEEL = os.environ.get("DESCENT_WHEEL")
LARGEST = 15_000_000
# What manylinux allows a program to load; everything else is linked into it.
ALLOWED = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}


@unittest.skipUnless(WHEEL, "DESCENT_WHEEL names no wheel")
@unittest.skipUnless(shutil.which("readelf"), "without readelf (binutils) symbols are not read")
class Wheel(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        with zipfile.ZipFile(WHEEL) as wheel:
            self.names = wheel.namelist()
            [name] = [name for name in self.names if name.endswith(".data/scripts/descent")]
            self.program = Path(wheel.extract(name, self.folder.name))

    def test_it_is_below_15_mb_and_has_manual_pages_completions_and_types(self):
        self.assertLess(Path(WHEEL).stat().st_size, LARGEST)
        for end in ("man/man1/descent-train.1", "bash-completion/completions/descent", "py.typed", "licenses/LICENSE"):
            self.assertTrue(any(name.endswith(end) for name in self.names), end)

    def test_the_program_asks_for_no_glibc_newer_than_the_tag(self):
        tag = re.search(r"manylinux_(\d+)_(\d+)_x86_64", Path(WHEEL).name)
        asked = re.findall(r"Name: GLIBC_(\d+)\.(\d+)", self.readelf("--version-info"))
        self.assertTrue(asked)
        self.assertLessEqual(max((int(a), int(b)) for a, b in asked), (int(tag[1]), int(tag[2])))

    def test_the_program_loads_nothing_but_glibc_and_is_stripped(self):
        needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", self.readelf("--dynamic")))
        self.assertEqual(needed - ALLOWED, set())
        self.assertNotIn(".symtab", self.readelf("--sections"))

    def readelf(self, what):
        return subprocess.run(["readelf", "--wide", what, self.program], capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    unittest.main()
