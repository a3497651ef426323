"""Questions about releases, CUDA and GPUs, asked of the catalogue and of what is known of the time before it."""

from __future__ import annotations

import re

from provisioner.causes.history import History, OldRelease
from provisioner.explain.context import Circumstances, Version, numbers
from provisioner.model.catalogue import Build, CudaBuild, Release
from provisioner.model.record import record
from provisioner.remedies import View

CatalogueView = View


@record
class CudaNeed:
    """What a release was built with; ``capabilities`` and ``must_open`` are empty where the catalogue does not know the release."""

    cuda: Version
    cudnn: Version
    capabilities: tuple[str, ...] = ()
    must_open: tuple[str, ...] = ()


class Knowledge:
    """Answers for one log; a release's file is read only when a question needs it."""

    def __init__(self, view: CatalogueView, history: History) -> None:
        """Keep both sources."""
        self.view = view
        self.history = history

    def known_versions(self) -> tuple[str, ...]:
        """Every release of the catalogue, newest first."""
        return self.view.versions()

    def release(self, version: str) -> Release | None:
        """The release that a text such as ``2.12`` or ``2.4.0-dev20201012`` means: that one, else the newest of its minor."""
        have = self.view.versions()
        exact = re.match(r"\d+\.\d+\.\d+((rc|a|b|\.post)\d+)?", version)
        if exact and exact[0] in have:
            return self.view.release(exact[0])
        minor = ".".join(map(str, numbers(version)[:2]))
        if not re.fullmatch(r"\d+\.\d+", minor):
            return None
        found = next((item for item in have if item.startswith(minor + ".")), "")
        return self.view.release(found) if found else None

    def old(self, version: str) -> OldRelease | None:
        """The entry of history for a version, where there is one."""
        minor = numbers(version)[:2]
        return next((item for item in self.history.releases if numbers(item.first) <= minor <= numbers(item.last)), None) if minor else None

    def build(self, version: str, platform: str) -> Build | None:
        """The build of a release for a platform."""
        release = self.release(version)
        return release.build(platform) if release else None

    def pythons(self, version: str, platform: str) -> frozenset[Version]:
        """The Pythons that a release has wheels for, on one platform or ("") on any."""
        release, old = self.release(version), self.old(version)
        found = {
            numbers(item) for build in (release.builds if release else ()) if platform in {"", build.platform} for item in build.pythons
        }
        if old and (release is None or found or not platform):
            found |= {numbers(item) for item in (old.windows if platform.startswith("windows") else old.pythons)}
        return frozenset(found)

    def cuda(self, version: str, platform: str = "linux-x86_64") -> CudaNeed | None:
        """What a release was built with, or None where that is not known or it has no CUDA."""
        release = self.release(version)
        builds = release.builds if release else ()
        found: CudaBuild | None = next((item.cuda for item in builds if item.cuda and item.platform == platform), None)
        found = found or next((item.cuda for item in builds if item.cuda), None)
        if found:
            return CudaNeed(
                cuda=numbers(found.version), cudnn=numbers(found.cudnn), capabilities=found.capabilities, must_open=found.must_open
            )
        old = self.old(version)
        return CudaNeed(cuda=numbers(old.cuda), cudnn=numbers(old.cudnn)) if old and release is None else None

    def cuda_of_library(self, name: str) -> Version:
        """The CUDA that a library belongs to by the number in its name, () where it does not tell: ``libcudart.so.11.0`` is (11, 0)."""
        for item in self.history.libraries:
            found = re.search(item.pattern, name, re.IGNORECASE)
            if found:
                text = item.cuda
                for place, value in enumerate(found.groups()):
                    text = text.replace(f"{{{place}}}", value or "")
                if "." not in text and len(text) > 2:  # noqa: PLR2004 - Windows writes 110 for 11.0
                    return (int(text[:-1]), int(text[-1]))
                # Windows writes 80 for 8.0.
                return (int(text[0]), int(text[1])) if len(text) == 2 and "." not in text and int(text) > 50 else numbers(text)  # noqa: PLR2004
        return ()

    def first_cuda(self, capability: Version) -> Version:
        """The oldest CUDA that makes machine code for a capability."""
        fit = [item for item in self.history.toolkits if numbers(item.capability) <= capability]
        return numbers(fit[-1].cuda) if fit else ()

    def too_new(self, capability: Version, version: str, cuda: Version) -> bool:
        """True where the GPU is newer than the CUDA of the release (or the one that is installed) knows."""
        if not capability:
            return False
        need = self.cuda(version) if version else None
        built = need.cuda if need else cuda
        return bool(built) and self.first_cuda(capability)[:2] > built[:2]

    def too_old(self, capability: Version, version: str) -> bool:
        """True where the release has neither machine code nor PTX for a GPU this old."""
        need = self.cuda(version) if version and capability else None
        if need is None or not need.capabilities:
            return False
        return all(_capability(item) > capability for item in need.capabilities)

    def wants(self, name: str, circumstances: Circumstances) -> bool | None:
        """Whether the release opens a library of this name: None where that is not known."""
        need = self.cuda(circumstances.tensorflow) if circumstances.tensorflow else None
        if need is None or not need.must_open or ".so." not in name:
            return None
        return name.lower() in {item.lower() for item in need.must_open}

    def python_known_since_begin(self, python: Version, platform: str = "") -> bool:
        """Whether the oldest release of the catalogue has wheels for a Python: it was never too new for what can still be asked for.

        Windows had other Pythons than the rest; for other platforms the oldest release says nothing of its own.
        """
        oldest = self.view.versions()[-1]
        return python in self.pythons(oldest, platform if platform.startswith("windows") else "")

    def python_too_new(self, python: Version) -> bool:
        """Whether no release of the catalogue has wheels for a Python, because it is newer."""
        return bool(python) and python not in self.recent_pythons() and python > max(self.recent_pythons(), default=(0,))

    def python_too_old(self, python: Version) -> bool:
        """Whether the newest releases have left a Python behind, and the oldest never had it."""
        return bool(python) and python < min(self.recent_pythons(), default=(0,)) and not self.python_known_since_begin(python)

    def recent_pythons(self) -> frozenset[Version]:
        """The Pythons of the newest two minors."""
        found: set[Version] = set()
        minors: list[Version] = []
        for version in self.view.versions():
            minor = numbers(version)[:2]
            if minor not in minors:
                minors.append(minor)
                if len(minors) > 2:  # noqa: PLR2004 - a pre-release and the release before it
                    break
                found |= self.pythons(version, "")
        return frozenset(found)


def _capability(text: str) -> Version:
    digits = text.rsplit("_", maxsplit=1)[-1]
    return (int(digits[:-1]), int(digits[-1]))
