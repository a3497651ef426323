"""What to do about the machine and its loader: processor, Visual C++, libstdc++, architecture, OpenMP, long paths."""

from __future__ import annotations

import re

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import View
from provisioner.remedies.names import distribution_of, same_tensorflow
from provisioner.remedies.subject import Subject, quoted
from provisioner.remedies.variables import assigned
from provisioner.remedies.ways import NEW_ENVIRONMENT, ONE_PACKAGE, anew, either, install, mend, runs, venv

_LONG_PATHS = r"reg add HKLM\SYSTEM\CurrentControlSet\Control\FileSystem /v LongPathsEnabled /t REG_DWORD /d 1 /f"
# What qemu's user emulation says when the program in it is ended by a signal (linux-user/signal.c).
_QEMU = re.compile(r"qemu: uncaught target signal")
_IMPORT = "import tensorflow as tf; print(tf.__version__)"


def msvc(subject: Subject, view: View) -> Remedy:
    """The redistributable; as a wheel where nobody is administrator; the processor where neither helps."""
    ways = [
        Way(
            words="Without the rights of an administrator, bring the same DLLs into the environment (PyPI's msvc-runtime, with what makes it found)",
            steps=(f"tfsetup fix --env {quoted(subject.env, windows=True)}" if subject.env else "tfsetup fix",),
        ),
        Way(
            words="If it is the newest already: look whether the processor has AVX, and install TensorFlow anew",
            steps=(install(subject, same_tensorflow(subject), options="--force-reinstall --no-cache-dir"),),
        ),
    ]
    if subject.installer == "reticulate":
        ways.insert(0, Way(words="R cuts the decisive line off: `reticulate::py_last_error()` in the same session prints the whole text"))
    del view
    return Remedy(
        words="Install the newest Visual C++ redistributable (x64) of Microsoft, or repair the one that is there, and start a new terminal",
        steps=("winget install --exact --id Microsoft.VCRedist.2015+.x64 --force",),
        why="TensorFlow's DLLs are linked with its runtime; a missing or older one shows with just these words",
        cost="a minute; needs an administrator",
        others=tuple(ways),
    )


def _on_a_mac(subject: Subject, view: View) -> Remedy:
    """The shell of macOS says so of a wheel for Intel's processors under Rosetta."""
    return Remedy(
        words=(
            "On a Mac with Apple silicon, make the environment with a Python for arm64: the first line prints x86_64 where this one runs under"
            " Rosetta, which has no AVX"
        ),
        steps=(
            runs(subject, "import platform; print(platform.machine())"),
            "arch -arm64 /usr/bin/python3 -m venv tf-env",
            "tf-env/bin/python -m pip install tensorflow",
        ),
        why="every wheel for Intel's processors has AVX instructions in all of its code, and the first one ends the process",
        cost=NEW_ENVIRONMENT,
        others=anew(subject, view),
    )


def _own_container() -> Remedy:
    """A container that needs no emulator."""
    return Remedy(
        words="Use a container of the machine's own architecture: an emulator runs this one, and gives it a processor without AVX",
        steps=("docker run --rm -it --platform linux/arm64 python:3.11 bash",),
        why="qemu runs the programs of another architecture, and has AVX from 7.2 on; TensorFlow has wheels for ARM, too",
    )


def avx(subject: Subject, view: View) -> Remedy:
    """Another processor; under an emulator none; of 2.4.0 the next patch release; in a virtual machine its type."""
    if _QEMU.search(subject.text):
        return _own_container()
    if subject.tensorflow == "2.4.0":
        return Remedy(
            words="Take the next patch release: 2.4.0 alone needs AVX2 and FMA",
            steps=(install(subject, "tensorflow==2.4.4"),),
            why="2.4.1 went back to AVX, which this processor may have",
            cost="changes TensorFlow only",
            others=anew(subject, view),
        )
    if subject.platform == "linux-aarch64":
        return Remedy(
            words="Tell OpenBLAS, which NumPy computes with, which kind of processor this is, in the shell from which the program starts",
            steps=("export OPENBLAS_CORETYPE=ARMV8", runs(subject, "import numpy, tensorflow")),
            why="some builds of NumPy take this processor of ARM for another one (OpenBLAS, issue 2230); AVX is of x86 alone",
            others=(Way(words="Or take the NumPy before it", steps=(install(subject, "numpy==1.19.4"),), cost="for Python 3.6 to 3.9"),),
        )
    if "illegal hardware" in subject.seen and "core dumped" not in subject.seen and subject.system in {"", "macos"}:
        return _on_a_mac(subject, view)
    look = {"macos": "sysctl -n machdep.cpu.features", "windows": 'powershell -Command "(Get-CimInstance Win32_Processor).Name"'}.get(
        subject.system, "grep -m1 -ow avx /proc/cpuinfo || echo 'no AVX'"
    )
    return Remedy(
        words=(
            "Use a machine whose processor has AVX; in a virtual machine, give it the host's processor (QEMU: -cpu host, Proxmox: type host). The"
            " line below shows whether it has"
        ),
        steps=(look,),
        why="every wheel since 1.6 has AVX instructions in all of its code, and the first one ends the process",
        others=(
            Way(
                words="If it has AVX, the build is one for another processor (a community wheel): take the one from PyPI",
                steps=(install(subject, same_tensorflow(subject), options="--force-reinstall --no-cache-dir"),),
                cost="downloads TensorFlow again",
            ),
            Way(
                words=(
                    "Without AVX no official build runs; what is left is to compile TensorFlow for this processor, which takes hours, or TensorFlow"
                    " 1.5 on Python 3.6"
                )
            ),
        ),
    )


def _of_another_system(subject: Subject, view: View) -> Remedy:
    """Packages that were copied from another system, or an environment of one that is mounted into a container."""
    return Remedy(
        words="Make the environment anew on the system that runs it; one that was copied or mounted from a Mac or from Windows does not serve",
        steps=("python3 -m venv tf-env", "tf-env/bin/python -m pip install tensorflow"),
        why="compiled parts are files of one system, and this one is of another",
        cost=NEW_ENVIRONMENT,
        others=anew(subject, view),
    )


def _one_for_intel(subject: Subject, module: str) -> Remedy:
    """A package for Intel in a Python for Apple silicon: the Python is the right one."""
    name = same_tensorflow(subject) if module == "tensorflow" else distribution_of(module) or module
    return Remedy(
        words=f"Install {name} anew: the Python is one for Apple silicon, and this package was brought in for Intel",
        steps=(
            runs(subject, "import platform; print(platform.machine())"),
            install(subject, name, options="--force-reinstall --no-cache-dir"),
        ),
        why="the line says what the file has (x86_64), and what the process needs (arm64); a terminal under Rosetta leaves such files",
        cost=ONE_PACKAGE,
        others=(
            Way(words="In conda, the environment may be one for Intel in part", steps=("conda config --env --set subdir osx-arm64",)),
            *mend(subject),
        ),
    )


def architecture(subject: Subject, view: View) -> Remedy:
    """A native Python on an Apple processor; elsewhere files of this machine's own kind."""
    if "does not match the detected host platform" in subject.text and "arm64" in subject.text:
        return _own_container()
    if "invalid ELF header" in subject.seen:
        return _of_another_system(subject, view)
    native = re.search(r"packages/(\w{1,60})/[^\n]{0,300}have '?x86_64'?, need '?arm64", subject.seen)
    if native:
        return _one_for_intel(subject, native[1])
    if subject.system == "macos" or re.search(r"zsh|mach-o|arm64|darwin|Rosetta", subject.text):
        check = 'python3 -c "import platform; print(platform.machine())"'
        return Remedy(
            words=(
                "Make the environment anew with a Python for Apple silicon, in a terminal that does not run under Rosetta; the first line must print"
                " arm64"
            ),
            steps=(check, "arch -arm64 /usr/bin/python3 -m venv tf-env", "tf-env/bin/python -m pip install tensorflow"),
            why="a Python for Intel installs TensorFlow for Intel, and what translates it offers no AVX",
            cost=NEW_ENVIRONMENT,
            others=(
                Way(
                    words="In conda, the installer must be the one for arm64 (Miniforge)",
                    steps=("conda config --env --set subdir osx-arm64",),
                ),
                *anew(subject, view),
            ),
        )
    bits = re.search(r"ELFCLASS64|not a valid Win32", subject.seen)
    return Remedy(
        words=(
            "Use a 64-bit Python, and install TensorFlow with it"
            if bits
            else "Install TensorFlow on this machine itself, with a Python of its own architecture"
        ),
        steps=(
            runs(subject, "import struct, platform; print(struct.calcsize('P') * 8, platform.machine())"),
            *venv(subject, "", "tensorflow"),
        ),
        why="the library is of another architecture than the Python that loads it",
        cost=NEW_ENVIRONMENT,
        others=anew(subject, view),
    )


def libstdcxx(subject: Subject, view: View) -> Remedy:
    """By where the old one lies: conda's is brought up to date, another one is taken out of the loader's way."""
    path = re.search(r"(?<!\S)(\S{0,300}/lib(?:64)?)/(?:libstdc\+\+|libgcc_s|libgomp)\.so", subject.seen)
    folder = path[1] if path else ""
    conda = (
        re.search(r"(?<!\S)(\S{0,200}(?:conda|miniforge|mamba)\S{0,200}?)(?:/bin/\.\.)?/lib", folder + "/lib")
        if "conda" in folder or "forge" in folder
        else None
    )
    first = f"env -u LD_LIBRARY_PATH {runs(subject, _IMPORT)}"
    if conda:
        prefix = quoted(conda[1].removesuffix("/bin/.."))
        return Remedy(
            words="Bring conda's libstdc++ up to date: it is the one that is found first",
            steps=(f"conda install -y -p {prefix} -c conda-forge libstdcxx-ng",),
            why=f"{folder}/libstdc++.so.6 is older than the one that the library was linked with",
            cost="changes one package of conda",
            others=(
                Way(words="Or let the system's be found first", steps=("export LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libstdc++.so.6",)),
                Way(words="Or start without LD_LIBRARY_PATH, where that names the folder", steps=(first,)),
            ),
        )
    system = folder.startswith(("/lib", "/usr/lib"))
    newer = Way(
        words="Or bring a newer one into the environment, and let it be found first",
        steps=("conda install -y -c conda-forge libstdcxx-ng", 'export LD_LIBRARY_PATH="$CONDA_PREFIX/lib:$LD_LIBRARY_PATH"'),
    )
    if system:
        return Remedy(
            words="Use a newer libstdc++: by conda, or with a newer system or container",
            steps=newer.steps,
            why="the system's own is older than the one that the library was linked with",
            others=(Way(words="Or a container", steps=("docker run --rm -it tensorflow/tensorflow python --version",)),),
        )
    return Remedy(
        words=f"Take {folder or 'the folder with the old libstdc++'} out of LD_LIBRARY_PATH; try it for one start",
        steps=(first,),
        why="that variable makes the loader find an old libstdc++ before the system's",
        others=(newer, *either(subject, view)),
    )


def static_tls(subject: Subject, view: View) -> Remedy:
    """The library that the message names, loaded first."""
    del view
    named = re.search(r"(?<![^\s:'(\x22])(/\S{1,300}?\.so[\w.]{0,40})", subject.seen)
    path = named[1].rstrip(":") if named else "/usr/lib/aarch64-linux-gnu/libgomp.so.1"
    return Remedy(
        words="Load that library first, by LD_PRELOAD, in the shell from which the program starts",
        steps=(f"export LD_PRELOAD={path}",),
        why="room for its thread-local data is set aside at the start alone; loaded later, it finds none",
        others=(Way(words="Or import tensorflow (or cv2, sklearn: the package that failed) in the first line of the program"),),
    )


def long_paths(subject: Subject, view: View) -> Remedy:
    """Long paths switched on, or a folder with a short path."""
    store = "Packages" in subject.seen or "store" in subject.told
    short = Way(
        words="Or, without those rights, make the environment in a folder with a short path"
        + (", with the Python of python.org in place of the store's" if store else ""),
        steps=(r"py -m venv C:\tf", r"C:\tf\Scripts\python.exe -m pip install tensorflow"),
        cost=NEW_ENVIRONMENT,
    )
    del view
    return Remedy(
        words="Switch on long paths, in a terminal that was started as administrator; then open a new terminal and install again",
        steps=(_LONG_PATHS, install(subject, "tensorflow")),
        why="files of TensorFlow have names so long that, below this folder, they pass the 260 letters of Windows",
        cost="a setting of Windows; needs an administrator",
        others=(short,),
    )


def openmp(subject: Subject, view: View) -> Remedy:
    """One source for all of them; a stopgap, named as such."""
    stop = assigned("KMP_DUPLICATE_LIB_OK", "TRUE", windows=subject.windows)
    return Remedy(
        words="Take NumPy and what computes with it from one source: in conda without MKL, or all of it from pip",
        steps=("conda install -y -c conda-forge nomkl numpy scipy scikit-learn",),
        why="two packages each brought Intel's OpenMP, and the second copy stops the process",
        cost="changes several packages of the active conda environment",
        others=(
            Way(words="To finish a run now, allow both copies; Intel warns that results can be wrong", steps=(stop,)),
            *either(subject, view),
        ),
    )
