"""The activation files of a conda environment: what conda runs when it is activated and deactivated, and a ``bin/activate`` for who has no conda.

Source: conda's documentation, "Saving environment variables" (``etc/conda/activate.d``, ``deactivate.d``). What must be found is found without
activation, too (links beside TensorFlow); the scripts keep out what would be taken before it.
"""

from __future__ import annotations

import posixpath
import shlex

from provisioner import payload
from provisioner.model.plan import Choice, Edit

SCRIPTS = (
    ("bin/activate", "bin_activate.sh"),
    ("etc/conda/activate.d/tfsetup.fish", "activate.fish"),
    ("etc/conda/activate.d/tfsetup.sh", "activate.sh"),
    ("etc/conda/deactivate.d/tfsetup.fish", "deactivate.fish"),
    ("etc/conda/deactivate.d/tfsetup.sh", "deactivate.sh"),
)
REASON = "an activated environment must not take libraries and packages from elsewhere first"


def edits(choice: Choice, root: str, *, libraries: str) -> tuple[Edit, ...]:
    """Return the files for the environment at ``root`` (absolute); ``libraries`` is the folder of its CUDA links relative to it ("" for none)."""
    values = {
        "@LIBRARIES@": libraries,
        "@CUDA@": "1" if choice.device == "cuda" and choice.road == "conda" else "",
        "@PREFIX@": shlex.quote(root),
        "@NAME@": shlex.quote(posixpath.basename(root)),
    }
    return tuple(Edit(path=path, reason=REASON, text=_filled(payload.text(name), values)) for path, name in SCRIPTS)


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text
