"""A host on which nothing of the caller's surroundings reaches a Python: what a repair is proven on, so that it is judged by what it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from provisioner.host import Completed, Host, files

# Variables by which something outside an environment changes what its Python, its loader or its TensorFlow do. Which GPU is used stays as it is.
_PREFIXES = ("PYTHON", "TF_", "KERAS_", "LD_", "DYLD_", "XLA_")
_LOADER = "LD_LIBRARY_PATH"
SECONDS = 20.0


def alone(host: Host, python: str) -> Host:
    """Return ``host`` without such variables, and without the user's own packages.

    Where the interpreter ``python`` does not start without LD_LIBRARY_PATH, which then leads to what it is made of, that one stays.
    """
    quiet = _Alone(host, frozenset())
    if host.env.get(_LOADER) and host.exists(python):
        try:
            starts = quiet.run([python, "-c", "pass"], timeout=SECONDS).ok
        except files.FAULTS:
            starts = True
        quiet = quiet if starts else _Alone(host, frozenset({_LOADER}))
    return cast("Host", quiet)


class _Alone:
    """What is not said here is the host's own."""

    def __init__(self, host: Host, kept: frozenset[str]) -> None:
        self._host = host
        self._kept = kept

    def __getattr__(self, name: str) -> Any:
        return getattr(self._host, name)

    @property
    def env(self) -> Mapping[str, str]:
        """The variables that stay."""
        env = {name: value for name, value in self._host.env.items() if name in self._kept or not name.startswith(_PREFIXES)}
        return {**env, "PYTHONNOUSERSITE": "1"}

    def run(self, argv: Sequence[str], *, env: Mapping[str, str] | None = None, **options: Any) -> Completed:
        """See ``host.Reader``."""
        return self._host.run(argv, env=self.env if env is None else env, **options)
