"""What makes XLA find its tools inside an environment whose TensorFlow does not look there (before 2.14): two small files, as links are.

Source: facts/pitfalls.yaml, libdevice-ptxas. Such a TensorFlow looks in the toolkit's folder of its build machine, in /usr/local/cuda and in
the working directory only, so no link inside the environment helps; what helps is XLA_FLAGS, set when TensorFlow is imported. Python reads a
``.pth`` file of site-packages whoever starts it (module ``site``), so notebooks and editors have it too.
"""

from __future__ import annotations

from provisioner import payload
from provisioner.model.catalogue import Link

SCRIPT = "_tfsetup_xla.py"


def xla_files() -> tuple[Link, ...]:
    """Return the files, relative to site-packages."""
    script = payload.text(SCRIPT)
    reason = "XLA needs ptxas and libdevice, and this TensorFlow does not look for them beside itself"
    return (
        Link(path=SCRIPT, target="", text=script, reason=reason),
        Link(path="tfsetup_xla.pth", target="", text=f"import {SCRIPT.removesuffix('.py')}\n", reason=reason),
    )
