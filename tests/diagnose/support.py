"""Cases made of values, for checks that decide on values alone; real environments come from ``tests.verify.support``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from provisioner.causes.findings import Findings
from provisioner.diagnose.case import Case, CheckSpec, PathEntry, Survey
from provisioner.diagnose.doctor import all_checks, run_one, wording_of
from provisioner.environment.distributions import Installed
from provisioner.judge.integrity import Integrity
from provisioner.model.diagnosis import Examined
from provisioner.model.finding import Finding
from provisioner.verify.raw import Child, Expected
from tests.choose.values import shipped_catalogue
from tests.support import FixedHost, machine
from tests.verify.support import known_messages

CATALOGUE = shipped_catalogue()
ROOT = "/environments/one"


def site_of(python: str) -> str:
    return f"{ROOT}/lib/python{python}/site-packages"


def distribution(name: str, version: str, *, python: str = "3.11", **fields: object) -> Installed:
    """A distribution of the environment."""
    site = site_of(python)
    values: dict[str, object] = {"metadata": f"{site}/{name}-{version}.dist-info", "site": site, "origin": "environment", **fields}
    return Installed(name=name, version=version, **values)


def survey(python: str, **fields: object) -> Survey:
    """What a healthy interpreter of that version in the environment says."""
    base = f"/pythons/{python}"
    values: dict[str, object] = {
        "executable": f"{ROOT}/bin/python",
        "version": f"{python}.1",
        "bits": 64,
        "machine": "x86_64",
        "implementation": "cpython",
        "prefix": ROOT,
        "base_prefix": base,
        "user_site": "",
        "user_site_enabled": False,
        "markers": markers(python),
        "path": (
            PathEntry(path="/work", origin="cwd"),
            PathEntry(path=f"{base}/lib/python{python}", origin="stdlib"),
            PathEntry(path=site_of(python), origin="environment"),
        ),
        "modules": {},
        **fields,
    }
    return Survey(**values)


def markers(python: str) -> dict[str, str]:
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.1",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_release": "6.1",
        "platform_system": "Linux",
        "platform_version": "",
        "platform_python_implementation": "CPython",
        "python_full_version": f"{python}.1",
        "python_version": python,
        "sys_platform": "linux",
    }


def case(
    *installed: Installed,
    tensorflow: str = "",
    python: str = "3.11",
    device: str = "cpu",
    env: Mapping[str, str] | None = None,
    child: Child | None = None,
    **fields: object,
) -> Case:
    """A case of values: the environment is not there, the catalogue is the shipped one."""
    release = CATALOGUE.release(tensorflow) if tensorflow else None
    build = next((item for item in release.builds if item.platform == "linux-x86_64"), None) if release else None
    made = Case(
        env=ROOT,
        python=f"{ROOT}/bin/python",
        cwd="/work",
        reader=FixedHost(env or {}),
        facts=machine(),
        config={"home": f"/pythons/{python}/bin", "version": f"{python}.1"},
        survey=survey(python),
        no_survey="",
        distributions=installed,
        integrity=Integrity(distributions=(), rivals=(), faults=(), files=0),
        receipt=None,
        expected=Expected(tensorflow=tensorflow),
        release=release,
        build=build,
        lock=CATALOGUE.lock(tensorflow, python, "linux-x86_64", device) if tensorflow else None,
        releases=CATALOGUE.release,
        interpreters=(),
        child=child,
        catalogue=CATALOGUE,
        fits=CATALOGUE.fits(),
    )
    return replace(made, **fields)


def failed(trace: str, detail: str = "ImportError: it failed") -> Child:
    """A run whose import of TensorFlow failed with that traceback."""
    end = {
        "event": "end",
        "check": "import",
        "device": "",
        "status": "failed",
        "detail": detail,
        "seconds": 0.1,
        "data": {"traceback": trace},
    }
    events = ({"event": "interpreter"}, {"event": "start", "check": "import", "device": ""}, end, {"event": "done"})
    return Child(code=0, timed_out=False, seconds=1.0, limit=60.0, err="", events=events)


def worked(*modules: dict[str, str]) -> Child:
    """A run in which TensorFlow could be imported; ``modules`` came from elsewhere."""
    end = {"event": "end", "check": "import", "device": "", "status": "passed", "detail": "/tf/__init__.py", "seconds": 3.0, "data": {}}
    loaded = {"event": "loaded", "modules": list(modules), "libraries": []}
    events = ({"event": "interpreter"}, {"event": "start", "check": "import", "device": ""}, end, loaded, {"event": "done"})
    return Child(code=0, timed_out=False, seconds=3.0, limit=60.0, err="", events=events)


def spec(name: str) -> CheckSpec:
    return next(item for item in all_checks() if item.name == name)


def run_check(name: str, of: Case) -> tuple[Examined, tuple[Finding, ...]]:
    """Run one check as ``doctor`` does."""
    return run_one(spec(name), of, wording_of(of, known_messages()))


def found(name: str, of: Case) -> list[tuple[str, str]]:
    """Severity and cause of what a check finds."""
    examined, findings = run_check(name, of)
    assert examined.result != "crashed", examined.detail
    return [(item.severity, item.cause) for item in findings]


def collector(of: Case) -> Findings:
    return Findings(wording_of(of, known_messages()))


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
