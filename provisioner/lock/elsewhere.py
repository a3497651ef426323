"""Indexes that a list names beside the one it takes everything from: what the declaration would have to say of each. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

# What PyTorch's own index serves (PyTorch's documentation, "Start Locally"); its pages of links are older forms of the same index.
_TORCH_HOST = "download.pytorch.org"
_TORCH = ("torch", "torchaudio", "torchvision")


def index_words(line: str, url: str, names: Iterable[str]) -> str:
    """Complete "`--extra-index-url …`": what to write in the declaration, for the packages (normalised) of the list; ``url`` is "" for links."""
    host = urlsplit(url or line.rsplit(maxsplit=1)[-1].strip("'\"")).hostname or ""
    torch = [name for name in _TORCH if name in set(names)] or ["torch"]
    if not url and host == _TORCH_HOST:
        way = f"indexes: [{{url: 'https://{_TORCH_HOST}/whl/cpu', packages: [{', '.join(torch)}]}}]"
        return (
            f"is a page of links; PyTorch has an index (for CUDA 12.1 /whl/cu121): write `{way}` in the declaration, and take this line out"
        )
    if not url:
        return (
            "names links that are no index: write the packages that come from there as `NAME @ ADDRESS-OF-THE-FILE`, and take this line out"
        )
    if line.startswith(("--index-url", "-i", "--pypi-url")):
        return f"names an index: write `indexes: [{{url: '{url}'}}]` in the declaration"
    listed = ", ".join(torch) if host == _TORCH_HOST else "NAME"
    which = "" if host == _TORCH_HOST else " with the packages that come from there,"
    way = f"indexes: [{{url: '{url}', packages: [{listed}]}}]"
    return f"names a second index; so that no stranger's package takes a name, write `{way}`{which} in the declaration"
