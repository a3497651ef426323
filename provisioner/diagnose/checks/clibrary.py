"""Checks of the C and C++ libraries and of macOS: old enough for the wheels, and which libstdc++ is found first."""

from __future__ import annotations

import posixpath
import re

from provisioner.base.paths import is_absolute
from provisioner.base.versions import numbers
from provisioner.causes.findings import Findings
from provisioner.choose.platforms import check_libc
from provisioner.diagnose import alternative, cuda_files, import_result, tensorflow
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, Skipped
from provisioner.facts import elf
from provisioner.facts.libc import parse_glibc
from provisioner.facts.loader import Loader, Taken
from provisioner.host import files
from provisioner.model.finding import Confidence, Evidence, Remedy
from provisioner.verify.raw import Child

CXX = "libstdc++.so.6"
GLIBC = re.compile(r"GLIBC_(\d+(?:\.\d+)+)")
# glibc, elf/dl-load.c and dl-tls.c: the words when no room is left in the static TLS block.
TLS = re.compile(r"(?<!\S)(?P<path>\S+?): cannot allocate memory in static TLS block")
# glibc, elf/dl-load.c, open_verify and _dl_map_object_from_fd: the file is taken by its name, and is no library that can be loaded.
UNUSABLE = re.compile(r"invalid ELF header|file too short|wrong ELF class|cannot read file data|ELF file's phentsize|ELF load command")


def c_library(case: Case, findings: Findings) -> str:
    """The interpreter's C library: glibc, and not older than TensorFlow's libraries ask for (their own symbol versions, then the wheel's tag)."""
    if case.facts.system.os.value != "linux":
        raise Skipped("only Linux lets programs choose between C libraries")
    loader = _program_loader(case)
    if "musl" in loader or (not loader and _is_musl(case)):
        return _musl(case, loader, findings)
    version, where = _glibc(case, loader)
    if not version:
        raise CouldNotTell("the version of glibc cannot be read")
    needed = _needed(case)
    over = [(path, name) for path, name in needed if numbers(name) > numbers(version)]
    for path, name in over[:4]:
        seen = Evidence(seen=f"needs GLIBC_{name}, and this system has glibc {version} ({where})", where=path)
        findings.add("glibc-too-old", "error", "certain", seen, remedy=_system_remedy(case))
    build = tensorflow.build(case)
    floor = build.glibc if build is not None else ""
    if not over and not needed and floor and numbers(version) < numbers(floor):
        seen = Evidence(seen=f"glibc {version}; wheels of TensorFlow {_release(case)} need {floor}", where=where)
        findings.add("glibc-too-old", "error", "likely", seen, remedy=_system_remedy(case))
    most = max((name for _, name in needed), key=numbers, default=floor)
    return f"glibc {version} ({where})" + (f", TensorFlow needs {most}" if most else "")


def _program_loader(case: Case) -> str:
    """The loader that the interpreter names; "" when it cannot be read."""
    try:
        return elf.read_elf(case.reader, files.real(case.reader, case.python)).loader
    except files.FAULTS:
        return ""


def _is_musl(case: Case) -> bool:
    libc = case.facts.system.libc.value
    return libc is not None and libc.kind == "musl"


def _musl(case: Case, loader: str, findings: Findings) -> str:
    obstacle, _ = check_libc(case.facts, "0")
    where = loader or case.facts.system.libc.source
    words = obstacle.remedy if obstacle is not None else "use an interpreter made for glibc"
    seen = Evidence(seen="the interpreter is made for musl, for which no release of TensorFlow has a wheel", where=where)
    findings.add("platform-unsupported", "error", "certain", seen, remedy=alternative.remedy(words))
    return "the C library is musl"


def _glibc(case: Case, loader: str) -> tuple[str, str]:
    """The version of the glibc that the interpreter runs on, by the file beside its loader; else the machine's."""
    if loader:
        path = posixpath.dirname(files.real(case.reader, loader)) + "/libc.so.6"
        try:
            version = parse_glibc(case.reader.read_bytes(path))
        except files.FAULTS:
            version = ""
        if version:
            return version, path
    libc = case.facts.system.libc
    return (libc.value.version, libc.source) if libc.value is not None and libc.value.kind == "glibc" else ("", "")


def _needed(case: Case) -> list[tuple[str, str]]:
    """For each native library of TensorFlow its path and the newest glibc that it asks for."""
    loader = _loader(case)
    found = []
    for path in tensorflow.native(case):
        links = loader.links(path)
        names = [
            match[1] for versions in (links.requires.values() if links else ()) for name in versions if (match := GLIBC.fullmatch(name))
        ]
        if names:
            found.append((path, max(names, key=numbers)))
    return found


def _loader(case: Case) -> Loader:
    return Loader(case.reader, program=case.python, library_path=tensorflow.variable(case, "LD_LIBRARY_PATH") or "", cwd=case.cwd)


def _release(case: Case) -> str:
    return case.release.version if case.release is not None else "of this version"


def _system_remedy(case: Case) -> Remedy:
    beside = alternative.working(case, tensorflow.purpose(case).device or "auto")
    words = "glibc comes with the operating system: use a newer one, or a container image of a newer one"
    return alternative.remedy(f"{words}; or take a release that runs on this one, beside this environment" if beside else words, *beside)


def cxx_library(case: Case, findings: Findings) -> str:
    """The libstdc++ that the loader takes for TensorFlow has every symbol version that its libraries ask for."""
    if case.facts.system.os.value != "linux":
        raise Skipped("only looked at on Linux")
    asking = tensorflow.native(case)
    loader = _loader(case)
    wanted: dict[str, str] = {}
    for path in asking:
        links = loader.links(path)
        for name in links.requires.get(CXX, ()) if links else ():
            wanted.setdefault(name, path)
    if not wanted:
        raise CouldNotTell("there is no library of TensorFlow to read" if not asking else "TensorFlow's libraries name no libstdc++")
    taken = _first(case, loader, asking[0])
    links = loader.links(taken.path) if taken.path else None
    if links is None:
        raise CouldNotTell(f"{CXX} is not found where the loader looks" + (f": {taken.fault}" if taken.fault else ""))
    lacking = sorted((name for name in wanted if name not in links.defines), key=lambda name: (name.split("_")[0], numbers(name)))
    if not lacking:
        return f"{taken.path} ({_by(taken)}) has all {len(wanted)} symbol versions"
    seen = Evidence(seen=f"{_named(lacking)} not found, found first by {_by(taken)}", where=taken.path)
    asks = Evidence(seen=f"needs {lacking[-1]}", where=wanted[lacking[-1]])
    findings.add("libstdcxx-too-old", "error", "certain", seen, asks, remedy=_cxx_remedy(case, taken))
    return f"{taken.path} lacks {_named(lacking)}"


def _named(names: list[str]) -> str:
    return ", ".join(names[-3:])


def _by(taken: Taken) -> str:
    return "LD_PRELOAD" if taken.by == "LD_PRELOAD" else f"{taken.by}" if taken.by.startswith(("RPATH", "LD_")) else "the system's folders"


def _first(case: Case, loader: Loader, asking: str) -> Taken:
    """The libstdc++ of LD_PRELOAD, of the interpreter itself (it is loaded before), else the one found for TensorFlow's library."""
    for word in re.split(r"[\s:]+", tensorflow.variable(case, "LD_PRELOAD") or ""):
        if posixpath.basename(word).startswith(CXX):
            return Taken(name=CXX, path=word, by="LD_PRELOAD")
    program = loader.links(loader.program)
    if program is not None and CXX in program.needed:
        return loader.find(CXX, (loader.program,))
    return loader.find(CXX, (loader.program, asking))


def _cxx_remedy(case: Case, taken: Taken) -> Remedy:
    folder = posixpath.dirname(taken.path)
    if taken.by == "LD_PRELOAD":
        return Remedy(words="LD_PRELOAD puts an old libstdc++ before all others: leave it out", steps=("unset LD_PRELOAD",))
    if taken.by == "LD_LIBRARY_PATH":
        return tensorflow.without_folder(
            case, folder, "LD_LIBRARY_PATH puts a folder with an old libstdc++ before the system's: take it out"
        )
    if taken.by.startswith("RPATH"):
        return Remedy(
            words="The interpreter brings its own, old libstdc++ (conda's do): update it there",
            steps=("conda install -c conda-forge 'libstdcxx-ng>=12'",),
        )
    return Remedy(words="The system's libstdc++ is too old: use a newer system or container image, or an older TensorFlow")


def static_tls(case: Case, findings: Findings) -> str:
    """Whether the import failed because the loader had no room left for thread-local data; it cannot be seen before."""
    if case.child is None:
        raise Skipped(case.no_import or "TensorFlow was not imported")
    found = TLS.search(_said(case.child))
    if found is None:
        return "the loader had room for thread-local data"
    seen = Evidence(seen=found[0], where="the import of TensorFlow")
    path = found["path"]
    steps = (f"export LD_PRELOAD={path}",) if is_absolute(path) else ()
    words = "Load the library that the message names before all others, or import tensorflow before other packages"
    findings.add("static-tls", "error", "certain", seen, remedy=Remedy(words=words, steps=steps))
    return found[0]


def _said(child: Child) -> str:
    """All that the import said: its standard error, and the words and tracebacks of its steps."""
    ended = [event for event in child.all("end") if event.get("status") != "passed"]
    return "\n".join([child.err, *(f"{event.get('detail', '')}\n{(event.get('data') or {}).get('traceback', '')}" for event in ended)])


def library_path(case: Case, findings: Findings) -> str:
    """What LD_LIBRARY_PATH and LD_PRELOAD bring into TensorFlow's process from outside the environment.

    That alone is information. It is a fault where the import failed and the loader names such a file. CUDA's libraries have checks of their
    own, and those of NVIDIA's driver are meant to come so in containers.
    """
    values = {name: tensorflow.variable(case, name) or "" for name in ("LD_LIBRARY_PATH", "LD_PRELOAD")}
    if case.facts.system.os.value != "linux" or not any(values.values()):
        raise Skipped("neither LD_LIBRARY_PATH nor LD_PRELOAD is set")
    entries = [
        (name, part) for name, value in values.items() for part in re.split(r"[:\s]" if name == "LD_PRELOAD" else ":", value) if part
    ]
    outside = [(name, part) for name, part in entries if is_absolute(part) and not cuda_files.inside(case, f"{part}/")]
    named = _named_in_error(case, outside)
    for path, line in named.items():
        folder = posixpath.dirname(path)
        words = "a library from outside the environment does not fit: take its folder out of LD_LIBRARY_PATH"
        remedy = tensorflow.without_folder(case, folder, words[:1].upper() + words[1:])
        remedy = alternative.remedy("leave the library out of LD_PRELOAD", "unset LD_PRELOAD") if path in values["LD_PRELOAD"] else remedy
        # Whatever is wrong with such a file, it would not be opened but for the variable.
        sure: Confidence = "certain" if UNUSABLE.search(line.partition(path)[2]) else "likely"
        findings.add("environment-leak", "error", sure, Evidence(seen=line, where=path), remedy=remedy)
    taken = [item for item in _taken_from(case) if item.path not in named]
    for item in taken:
        seen = Evidence(seen=f"{item.name} is taken from there ({item.by})", where=item.path)
        findings.add("environment-leak", "info", "certain", seen)
    return f"{len(entries)} entries, {len(taken) + len(named)} libraries of TensorFlow's come from them"


def _named_in_error(case: Case, outside: list[tuple[str, str]]) -> dict[str, str]:
    """Files of those entries that a failed import names, with the line that does."""
    if case.child is None or import_result.works(case):
        return {}
    found: dict[str, str] = {}
    for line in _said(case.child).splitlines():
        for path in re.findall(r"/[^\s:'\"()]{1,400}\.so[.\d]*", line):
            if any(path == part or posixpath.dirname(path) == part.rstrip("/") for _, part in outside):
                found.setdefault(path, line.strip()[:300])
    return found


def _taken_from(case: Case) -> list[Taken]:
    """The libraries that TensorFlow's own need and that LD_LIBRARY_PATH leads to, outside the environment."""
    loader, found = _loader(case), {}
    for path in tensorflow.native(case):
        links = loader.links(path)
        for name in links.needed if links else ():
            taken = loader.find(name, (loader.program, path))
            if taken.by == "LD_LIBRARY_PATH" and not cuda_files.inside(case, taken.path):
                found[taken.path] = taken
    return list(found.values())


CHECKS = (
    CheckSpec(name="c-library", title="the C library is new enough", look=c_library, seconds=10.0),
    CheckSpec(name="cxx-library", title="the libstdc++ that is found first is new enough", look=cxx_library, installed=True),
    CheckSpec(name="static-tls", title="the loader had room for thread-local data", look=static_tls),
    CheckSpec(name="library-path", title="LD_LIBRARY_PATH and LD_PRELOAD bring in nothing that does not fit", look=library_path),
)
