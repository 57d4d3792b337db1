"""What an ELF file of 64 bits, little-endian, asks of the system: libraries, versions of symbols, sections.

https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html; version needs are GNU's,
https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
"""

import struct
from dataclasses import dataclass

# sh_type, and d_tag of a library that is needed.
DYNAMIC, VERSION_NEEDS = 6, 0x6FFFFFFE
NEEDED = 1


@dataclass
class Section:
    name: str
    kind: int
    data: bytes
    link: int
    info: int


class Elf:
    """A file's sections, the libraries that it loads, and the versions of their symbols."""

    def __init__(self, data):
        if data[:6] != b"\x7fELF\x02\x01":
            raise ValueError("no ELF file of 64 bits, little-endian")
        [offset] = struct.unpack_from("<Q", data, 40)
        size, count, names = struct.unpack_from("<HHH", data, 58)
        headers = [struct.unpack_from("<IIQQQQIIQQ", data, offset + size * place) for place in range(count)]
        # The name, the type, the flags, the address, then these.
        texts = data[headers[names][4] :]
        self.sections = [
            Section(text(texts, name), kind, data[start : start + length], link, info)
            for name, kind, _, _, start, length, link, info, _, _ in headers
        ]

    def libraries(self):
        """The names of the libraries that are loaded."""
        found = []
        for section in self.of_kind(DYNAMIC):
            entries = struct.iter_unpack("<qQ", section.data)
            found += [text(self.sections[section.link].data, value) for tag, value in entries if tag == NEEDED]
        return found

    def versions(self):
        """The names of the versions that symbols are asked for in, such as GLIBC_2.17."""
        found = []
        for section in self.of_kind(VERSION_NEEDS):
            names, need = self.sections[section.link].data, 0
            for _ in range(section.info):
                _, count, _, entry, following = struct.unpack_from("<HHIII", section.data, need)
                entry += need
                for _ in range(count):
                    _, _, _, name, after = struct.unpack_from("<IHHII", section.data, entry)
                    found.append(text(names, name))
                    entry += after
                need += following
        return found

    def of_kind(self, kind):
        return [section for section in self.sections if section.kind == kind]


def text(data, start):
    return data[start : data.index(b"\0", start)].decode()
