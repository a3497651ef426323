"""What TensorFlow is there: its name, its release, and the device that it is for; the one home of these three answers."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterable, Mapping

from provisioner.base.names import OWN_FOLDERS, is_cpu_only, is_rival
from provisioner.base.versions import numbers
from provisioner.environment.distributions import Installed
from provisioner.environment.receipt import Receipt
from provisioner.host import Reader, files
from provisioner.model.catalogue import Build, ComputeDevice
from provisioner.model.record import record

# What else brings NVIDIA's libraries into an environment, so that they do not tell for what TensorFlow is there.
OTHERS = frozenset(
    {
        "torch",
        "jax",
        "jaxlib",
        "jax-cuda12-plugin",
        "jax-cuda13-plugin",
        "cupy-cuda11x",
        "cupy-cuda12x",
        "cupy-cuda13x",
        "onnxruntime-gpu",
        "paddlepaddle-gpu",
        "xgboost",
        "lightgbm",
        "vllm",
    }
)
# The parts of CUDA without which no TensorFlow uses a GPU: as NVIDIA's distributions (the older ones end in CUDA's major version), and as conda's
# packages for TensorFlow's own wheels.
_CORE = r"nvidia-(cuda-runtime|cublas|cudnn|cufft|cusolver|cusparse)(-cu\d+)?"
CONDA_LIBRARIES = frozenset({"cudatoolkit", "cudnn"})
# Where TensorFlow says its version in C, since 2.19 and before (tensorflow/core/public); it is there when the metadata is gone.
_HEADERS = ("release_version.h", "version.h")


@record
class Purpose:
    """Which device an environment is made for (cuda, cpu, or "" where nothing says), and what says so."""

    device: str
    why: str


def name_of(distributions: Iterable[Installed], made: Collection[str] = ()) -> str:
    """Return the name under which TensorFlow is installed: that of an earlier run (``made``) before the plain one before any; "" where it is not."""
    names = [item.name for item in distributions if is_rival(item.name)]
    return next((name for name in (*made, "tensorflow") if is_rival(name) and name in names), names[0] if names else "")


def own_of(distributions: Iterable[Installed], made: Collection[str] = ()) -> Installed | None:
    """Return TensorFlow's distribution: of several under one name the newest of those with a record."""
    there = tuple(distributions)
    name = name_of(there, made)
    return max((item for item in there if item.name == name), key=lambda item: (item.recorded, numbers(item.version)), default=None)


def release_without_metadata(reader: Reader, folders: tuple[str, ...], receipt: Receipt | None) -> str:
    """Return the release where no distribution says it: the receipt's, that of what pip renamed, or of the headers; "" where nothing tells.

    ``folders`` are the folders of packages (absolute).
    """
    return (
        (receipt.plan.choice.release if receipt is not None else "") or left_behind(reader, folders) or release_of_headers(reader, folders)
    )


def purpose(there: Mapping[str, str], receipt: Receipt | None = None, conda: Mapping[str, str] | None = None) -> Purpose:
    """Tell the device by 1. the receipt; 2. NVIDIA's libraries beside TensorFlow, where nothing else there needs them; 3. its name. Pure.

    ``there`` are the distributions by normalised name, with their versions, and ``conda`` the packages of conda. One part of CUDA alone may be
    there for something else (XGBoost takes NCCL, others cuDNN).
    """
    if receipt is not None:
        return Purpose(device=receipt.plan.choice.device, why="the receipt of tfsetup")
    brought = [name for name in there if re.fullmatch(_CORE, name)]
    if len(brought) > 1 and OTHERS.isdisjoint(there):
        return Purpose(device="cuda", why=f"{brought[0]} {there[brought[0]]} is installed")
    libraries = [name for name in conda or {} if name in CONDA_LIBRARIES]
    if conda is not None and len(libraries) > 1:
        return Purpose(device="cuda", why=f"conda's {libraries[0]} {conda[libraries[0]]} is installed")
    if "tensorflow-gpu" in there:
        return Purpose(device="cuda", why="tensorflow-gpu is installed")
    return Purpose(device="", why="")


def device_of(own: str, meant: Purpose, build: Build | None = None, *, cuda: bool | None = None) -> ComputeDevice:
    """Return what a TensorFlow of that name computes on here: CUDA where it can (its build, if that is known) and is meant to. Pure.

    ``cuda``: whether its files are those of a CUDA build, None where they do not say.
    """
    return "cuda" if meant.device == "cuda" and not only_cpu(own, build) and cuda is not False else "cpu"


def only_cpu(own: str, build: Build | None) -> bool:
    """True where a TensorFlow of that name, or the build that it is, knows no CUDA. Pure."""
    return is_cpu_only(own) or (build is not None and build.cuda is None)


def is_cuda_build(reader: Reader, site: str) -> bool | None:
    """Whether the TensorFlow in ``site`` was built with CUDA, as its ``build_info.py`` says; None when that cannot be read."""
    for package in OWN_FOLDERS:
        try:
            text = reader.read_text(posixpath.join(site, package, "python", "platform", "build_info.py"))
        except OSError:
            continue
        # A dictionary from 2.3 on, plain assignments before.
        found = re.search(r"is_cuda_build['\"]?\s*[=,:]\s*(True|False)", text)
        if found:
            return found.group(1) == "True"
    return None


def left_behind(reader: Reader, folders: tuple[str, ...]) -> str:
    """The version of a TensorFlow that pip renamed before it was interrupted: ``~ensorflow-2.15.1.dist-info``."""
    for folder in folders:
        for path in files.matches(reader, f"{files.glob_escape(folder)}/~*.dist-info"):
            found = re.fullmatch(r"[~\-.=%0-9]+[a-z]*nsorflow[a-z_]*-(\d[^-]*)\.dist-info", posixpath.basename(path))
            if found:
                return found[1]
    return ""


def release_of_headers(reader: Reader, folders: tuple[str, ...]) -> str:
    """The version that the package's own headers define (``TF_MAJOR_VERSION`` and so on), with what follows the numbers: ``2.20.0rc0``."""
    for folder in folders:
        for package in OWN_FOLDERS:
            for name in _HEADERS:
                text = files.read(reader, f"{folder}/{package}/include/tensorflow/core/public/{name}").text or ""
                parts = [re.search(rf"define\s+TF_{part}_VERSION\s+(\d+)", text) for part in ("MAJOR", "MINOR", "PATCH")]
                if all(parts):
                    suffix = re.search(r'define\s+TF_VERSION_SUFFIX\s+"-?([a-z0-9.]*)"', text)
                    return ".".join(part[1] for part in parts if part) + (suffix[1] if suffix else "")
    return ""
