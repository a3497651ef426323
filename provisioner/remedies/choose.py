"""Which remedy: one function a cause, and the page's own words for a cause without one."""

from __future__ import annotations

from collections.abc import Callable

from provisioner.model.finding import Remedy
from provisioner.remedies import gpu, machine, packages, starting, wheels
from provisioner.remedies.knowledge import View
from provisioner.remedies.subject import Subject

REMEDIES: dict[str, Callable[[Subject, View], Remedy]] = {
    "addon-without-build": wheels.without_build,
    "conflicting-tf-packages": packages.conflicting,
    "container-gpu-refused": gpu.refused,
    "cpu-no-avx": machine.avx,
    "cpu-only-build": gpu.cpu_only,
    "cuda-libs-missing": gpu.libraries,
    "cuda-toolkit-incomplete": gpu.toolkit,
    "cuda-version-mismatch": gpu.mismatch,
    "cudnn-missing": gpu.cudnn,
    "cudnn-version-mismatch": gpu.cudnn,
    "dependency-incompatible": packages.dependency,
    "deprecated-package": wheels.deprecated,
    "disk-full": machine.disk,
    "download-failed": machine.download,
    "driver-kernel-mismatch": gpu.kernel_mismatch,
    "driver-missing": gpu.driver_missing,
    "driver-too-old": gpu.driver_old,
    "environment-leak": starting.leak,
    "extension-abi-mismatch": packages.addon,
    "glibc-too-old": wheels.glibc,
    "gpu-init-failed": gpu.init_failed,
    "gpu-memory": gpu.memory,
    "gpu-not-visible": gpu.not_visible,
    "gpu-too-new": gpu.too_new,
    "gpu-too-old": gpu.too_old,
    "harmless-message": starting.harmless,
    "install-corrupt": packages.corrupt,
    "keras-incompatible": packages.keras,
    "libstdcxx-too-old": machine.libstdcxx,
    "macos-too-old": wheels.macos,
    "module-shadowed": starting.shadowed,
    "msvc-redist-missing": machine.msvc,
    "native-library-clash": packages.clash,
    "numpy-incompatible": packages.numpy,
    "openmp-duplicate": machine.openmp,
    "permission-denied": machine.permission,
    "pip-too-old": wheels.old_pip,
    "platform-unsupported": wheels.platform,
    "protobuf-incompatible": packages.protobuf,
    "python-32bit": wheels.python_32,
    "python-unsupported": wheels.python,
    "resolver-conflict": wheels.resolver,
    "rocm-libs-missing": gpu.rocm,
    "static-tls": machine.static_tls,
    "tensorrt-missing": starting.tensorrt,
    "tf-not-installed": starting.not_installed,
    "tf1-code-on-tf2": starting.tf1,
    "unknown": starting.unknown,
    "user-code": starting.user_code,
    "windows-gpu-unsupported": gpu.windows,
    "windows-long-paths": machine.long_paths,
    "wrong-arch-binary": machine.architecture,
    "wrong-environment": starting.wrong_environment,
}


def remedy_for(cause: str, subject: Subject, view: View) -> Remedy:
    """Return what to do about a cause in this case; raises ``KeyError`` for a code without a remedy (a test holds that each has one)."""
    return REMEDIES[cause](subject, view)
