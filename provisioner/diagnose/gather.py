"""Gathers the ``Case``: asks the interpreter, reads packages and files, and lets children import TensorFlow while that goes on."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from provisioner.base.paths import turned
from provisioner.diagnose import module_path
from provisioner.diagnose.case import Case, PathEntry, Survey
from provisioner.diagnose.installed import distributions
from provisioner.diagnose.recognise import recognise
from provisioner.environment import active
from provisioner.environment.conda_records import read_index
from provisioner.environment.keepers import keeper_of
from provisioner.environment.kernels import Notebook
from provisioner.environment.layout import CONFIG, version_of
from provisioner.environment.receipt import believed
from provisioner.environment.tensorflow import is_cuda_build
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, OperationError
from provisioner.errors.system import words_of
from provisioner.facts.windows import DLLS
from provisioner.host import Host, Reader, files
from provisioner.in_process import script
from provisioner.judge import integrity
from provisioner.judge.memory import Memory
from provisioner.model.facts import Facts
from provisioner.model.json_text import read_json
from provisioner.model.record import record
from provisioner.verify import children, no_libraries
from provisioner.verify.raw import Child, Raw

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from provisioner.catalogue import Catalogue

SCRIPT = script("_interpreter.py")
SECONDS = 20.0
NO_FILES = integrity.Integrity(distributions=(), rivals=(), faults=(), files=0)
SAID = 4000
NOT_STARTED = "it was not started (--static)"
# Modules that the start of every interpreter looks for.
CUSTOMISING = ("sitecustomize", "usercustomize")


@record
class Options:
    """What was asked for: ``importing`` allows TensorFlow to be imported, for at most ``timeout`` seconds; ``deep`` hashes every file.

    With ``static`` nothing of the environment is started. ``notebook`` is to be held against the environment.
    """

    cwd: str
    importing: bool = True
    deep: bool = False
    static: bool = False
    timeout: float = 120.0
    notebook: Notebook | None = None


def gather(
    host: Host,
    chosen: active.Subject,
    options: Options,
    *,
    facts: Callable[[], Facts],
    catalogue: Catalogue,
    progress: Callable[[str], None],
    memory: Memory | None = None,
    proving: bool = False,
) -> Case:
    """Read everything once. ``facts`` is called while the children run; ``progress`` is told what is being done.

    ``memory`` spares reading files again that have not changed. ``proving``: a proof imports, opens and compares meanwhile, and nothing of that is
    done here (``with_proof``).

    Raises ``InputError`` only for a catalogue that cannot be read: whatever is wrong with the environment becomes part of the case.
    """
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - not needed by most commands

    fits = catalogue.fits()
    survey, no_survey = None, NOT_STARTED
    if not options.static:
        survey, no_survey = ask(host, chosen, options.cwd, (*fits.modules, "google.protobuf", *fits.standard_library, *CUSTOMISING, *DLLS))
    chosen = _with_environment(host, chosen, survey)
    path = survey.path if survey else _path_without_survey(host, chosen.env)
    folders = _site_folders(host, chosen.env, path)
    work, no_work = ("", "") if proving else _work(host)
    try:
        with ThreadPoolExecutor(max_workers=3) as pool:
            build = next((answer for answer in (is_cuda_build(host, site) for site in folders) if answer is not None), None)
            why_not = "" if proving else _no_import(options, survey, no_survey) or no_work
            probing = None if why_not or proving else pool.submit(_probe, host, chosen.python, work, options, progress)
            sizes_only = not options.importing and not options.deep
            root = chosen.env or (survey.prefix if survey else "/")
            known = catalogue.published()
            compare = partial(integrity.check, deep=options.deep, sizes_only=sizes_only, folders=folders, published=known, memory=memory)
            checking = None if proving else pool.submit(compare, host, root)
            found = distributions(host, path)
            machine = facts()
            receipt = believed(host, Workspace(root=chosen.env)) if chosen.env else None
            version = _python_version(host, chosen.env, survey)
            recognised = recognise(
                host, folders, found, machine, catalogue, receipt, python=version, cuda=build, conda=_conda(host, chosen.env)
            )
            cuda = recognised.expected.cuda
            names = cuda.must_open if cuda is not None else ()
            opening = None if proving else _opening(pool, host, chosen.python, work, names, build=build, why_not=why_not)
            libraries, _ = opening.result() if opening else (None, "")
            child, failed = probing.result() if probing else (None, "")
            state = checking.result() if checking is not None else None
    finally:
        if work:
            children.remove_work(host, work)
    return Case(
        env=chosen.env,
        python=chosen.python,
        cwd=options.cwd,
        notebook=options.notebook,
        keeper=keeper_of(host, chosen.env) if chosen.env else None,
        reader=host,
        facts=machine,
        config=active.config(host, chosen.env),
        survey=survey,
        no_survey=no_survey,
        distributions=found,
        integrity=state or NO_FILES,
        receipt=receipt,
        expected=recognised.expected,
        release=recognised.release,
        build=recognised.build,
        lock=recognised.lock,
        releases=catalogue.release,
        interpreters=machine.interpreters.value or (),
        child=child,
        libraries=libraries,
        no_import=why_not or failed,
        deep=options.deep,
        static=options.static,
        catalogue=catalogue,
        fits=fits,
    )


def with_proof(case: Case, raw: Raw) -> Case:
    """The case, gathered while a proof was made, with what that has observed."""
    return replace(case, child=raw.probe, libraries=raw.libraries, integrity=raw.integrity)


def _conda(host: Reader, env: str) -> frozenset[str]:
    return frozenset(item.name for item in read_index(host, env)) if env else frozenset()


def _with_environment(host: Reader, chosen: active.Subject, survey: Survey | None) -> active.Subject:
    """An interpreter that was named by another name (a wrapper, a link) says itself which environment it is of."""
    if chosen.env or survey is None or survey.prefix == survey.base_prefix:
        return chosen
    root = files.real(host, survey.prefix)
    return replace(chosen, env=root) if files.there(host, f"{root}/{CONFIG}") else chosen


def _work(host: Host) -> tuple[str, str]:
    """A folder for what the children write, and why there is none: a full disk must not keep the other checks from looking."""
    try:
        return children.make_work(host), ""
    except (OSError, OperationError) as error:
        return "", f"no temporary folder can be made: {words_of(error)}"


def ask(host: Reader, chosen: active.Subject, cwd: str, modules: tuple[str, ...]) -> tuple[Survey | None, str]:
    """Let the interpreter answer; the second part says why it does not.

    An interpreter that does not start with the user's variables is asked once more without those of Python (``-E``): then the variables are
    what keeps it from starting, and ``flags["start"]`` holds what it said.
    """
    answer, why, said = _ask(host, [chosen.python], cwd, modules)
    flags: dict[str, str] = {}
    if answer is None and any(name in host.env for name in ("PYTHONHOME", "PYTHONPATH")):
        answer, _, said = _ask(host, [chosen.python, "-E"], cwd, modules)
        flags["start"] = why
    if answer is None:
        return None, why
    flags["said"] = said
    try:
        return _survey(host, answer, cwd, chosen.env, flags), ""
    except (KeyError, TypeError, ValueError):
        return None, "its answer is not in the expected form"


def _ask(host: Reader, argv: list[str], cwd: str, modules: tuple[str, ...]) -> tuple[Mapping[str, Any] | None, str, str]:
    """The answer, why there is none, and what the start said beside it."""
    mark = f"<<{os.urandom(8).hex()}>>"
    env = {**host.env, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = host.run([*argv, "-B", SCRIPT, mark, cwd, *modules], env=env, cwd=cwd, timeout=SECONDS)
    except files.FAULTS as error:
        return None, f"it cannot be started: {files.reason(error)}", ""
    parts = done.out.split(mark)
    try:
        answer = turned(read_json(parts[-2]))
    except (IndexError, ValueError):
        if done.timed_out:
            return None, f"it did not answer within {SECONDS:.0f} s", done.err
        last = done.err.strip().splitlines()[-1:] or ["it said nothing"]
        how = f"signal {-done.code}" if done.code < 0 else f"exit status {done.code}"
        return None, f"it ended with {how}: {last[0][:300]}", done.err
    return answer, "", done.err[:SAID]


def _survey(host: Reader, answer: Mapping[str, Any], cwd: str, env: str, flags: dict[str, str]) -> Survey:
    flags = {
        **flags,
        "stdlib": str(answer["stdlib"][0]) if answer["stdlib"] else "",
        "safe_path": "yes" if answer["safe_path"] else "",
        "free_threaded": "yes" if answer["free_threaded"] else "",
        **{name: str(file) for name, file in answer["started"].items()},
    }
    return Survey(
        executable=str(answer["executable"]),
        version=str(answer["version"]),
        bits=int(answer["bits"]),
        machine=str(answer["machine"]),
        implementation=str(answer["implementation"]),
        prefix=str(answer["prefix"]),
        base_prefix=str(answer["base_prefix"]),
        user_site=str(answer["user_site"]),
        user_site_enabled=bool(answer["user_site_enabled"]),
        markers={str(name): str(value) for name, value in answer["markers"].items()},
        path=module_path.entries(host, answer, cwd, env),
        modules={str(name): str(file) for name, file in answer["modules"].items()},
        flags=flags,
        dlls={str(name): str(file) for name, (file, _) in answer.get("dlls", {}).items()},
        refused={str(name): str(why) for name, (_, why) in answer.get("dlls", {}).items() if why},
    )


def _path_without_survey(host: Reader, env: str) -> tuple[PathEntry, ...]:
    return tuple(PathEntry(path=folder, origin="environment") for folder in active.site_folders(host, env)) if env else ()


def _site_folders(host: Reader, env: str, path: tuple[PathEntry, ...]) -> tuple[str, ...]:
    """The folders whose packages are the examined ones: the environment's own, or those of an interpreter without one."""
    if env:
        return active.site_folders(host, env)
    return tuple(
        dict.fromkeys(files.real(host, entry.path) for entry in path if entry.origin in {"base", "user"} and _is_folder(host, entry))
    )


def _is_folder(host: Reader, entry: PathEntry) -> bool:
    found = files.entry(host, files.real(host, entry.path))
    return found is not None and found.kind == "directory"


def _no_import(options: Options, survey: Survey | None, no_survey: str) -> str:
    """Why TensorFlow is not imported; "" when it is."""
    if options.static:
        return "not asked for (--static)"
    if not options.importing:
        return "not asked for (--no-import)"
    if survey is None:
        return f"the interpreter does not answer: {no_survey}"
    return "" if survey.modules.get("tensorflow") else "there is no tensorflow to import"


def _probe(host: Host, python: str, work: str, options: Options, progress: Callable[[str], None]) -> tuple[Child | None, str]:
    progress("importing TensorFlow in a process of its own")
    try:
        return children.probe(host, python, work, options.timeout, progress, brief_in=options.cwd), ""
    except InputError as error:
        return None, error.message


def _opening(
    pool: ThreadPoolExecutor, host: Host, python: str, work: str, names: tuple[str, ...], *, build: bool | None, why_not: str
) -> Future[tuple[Child | None, str]] | None:
    if why_not or no_libraries(host, build=build):
        return None

    def opened() -> tuple[Child | None, str]:
        try:
            return children.libraries(host, python, work, names), ""
        except InputError as error:
            return None, error.message

    return pool.submit(opened)


def _python_version(host: Reader, env: str, survey: Survey | None) -> str:
    """``3.11``, from the interpreter, from ``pyvenv.cfg`` or from the name of the library folder; "" when nothing tells."""
    if survey:
        return ".".join(survey.version.split(".")[:2])
    config = active.config(host, env)
    told = config.get("version_info") or config.get("version", "")
    folders = active.site_folders(host, env) if env else ()
    names = [name for name in map(version_of, folders) if name]
    return names[0] if len(names) == 1 else ".".join(told.split(".")[:2])
