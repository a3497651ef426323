"""Find the wheels of the catalogue's sets that contradict their own RECORD as published, and write profiles/published.json.

    python tools/published.py                  every wheel of the sets for Linux x86-64 that was not read yet
    python tools/published.py --platform NAME  of another platform
    python tools/published.py torch==1.8.1     the wheels for Linux of a package that is in no set
    python tools/published.py --cache          the wheels that uv's cache holds unpacked, every file of them by its content

Of a wheel on the index only parts are fetched: the list of its files with their sizes (the zip's central directory) and the files of its metadata
folder. So a file of the same size and another content is found where it lies in that folder, or in uv's cache. What was read is kept in
.cache/published.json after every wheel, so a run that is stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import base64
import csv
import datetime as dt
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import uv
from wheel_parts import TAIL, has_parts, keep_parts

from provisioner.base.names import normalise
from provisioner.catalogue import Catalogue, find_profiles
from provisioner.catalogue.published import NAME, SCHEMA
from provisioner.engines._central import Remote, installed_path
from provisioner.engines.wheels import Wheel, read_pylock
from provisioner.host.local import LocalHost
from provisioner.judge.relabelled import relabelled
from provisioner.model.catalogue import Lock, LockedFile

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".cache" / "published.json"
AT_ONCE = 16
PYTHONS = ("3.6", "3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
LEFT_OUT = (".dist-info/RECORD", ".dist-info/RECORD.jws", ".dist-info/RECORD.p7s")


def digest_of(data: bytes) -> str:
    """The SHA-256 as RECORD writes it."""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def rows_of(text: str) -> Iterator[tuple[str, str, int]]:
    """The rows of a RECORD with a hash."""
    for row in csv.reader(io.StringIO(text)):
        if len(row) > 2 and row[1].startswith("sha256=") and not row[0].endswith(LEFT_OUT):
            yield row[0], row[1].removeprefix("sha256="), int(row[2]) if row[2].isdecimal() else -1


def of_zip(file: Any, *, whole: bool) -> list[dict[str, str]]:
    """The files of a wheel that are not as it says; those of its metadata folder by content, the others by size, or by content where ``whole``."""
    found = []
    with zipfile.ZipFile(file) as archive:
        there = {item.filename: item for item in archive.infolist()}
        record = next(name for name in there if name.endswith(".dist-info/RECORD") and name.count("/") == 1)
        folder = record.rpartition("/")[0] + "/"
        for path, digest, size in rows_of(archive.read(record).decode()):
            item = there.get(path)
            if item is None:
                found.append({"path": installed_path(path), "recorded": digest, "found": ""})
            elif whole or path.startswith(folder) or size not in {-1, item.file_size}:
                content = archive.read(item)
                actual = digest_of(content)
                if actual != digest and not relabelled(content, digest, size):
                    found.append({"path": installed_path(path), "recorded": digest, "found": actual})
    return found


def of_folder(folder: Path, record: Path) -> list[dict[str, str]]:
    """The same of a wheel that was unpacked, every file by its content."""
    found = []
    for path, digest, size in rows_of(record.read_text(encoding="utf-8")):
        file = folder / path
        content = file.read_bytes() if file.is_file() else b""
        actual = digest_of(content) if file.is_file() else ""
        if actual != digest and not relabelled(content, digest, size):
            found.append({"path": installed_path(path), "recorded": digest, "found": actual})
    return found


def files_of(catalogue: Catalogue, platform: str) -> tuple[dict[str, LockedFile], list[Lock]]:
    """The wheels of all sets of a platform by their hash, and the sets."""
    locks = [
        catalogue.lock(version, python, platform, device)
        for version in catalogue.versions()
        for python, device in catalogue.locks(version, platform)
    ]
    known = [lock for lock in locks if lock is not None]
    return {file.sha256: file for lock in known for file in lock.files if not file.source}, known


def wheels_of(requirements: Sequence[str], python: str) -> list[Wheel]:
    """The wheels for Linux of exactly these requirements, with their addresses, as the index tells them to uv; [] where there are none."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "requirements.in"
        listed.write_text("".join(f"{item}\n" for item in requirements))
        argv = [uv.find_uv_bin(), "pip", "compile", str(listed), "--no-deps", "--format", "pylock.toml", "--quiet", "--no-header"]
        argv += [
            "--python-version",
            python,
            "--python-platform",
            "x86_64-manylinux_2_28",
            "--only-binary",
            ":all:",
            "--no-sources",
            "--no-annotate",
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        say(f"{', '.join(requirements)[:80]} for Python {python}: {done.stderr.strip().splitlines()[0]}")
        return []
    return [wheel for wheels in read_pylock(done.stdout).values() for wheel in wheels]


def addresses(lock: Lock) -> dict[str, str]:
    """The addresses of a set's wheels by their hash."""
    found = wheels_of([f"{file.name}=={file.version}" for file in lock.files if not file.source], lock.python)
    return {wheel.sha256: wheel.url for wheel in found}


def read_named(requirements: Sequence[str], state: dict[str, Any]) -> None:
    """Read the wheels of packages that are in no set."""
    for python in PYTHONS:
        for wheel in wheels_of(requirements, python):
            if wheel.sha256 not in state and "linux" in wheel.filename and "x86_64" in wheel.filename:
                file = LockedFile(
                    name=wheel.package, version=wheel.version, filename=wheel.filename, sha256=wheel.sha256, size=wheel.size, unpacked=0
                )
                state[wheel.sha256] = read_remote(file, wheel.url)
                say(f"{wheel.filename}: {len(state[wheel.sha256]['files'])} files")
    keep(state)


def read_remote(file: LockedFile, address: str) -> dict[str, Any]:
    """Read one wheel of the index, and keep its list of files and its metadata folder for tools/examine.py."""
    answer = {"name": file.name, "version": file.version, "filename": file.filename, "sha256": file.sha256, "whole": file.size <= TAIL}
    wheel = Remote(address, TAIL)
    keep_parts(file.sha256, wheel)
    return {**answer, "files": of_zip(wheel, whole=file.size <= TAIL)}


def read_index(platform: str, state: dict[str, Any]) -> None:
    """Read what was not read yet of a platform's wheels."""
    catalogue = Catalogue.open(LocalHost(), find_profiles())
    wanted, locks = files_of(catalogue, platform)
    waiting = {sha256: file for sha256, file in wanted.items() if sha256 not in state or not has_parts(sha256)}
    say(f"{len(wanted)} wheels, {len(waiting)} of them not read yet")
    # Each wheel is read for the first set that it is in; most of the time goes into waiting for the index.
    shares: list[tuple[Lock, list[LockedFile]]] = []
    for lock in locks:
        mine = [waiting.pop(file.sha256) for file in lock.files if file.sha256 in waiting]
        shares += [(lock, mine)] if mine else []
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for job in as_completed([pool.submit(read_share, lock, mine) for lock, mine in shares]):
            state.update(job.result())
            keep(state)
            say(f"{len(state)} read")


def read_share(lock: Lock, files: Sequence[LockedFile]) -> dict[str, Any]:
    """Read some wheels of a set; what cannot be had is said, and read by the next run."""
    places = addresses(lock)
    found: dict[str, Any] = {}
    for file in files:
        try:
            found[file.sha256] = read_remote(file, places[file.sha256])
        except (OSError, KeyError, zipfile.BadZipFile) as error:  # noqa: PERF203 - of one wheel
            say(f"{file.filename}: {error!r}")
    return found


def read_cache(state: dict[str, Any]) -> None:
    """Read every wheel that uv's cache holds unpacked."""
    cache = subprocess.run([uv.find_uv_bin(), "cache", "dir"], capture_output=True, text=True, check=True).stdout.strip()
    wanted, _ = files_of(Catalogue.open(LocalHost(), find_profiles()), "linux-x86_64")
    for record in sorted(Path(cache).glob("archive-v0/*/*.dist-info/RECORD")):
        folder, stem = record.parent.parent, record.parent.name.removesuffix(".dist-info")
        name, _, version = stem.partition("-")
        file = next((item for item in wanted.values() if (item.name, item.version) == (normalise(name), version)), None)
        key = f"cache:{stem}:{hashlib.sha256(record.read_bytes()).hexdigest()}"
        if key not in state:
            found = of_folder(folder, record)
            told = {
                "name": normalise(name),
                "version": version,
                "filename": file.filename if file else "",
                "sha256": file.sha256 if file else "",
            }
            state[key] = {**told, "whole": True, "files": found}
            if found:
                say(f"{stem}: {len(found)} files")
    keep(state)


def keep(state: dict[str, Any]) -> None:
    STATE.parent.mkdir(exist_ok=True)
    known = json.loads(STATE.read_text()) if STATE.exists() else {}
    STATE.write_text(json.dumps({**known, **state}))


def write(state: dict[str, Any]) -> int:
    """Write the list from what was read; return how many wheels are on it."""
    wheels: dict[tuple[str, str, str], dict[str, Any]] = {}
    read = {item["sha256"] for item in state.values()} - {""}
    # What an earlier run has found stays, unless the wheel was read again.
    earlier = json.loads((ROOT / "profiles" / NAME).read_text())
    before = [wheel for wheel in earlier["wheels"] if wheel["sha256"] not in read]
    for item in (*state.values(), *before):
        for file in item["files"]:
            found = wheels.setdefault(
                (item["name"], item["version"], item["filename"]), {key: item[key] for key in ("name", "version", "filename", "sha256")}
            )
            found.setdefault("files", [])
            if file not in found["files"]:
                found["files"].append(file)
    whole = sum(item["whole"] for item in state.values())
    how = f"{whole} wheels file by file by content; of the others the files of the metadata folder by content, and the rest by size"
    # What was read on another machine is known by its number alone.
    there = max(({"read": len(state) + len(before), "how": how}, earlier), key=lambda item: int(item["read"]))
    data = {
        "schema": SCHEMA,
        "made": dt.datetime.now(dt.timezone.utc).date().isoformat(),
        "read": there["read"],
        "how": there["how"],
        "wheels": [{**wheel, "files": sorted(wheel["files"], key=lambda file: file["path"])} for _, wheel in sorted(wheels.items())],
    }
    (ROOT / "profiles" / NAME).write_text(json.dumps(data, indent=1) + "\n")
    return len(wheels)


def say(words: str) -> None:
    print(words, flush=True)


def main() -> int:
    """Read, and write the list."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("requirements", nargs="*")
    parser.add_argument("--platform", default="linux-x86_64")
    parser.add_argument("--cache", action="store_true")
    options = parser.parse_args()
    state: dict[str, Any] = json.loads(STATE.read_text()) if STATE.exists() else {}
    if options.requirements:
        read_named(options.requirements, state)
    elif options.cache:
        read_cache(state)
    else:
        read_index(options.platform, state)
    # Another run may have read others meanwhile.
    state = json.loads(STATE.read_text())
    say(f"{len(state)} wheels read; {write(state)} contradict their own record")
    return 0


if __name__ == "__main__":
    sys.exit(main())
