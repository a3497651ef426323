"""Cases for tests of checks: a recorded machine of ``tests/hosts`` with a release on it, or a folder that looks like an environment."""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.causes import Messages, open_messages
from provisioner.causes.findings import Findings
from provisioner.choose import choose
from provisioner.diagnose.case import Case, CheckSpec, CouldNotTell, PathEntry, Skipped, Survey
from provisioner.diagnose.cuda_files import stem
from provisioner.diagnose.doctor import wording_of
from provisioner.environment.distributions import Installed
from provisioner.errors import NoProfileError
from provisioner.host import Reader
from provisioner.host.local import LocalHost
from provisioner.judge.integrity import Integrity
from provisioner.model.catalogue import CudaBuild
from provisioner.model.codec import from_data
from provisioner.model.facts import Facts
from provisioner.model.finding import Finding
from provisioner.model.plan import Choice, EnvState
from provisioner.model.request import Request
from provisioner.verify.raw import Child, Expected
from tests.choose.values import shipped_catalogue
from tests.facts.fake_reader import FakeReader
from tests.support import FixedHost

HOSTS = Path(__file__).parents[1] / "hosts"
ENV = "/home/ada/tf-env"
PYTHON = f"{ENV}/bin/python"
SITE = f"{ENV}/lib/python3.11/site-packages"
FRAMEWORK = f"{SITE}/tensorflow/libtensorflow_framework.so.2"
BUILD_INFO = f"{SITE}/tensorflow/python/platform/build_info.py"
NEW = EnvState(path=ENV, kind="absent", digest="")


@functools.cache
def catalogue() -> Catalogue:
    return shipped_catalogue()


@functools.cache
def messages() -> Messages:
    """The shipped messages and words."""
    return open_messages(LocalHost(), find_profiles())


def merge(base: object, own: object) -> object:
    if not isinstance(base, dict) or not isinstance(own, dict) or "status" in own:
        return own
    return {**base, **{key: merge(base[key], value) if key in base else value for key, value in own.items()}}


def host(name: str) -> tuple[dict[str, object], Facts, Request]:
    """A host file, its facts and its request."""
    data = json.loads((HOSTS / f"{name}.json").read_text(encoding="utf-8"))
    facts = data["facts"]
    if "base" in data:
        facts = merge(json.loads((HOSTS / data["base"]).read_text(encoding="utf-8")), facts)
    request = from_data(Request, {"env": ENV, **data.get("request", {})}, file=name)
    return data, from_data(Facts, facts, file=name, schema="tfsetup/facts/1"), request


def chosen(name: str) -> Choice | None:
    """What the choice takes on a recorded machine."""
    data, facts, request = host(name)
    env = from_data(EnvState, data["env"], file=name) if "env" in data else NEW
    try:
        return choose(facts, request, catalogue(), env)
    except NoProfileError:
        return None


def distribution(name: str, version: str, *, site: str = SITE, tags: tuple[str, ...] = ()) -> Installed:
    metadata = f"{site}/{name.replace('-', '_')}-{version}.dist-info"
    return Installed(name=name, version=version, metadata=metadata, site=site, origin="environment", wheel_tags=tags)


def child(code: int = 0, *, err: str = "", done: bool = True, events: tuple[dict[str, object], ...] = ()) -> Child:
    """A child that came to its end, or did not."""
    last = ({"event": "done"},) if done else ()
    return Child(code=code, timed_out=False, seconds=1.0, limit=60.0, err=err, events=(*events, *last))


def survey(**changes: object) -> Survey:
    values: dict[str, object] = {
        "executable": PYTHON,
        "version": "3.11.7",
        "bits": 64,
        "machine": "x86_64",
        "implementation": "cpython",
        "prefix": ENV,
        "base_prefix": "/usr",
        "user_site": "",
        "user_site_enabled": False,
        "markers": {},
        "path": (PathEntry(path=SITE, origin="environment"),),
        "modules": {},
    }
    return Survey(**{**values, **changes})  # type: ignore[arg-type]


def make(facts: Facts, version: str, *, reader: Reader | None = None, **changes: object) -> Case:
    """A case with this release (any version of the catalogue, "" for none) on this machine."""
    release = catalogue().release(version) if version else None
    platform = f"{facts.system.os.value}-{facts.system.architecture.value}"
    build = next((build for build in release.builds if build.platform == platform), None) if release else None
    values: dict[str, object] = {
        "env": ENV,
        "python": PYTHON,
        "cwd": "/home/ada",
        "reader": reader or FakeReader(),
        "facts": facts,
        "config": {},
        "survey": None,
        "no_survey": "not asked",
        "distributions": (),
        "integrity": Integrity(distributions=(), rivals=(), faults=(), files=0),
        "receipt": None,
        "expected": Expected(tensorflow=version),
        "release": release,
        "build": build,
        "lock": None,
        "releases": catalogue().release,
        "interpreters": facts.interpreters.value or (),
        "catalogue": catalogue(),
    }
    return Case(**{**values, **changes})  # type: ignore[arg-type]


def environment(*, cuda: bool, files: Mapping[str, str | bytes | Exception | None] | None = None, **options: object) -> FakeReader:
    """A reader that shows a TensorFlow of one kind of build; ``files`` come on top."""
    shown = {BUILD_INFO: f"build_info = {{'is_cuda_build': {cuda}}}\n", FRAMEWORK: b"", **(files or {})}
    return FakeReader(shown, **options)  # type: ignore[arg-type]


def recorded(name: str, version: str = "", *, device: str = "", reader: Reader | None = None, **changes: object) -> Case:
    """A recorded machine with an environment made for ``device``; without a version that which the choice takes there."""
    _, facts, _ = host(name)
    taken = None if version else chosen(name)
    version = version or (taken.release if taken else "")
    device = device or (taken.device if taken else "")
    windows = facts.system.os.value == "windows"
    tools = {f"{SITE}/nvidia/cuda_nvcc/{name}": "" for name in ("bin/ptxas", "nvvm/libdevice/libdevice.10.bc")}
    tools[f"{SITE}/tfsetup_xla.pth"] = ""
    package = {"cuda": "tensorflow", "cpu": "tensorflow-intel" if windows else "tensorflow-cpu"}.get(device, "tensorflow")
    case = make(
        facts,
        version,
        reader=reader or environment(cuda=device != "cpu", files=tools if device == "cuda" else {}, env=facts.variables),
        distributions=(distribution(package, version),) if version else (),
        expected=Expected(tensorflow=version, device=device if taken else ""),
    )
    if device == "cuda" and case.build is not None and case.build.cuda is not None:
        case = dataclasses.replace(case, libraries=opened(case.build.cuda))
    return dataclasses.replace(case, **changes)


def opened(cuda: CudaBuild, *, lost: tuple[str, ...] = (), driver: int | None = None, **paths: str) -> Child:
    """What TensorFlow's loader answers where all is there but ``lost``; ``paths`` by kind (``cudnn``) for what lies elsewhere."""
    events: list[dict[str, object]] = [{"event": "required", "sonames": list(cuda.must_open), "loaded": []}]
    for soname in cuda.must_open:
        kind = stem(soname)
        path = "" if soname in lost else paths.get(kind, f"{SITE}/nvidia/{kind}/lib/{soname}")
        events.append({"event": "library", "kind": kind, "asked": [soname], "path": path, "missing": soname if soname in lost else ""})
        version = cuda.cudnn if kind == "cudnn" else cuda.version if kind == "cudart" else ""
        events.append({"event": "version", "kind": kind, "version": version})
    if driver is not None:
        events.append({"event": "driver", "code": driver, "name": "CUDA_ERROR", "gpus": 0, "version": cuda.version})
    return child(events=tuple(events))


def run(case: Case, *specs: CheckSpec) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """Run checks one after the other as ``doctor`` does: what each says (or why it could not tell), and all findings."""
    findings = Findings(wording_of(case, messages()))
    said = {}
    for spec in specs:
        try:
            said[spec.name] = spec.look(case, findings)
        except (CouldNotTell, Skipped) as reason:  # noqa: PERF203 - each check by itself
            said[spec.name] = f"{'skipped' if isinstance(reason, Skipped) else 'could not tell'}: {reason}"
    return said, findings.ordered()


def codes(findings: tuple[Finding, ...], *severities: str) -> set[str]:
    """The causes that were found, of these severities (none: error and warning)."""
    return {finding.cause for finding in findings if finding.severity in (severities or ("error", "warning"))}


def on_disk(env: Path, version: str, *, machine: str = "debian-12", variables: Mapping[str, str] | None = None, **changes: object) -> Case:
    """A folder of this machine as the environment of a recorded machine: its files are real, and so is what the loader would find."""
    host_of = FixedHost(variables or {})
    found = []
    for site in sorted(env.glob("lib/python3*/site-packages")):
        for folder in sorted(site.glob("*.dist-info")):
            name, _, release = folder.name.removesuffix(".dist-info").partition("-")
            found.append(
                Installed(
                    name=name.replace("_", "-"), version=release, metadata=str(folder), site=str(site), origin="environment", wheel_tags=()
                )
            )
    _, facts, _ = host(machine)
    values = {"env": str(env), "python": f"{env}/bin/python", "cwd": "/", "distributions": tuple(found), **changes}
    return make(dataclasses.replace(facts, variables={}), version, reader=host_of, **values)
