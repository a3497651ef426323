"""Whether a link (or small file) that a set needs inside site-packages is there, as the set has it."""

from __future__ import annotations

import posixpath

from provisioner.host import Reader, files
from provisioner.model.catalogue import Link


def is_there(reader: Reader, packages: str, link: Link) -> bool:
    """True where the entry is there, and leads to what the set says; ``packages`` is the folder of packages (absolute).

    What is no link in a link's place is somebody's own, and does. Whether a file is where a link leads is asked of that file's own package: a
    link that is made anew would lead to nothing as well.
    """
    at = posixpath.join(packages, link.path)
    entry = files.entry(reader, at)
    if entry is None:
        return False
    if link.text:
        return files.read(reader, at).text == link.text
    if entry.kind != "link":
        return True
    return reader.read_link(at) == link.target
