"""The wheel that DESCENT_WHEEL names: its size, its files, the glibc that its program asks for, and old processors."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

from tests.elf import Elf

WHEEL = os.environ.get("DESCENT_WHEEL")
LARGEST = 15_000_000
# What manylinux allows a program to load; everything else is linked into it.
ALLOWED = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "libpthread.so.0", "libdl.so.2", "librt.so.1", "ld-linux-x86-64.so.2"}


@unittest.skipUnless(WHEEL, "DESCENT_WHEEL names no wheel")
class Wheel(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        with zipfile.ZipFile(WHEEL) as wheel:
            self.names = wheel.namelist()
            [name] = [name for name in self.names if name.endswith(".data/scripts/descent")]
            self.program = Path(wheel.extract(name, self.folder.name))
        self.program.chmod(0o755)
        self.elf = Elf(self.program.read_bytes())

    def test_it_is_below_15_mb_and_has_manual_pages_completions_and_types(self):
        self.assertLess(Path(WHEEL).stat().st_size, LARGEST)
        for end in ("man/man1/descent-train.1", "bash-completion/completions/descent", "py.typed", "licenses/LICENSE"):
            self.assertTrue(any(name.endswith(end) for name in self.names), end)

    def test_the_program_asks_for_no_glibc_newer_than_the_tag(self):
        tag = re.search(r"manylinux_(\d+)_(\d+)_x86_64", Path(WHEEL).name)
        asked = [re.fullmatch(r"GLIBC_(\d+)\.(\d+)(?:\.\d+)?", name) for name in self.elf.versions() if name.startswith("GLIBC_")]
        self.assertTrue(asked and all(asked), self.elf.versions())
        newest = max((int(version[1]), int(version[2])) for version in asked)
        self.assertLessEqual(newest, (int(tag[1]), int(tag[2])))

    def test_the_program_loads_nothing_but_glibc_and_is_stripped(self):
        self.assertEqual(set(self.elf.libraries()) - ALLOWED, set())
        self.assertNotIn(".symtab", [section.name for section in self.elf.sections])

    @unittest.skipUnless(shutil.which("qemu-x86_64"), "without qemu-x86_64 (Debian's qemu-user) older processors are not tried")
    def test_the_program_trains_on_processors_without_avx_512_and_without_avx(self):
        losses = []
        for processor in ("Haswell", "Nehalem"):
            run = Path(self.folder.name, processor)
            command = ["qemu-x86_64", "-cpu", processor, self.program, "-q", "train", "--threads", "1", "--out", run]
            done = subprocess.run([*command, "--set", "train.max_steps=20"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, f"{processor}: {done.stderr}")
            last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
            losses.append(last["test_loss"])
        # Sums in vectors of other widths are added up in another order.
        self.assertAlmostEqual(*losses, delta=1e-3)


if __name__ == "__main__":
    unittest.main()
