"""``make projects``: each project installed plainly on the Python of its time, broken in several ways, and mended: ``python -m tests.projects``.

    python -m tests.projects gpt-2 kashgari        only these
    python -m tests.projects --how "numpy too old" only so
    python -m tests.projects --missing             what has no result, or no good one
    python -m tests.projects --table               what the last runs found

``fix --yes`` must end with 0; then TensorFlow computes, every module that was imported before it was broken is imported, and a second ``fix`` finds
nothing. Results are kept after each (--results FILE).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import uv
import yaml

from tests.agreement.views import run
from tests.faults.bases import find_python
from tests.found import Found
from tests.projects import working

DATA = yaml.safe_load((Path(__file__).parent / "projects.yaml").read_text(encoding="utf-8"))


def pip(env: Path, *argv: str) -> str:
    """Run uv's pip on an environment; return what it said where it failed."""
    command = [uv.find_uv_bin(), "pip", argv[0], "--quiet", "--python", str(env / "bin/python"), *argv[1:]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    return done.stderr.strip()[-600:] if done.returncode else ""


def made(project: dict[str, Any], env: Path) -> str:
    """Install a project plainly; return what could not be."""
    subprocess.run(
        [uv.find_uv_bin(), "venv", "--quiet", "--seed", "--python", find_python(project["python"]), str(env)], check=True, cwd="/"
    )
    return pip(env, "install", *project["requires"])


def broken(project: dict[str, Any], how: dict[str, list[str]], env: Path) -> str:
    """Break a project's environment; return what could not be done, or "nothing" where it has none of what is broken so."""
    (site,) = env.glob("lib/python3*/site-packages")
    if "install" in how:
        return pip(env, "install", "--no-deps", *(f"{name}=={project['old']}" for name in how["install"]))
    if "upgrade" in how:
        return pip(env, "install", "--no-deps", "--upgrade", *how["upgrade"])
    if "uninstall" in how:
        return pip(env, "uninstall", *how["uninstall"])
    if "over" in how:
        there = [path.name for path in site.glob("tensorflow*-*.dist-info") if working.BUILDS.fullmatch(path.name.partition("-")[0])]
        name, version = there[0].removesuffix(".dist-info").split("-")
        other = next(item for item in how["over"] if item != name.replace("_", "-"))
        return pip(env, "install", "--no-deps", f"{other}=={version}")
    files = [path for pattern in how.get("delete", ()) for path in site.glob(pattern)]
    for path in files:
        path.unlink()
    return "" if files or not how else "nothing"


def tried(project: dict[str, Any], how: dict[str, list[str]], base: Path, before: dict[str, str], env: Path) -> dict[str, Any]:
    """Break a copy, mend it, and return what is not as it should be."""
    shutil.rmtree(env)
    subprocess.run(["cp", "-al", str(base), str(env)], check=True)
    undone = broken(project, how, env)
    if undone:
        return {"faults": [], "left out": undone}
    code, said = run("fix", "--env", str(env), "--cwd", str(env), "--yes")
    faults = [] if code == 0 else [f"fix ended with {code}"]
    error = working.computes(env)
    faults += [f"TensorFlow does not compute: {error}"] if error else []
    there = set(working.modules(env))
    wanted = [name for name, fault in before.items() if not fault]
    after = working.imported(env, wanted, env.parent / "answer.json")
    faults += [f"{name} is lost{'' if name in there else ' (not installed)'}: {after[name]}" for name in wanted if after[name]]
    again, words = run("fix", "--env", str(env), "--cwd", str(env), "--dry-run", "--json")
    told = json.JSONDecoder().raw_decode(words)[0] if words.startswith("{") else {"outcome": words[-300:]}
    # What only a person can mend is told again, and nothing is planned for it.
    nothing = told["outcome"] == "healthy" or (told["outcome"] == "unmendable" and told.get("complete"))
    faults += [] if again == 0 and nothing else [f"a second fix: {again}, {told['outcome']}"]
    return {"faults": faults, "code": code, "said": said[-20000:] if faults else ""}


def table(results: Found) -> str:
    """Return the results as lines, and how many are good."""
    lines = [f"{'bad ' if item['faults'] else '-   ' if item.get('left out') else 'good'} {name}" for name, item in results.known.items()]
    good, bad = (sum(line.startswith(word) for line in lines) for word in ("good", "bad"))
    return "\n".join([*lines, f"{good} good, {bad} bad"])


def main(arguments: list[str]) -> int:
    """Try what was asked for; 1 where something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.projects")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--how", action="append", default=[], choices=list(DATA["everywhere"]))
    parser.add_argument("--missing", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("found.json"))
    options = parser.parse_args(arguments)
    results = Found(options.results)
    if options.table:
        print(table(results))
        return 0
    bad = 0
    for name in options.names or DATA["projects"]:
        project, hows = DATA["projects"][name], options.how or list(DATA["everywhere"])
        wanted = [how for how in hows if not options.missing or results.wants(f"{name}: {how}")]
        if not wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="tfsetup-projects-") as folder:
            # In one place: its commands name it.
            base, env = Path(folder) / "base", Path(folder) / "env"
            undone = made(project, env)
            if undone:
                print(f"{name}: not installed: {undone}", flush=True)
                bad += 1
                continue
            subprocess.run(["cp", "-al", str(env), str(base)], check=True)
            before = working.imported(env, working.modules(env), Path(folder) / "answer.json")
            print(
                f"{name}: TensorFlow {working.computes(env) or 'computes'}; {sum(map(bool, before.values()))} of {len(before)} fail",
                flush=True,
            )
            for how in wanted:
                began = time.monotonic()
                found = tried(project, DATA["everywhere"][how], base, before, env)
                results.keep(f"{name}: {how}", found)
                bad += bool(found["faults"])
                words = "; ".join(found["faults"]) or found.get("left out") or "good"
                print(f"{name}: {how} ({time.monotonic() - began:.0f} s): {words}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
