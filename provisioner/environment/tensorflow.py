"""What TensorFlow is there: its name, its release, and the device that it is for."""

from __future__ import annotations

import os.path
import posixpath
import re
from typing import TYPE_CHECKING

from provisioner.host import Reader, files

if TYPE_CHECKING:
    pass


def is_cuda_build(reader: Reader, site: str) -> bool | None:
    """Whether the TensorFlow in ``site`` was built with CUDA, as its ``build_info.py`` says; None when that cannot be read."""
    for package in ("tensorflow", "tensorflow_core"):
        try:
            text = reader.read_text(posixpath.join(site, package, "python", "platform", "build_info.py"))
        except OSError:
            continue
        # A dictionary from 2.3 on, plain assignments before.
        found = re.search(r"is_cuda_build['\"]?\s*[=,:]\s*(True|False)", text)
        if found:
            return found.group(1) == "True"
    return None


HEADERS = ("release_version.h", "version.h")


def left_behind(host: Reader, folders: tuple[str, ...]) -> str:
    """The version of a TensorFlow that pip renamed before it was interrupted: ``~ensorflow-2.15.1.dist-info``."""
    for folder in folders:
        for path in files.matches(host, f"{files.glob_escape(folder)}/~*.dist-info"):
            found = re.fullmatch(r"[~\-.=%0-9]+[a-z]*nsorflow[a-z_]*-(\d[^-]*)\.dist-info", os.path.basename(path))
            if found:
                return found[1]
    return ""


def release_of_headers(host: Reader, folders: tuple[str, ...]) -> str:
    """The version that the package's own headers define (``TF_MAJOR_VERSION`` and so on; tensorflow/core/public)."""
    for folder in folders:
        for package in ("tensorflow", "tensorflow_core"):
            for name in HEADERS:
                text = files.read(host, f"{folder}/{package}/include/tensorflow/core/public/{name}").text or ""
                parts = [re.search(rf"define TF_{part}_VERSION (\d+)", text) for part in ("MAJOR", "MINOR", "PATCH")]
                if all(parts):
                    suffix = re.search(r'define TF_VERSION_SUFFIX "-?([a-z0-9.]*)"', text)
                    return ".".join(part[1] for part in parts if part) + (suffix[1] if suffix else "")
    return ""
