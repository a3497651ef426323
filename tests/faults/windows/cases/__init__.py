"""The faults: what goes wrong on Windows, each made by what people do or meet there, a module a subject."""

from tests.faults.windows.cases import cuda, files, interpreters, leaks, packages, runtime, shadowing

__all__ = ["cuda", "files", "interpreters", "leaks", "packages", "runtime", "shadowing"]
