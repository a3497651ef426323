"""Which remedy: one function a cause, and the page's own words for a cause without one."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.model.finding import Remedy
from provisioner.remedies import (
    addons,
    aged,
    builds,
    cards,
    cuda,
    driver,
    generations,
    installed,
    keras,
    machine,
    met,
    particular,
    pythons,
    requests,
    starting,
    surroundings,
    systems,
    unknown,
    visible,
    xla,
)
from provisioner.remedies.knowledge import View
from provisioner.remedies.subject import Subject

REMEDIES: dict[str, Callable[[Subject, View], Remedy]] = {
    "addon-without-build": systems.without_build,
    "conflicting-tf-packages": installed.conflicting,
    "container-gpu-refused": visible.refused,
    "cpu-no-avx": machine.avx,
    "cpu-only-build": cuda.cpu_only,
    "cuda-libs-missing": cuda.libraries,
    "cuda-toolkit-incomplete": xla.toolkit,
    "cuda-version-mismatch": cuda.mismatch,
    "cudnn-missing": cuda.cudnn,
    "cudnn-version-mismatch": cuda.cudnn,
    "dependency-incompatible": generations.dependency,
    "deprecated-package": requests.deprecated,
    "disk-full": surroundings.disk,
    "download-failed": surroundings.download,
    "driver-kernel-mismatch": driver.kernel_mismatch,
    "driver-missing": driver.driver_missing,
    "driver-too-old": driver.driver_old,
    "environment-leak": starting.leak,
    "extension-abi-mismatch": addons.addon,
    "glibc-too-old": aged.glibc,
    "gpu-init-failed": driver.init_failed,
    "gpu-memory": driver.memory,
    "gpu-not-visible": visible.not_visible,
    "gpu-too-new": cards.too_new,
    "gpu-too-old": cards.too_old,
    "harmless-message": starting.harmless,
    "install-corrupt": installed.corrupt,
    "keras-incompatible": keras.keras,
    "libstdcxx-too-old": machine.libstdcxx,
    "macos-too-old": aged.macos,
    "module-shadowed": starting.shadowed,
    "msvc-redist-missing": machine.msvc,
    "native-library-clash": installed.clash,
    "numpy-incompatible": generations.numpy,
    "openmp-duplicate": machine.openmp,
    "permission-denied": surroundings.permission,
    "pip-too-old": pythons.old_pip,
    "platform-unsupported": systems.platform,
    "protobuf-incompatible": generations.protobuf,
    "python-32bit": pythons.python_32,
    "python-unsupported": pythons.python,
    "resolver-conflict": requests.resolver,
    "rocm-libs-missing": builds.rocm,
    "static-tls": machine.static_tls,
    "tensorrt-missing": starting.tensorrt,
    "tf-not-installed": starting.not_installed,
    "tf1-code-on-tf2": starting.tf1,
    "unknown": unknown.unknown,
    "user-code": starting.user_code,
    "windows-gpu-unsupported": builds.windows,
    "windows-long-paths": machine.long_paths,
    "wrong-arch-binary": machine.architecture,
    "wrong-environment": starting.wrong_environment,
}


# What a requirement that is met mends: where the case names one, no words of a log have to be read for it.
BY_REQUIREMENT = frozenset(
    {
        "dependency-incompatible",
        "extension-abi-mismatch",
        "keras-incompatible",
        "numpy-incompatible",
        "protobuf-incompatible",
        "tf-not-installed",
    }
)


def remedy_for(cause: str, subject: Subject, view: View) -> Remedy:
    """Return what to do about a cause in this case; raises ``KeyError`` for a code without a remedy (a test holds that each has one)."""
    if subject.wants and cause in BY_REQUIREMENT:
        return met.met(subject, view)
    return particular.exactly(cause, subject) or REMEDIES[cause](subject, view)
