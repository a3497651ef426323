"""tensorflow, or a part of it, is not there or not what is expected: not installed, another Python, hidden, damaged, or another generation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from provisioner.causes.grades import ALLOWS, GUESSES, HINTS, PROVES, TELLS
from provisioner.explain.context import numbers
from provisioner.explain.matches import Hit
from provisioner.explain.verdict import Case, Verdict, plain, says

# Parts of tensorflow.python that Keras alone imports, and that were moved in 2.9 (trackable, checkpoint) and 2.12 (load_context).
_FOR_KERAS = re.compile(
    r"tensorflow\.python\.(trackable|checkpoint|training\.tracking|distribute\.load_context|saved_model\.experimental)\b"
)
_USER_SITE = re.compile(r"/\.local/lib/python|Roaming[\\/]Python[\\/]Python", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"[\\/](envs|\w*venv\w*|virtualenvs|[\w-]*-?env)[\\/]|conda", re.IGNORECASE)
_INSTALLED = ("already", "installed-ok")


def missing(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """No module named tensorflow: not installed, or installed for another interpreter than the one that runs."""
    now = case.circumstances
    hit = max(hits, key=lambda item: (item.message.grade, -item.offset))
    if hit.message.id == "import-tf-line" and not re.search(r"ModuleNotFoundError|No module named", case.log.text):
        return
    known_there = case.has(*_INSTALLED) or bool(re.search(r"^tensorflow(-\w+)? +\d+\.\d+|^Name: tensorflow", case.log.text, re.MULTILINE))
    elsewhere = known_there or (bool(now.tensorflow) and not now.wanted)
    notebook = now.notebook or "kernel" in now.told
    if elsewhere or notebook:
        why = "it is installed, but not for the interpreter that runs" if elsewhere else "a notebook runs in the interpreter of its kernel"
        yield says(hit, "wrong-environment", "likely" if elsewhere else "possible", grade=TELLS, why=why)
        yield says(hit, "tf-not-installed", "likely", grade=HINTS)
        return
    yield says(hit, "tf-not-installed", "likely", grade=TELLS)
    yield says(hit, "wrong-environment", "possible", grade=HINTS)


def reticulate(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """R chose a Python without tensorflow: where it was installed for R, another one than it was installed in."""
    installed = re.search(
        r"Installation (of TensorFlow )?complete|install_tensorflow|r-tensorflow|r-reticulate", case.log.text + case.circumstances.told
    )
    why = "install_tensorflow() puts it into an environment of its own" if installed else ""
    yield says(hits[0], "wrong-environment", "likely", grade=PROVES if installed else TELLS, why=why)
    yield says(hits[0], "tf-not-installed", "likely", grade=TELLS)


def already_there(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Pip finds it installed, and nothing else is told: who asks why it is not found runs another interpreter."""
    if not any(hit.message.kind == "fault" for hit in case.hits):
        yield says(hits[0], "wrong-environment", "possible", grade=GUESSES)


def namespace(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """A folder without ``__init__.py``: what an uninstall left, or a folder of the user's own."""
    yield plain(hits[0])
    yield says(hits[0], "module-shadowed", "possible", grade=ALLOWS)
    yield says(hits[0], "conflicting-tf-packages", "possible", grade=ALLOWS)


def submodule(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A part of the package is missing: the wrong generation, another module of that name, or damage."""
    hit = hits[0]
    module = hit.group("module").lower()
    one = numbers(case.circumstances.tensorflow)[:1] == (1,)
    frames = re.findall(r"(?:site|dist)-packages[\\/](\w+)", case.log.text[max(0, hit.offset - 700) : hit.offset])
    asking = frames[-1].lower() if frames else ""
    if asking in {"keras", "tf_keras", "tensorflow_estimator"} or _FOR_KERAS.search(module):
        yield says(hit, "keras-incompatible", grade=PROVES, why="it is Keras that asks for that part, which came or went with one release")
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
    elif re.search(r"keras", module):
        yield says(hit, "keras-incompatible", grade=TELLS)
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
    elif "is not a package" in hit.seen:
        yield says(hit, "module-shadowed", grade=TELLS, why="a module of that name stands in the way of the package")
        yield says(hit, "install-corrupt", "possible", grade=HINTS)
    elif re.search(r"\.(contrib|examples|models|tensorboard)\b", module):
        yield says(hit, "tf1-code-on-tf2", grade=PROVES)
    elif re.search(
        r"\.(compat|python\.(platform|framework|ops|tools|util|training|client|eager|data|lib|saved_model|distribute)|_api|core|tsl|tools|lite)\b",
        module,
    ):
        own = re.search(r"(site|dist)-packages[\\/]tensorflow\w*[\\/]", case.log.text)
        first, second = ("install-corrupt", "tf1-code-on-tf2") if own else ("install-corrupt", "module-shadowed")
        yield says(hit, first, grade=HINTS)
        yield says(hit, second, "possible", grade=ALLOWS)
        yield says(hit, "conflicting-tf-packages", "possible", grade=GUESSES)
    elif one:
        yield says(hit, "user-code", "possible", grade=ALLOWS, why="the name is of a later TensorFlow than the one that runs")
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
    else:
        yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
        yield says(hit, "tf1-code-on-tf2", "possible", grade=ALLOWS)
        yield says(hit, "module-shadowed", "possible", grade=GUESSES)


def shadow(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A file of the user's own with the name of a module; a file inside an installation is no such thing."""
    for hit in hits:
        if hit.message.id != "own-file":
            yield from _circular(hit)
            continue
        path = hit.group("own").replace("\\", "/").lower()
        outside = not re.search(r"(site|dist)-packages|/lib/python|python\d[\d.]*/lib|/lib/|frozen|/python\d|\.framework/|_bazel", path)
        failing = re.search(r"(ImportError|ModuleNotFoundError|AttributeError|TypeError)", case.log.text)
        name = re.escape(hit.group("name"))
        # Only where something else wants the module of that name: many a script is called like one without harm.
        wanted = re.search(rf"(from {name}[\w.]* import|import {name}\b|module '{name}')", case.log.text[hit.offset :])
        if outside and failing and (wanted or name in {"tensorflow", "code"}):
            # The last words name the module, and no file of an installation for it.
            meant = re.search(rf"(module|from|named) '{name}['.](?![^\n]{{0,2000}}(site|dist)-packages)", case.log.text[hit.offset :])
            why = "the file has the name of a module that TensorFlow or Python imports"
            yield says(hit, "module-shadowed", grade=PROVES if meant else TELLS, why=why)


def _circular(hit: Hit) -> Iterator[Verdict]:
    """A module that imports itself: most often the user's file of that name; where a part of a package or a name of its own is meant, damage."""
    named = re.search(r"partially initialized module '([\w.]+)'", hit.seen)
    inside = (
        re.search(r"(site|dist)-packages", hit.seen) or (named and "." in named[1]) or re.search(r"(attribute|import name) '_", hit.seen)
    )
    if re.search(r"circular import|partially", hit.seen) and (inside or not named):
        yield says(hit, "module-shadowed", "possible", grade=ALLOWS)
        yield says(hit, "install-corrupt", "possible", grade=GUESSES)
    else:
        yield says(hit, "module-shadowed", "likely", grade=PROVES)


def pythons(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """The frames of one traceback lie in packages of another Python than the one that runs."""
    yield from _user_site(hits, case)
    running = re.search(r"^\W{0,4}Python (\d\.\d+)\.\d+\b", case.log.text, re.MULTILINE)
    folders = re.findall(r"File \"[^\"\n]*/python(\d\.\d+)/(?:site|dist)-packages/", case.log.text)
    used = set(folders) | ({running[1]} if running else set())
    if folders and len(used) > 1:
        why = f"Python {' and '.join(sorted(used))} are mixed: packages of one are on the path of the other"
        place = case.log.text.find(f"/python{folders[-1]}/")
        index = case.log.index_at(max(0, place))
        frame = replace(hits[0], seen=case.log.line(index)[:300], line=case.log.numbers[index], offset=place)
        yield says(frame, "environment-leak", grade=TELLS, why=why)


def _user_site(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """The frames lie in an environment, and in the folder of the user's own packages, which it should not see."""
    paths = [item[0] for item in re.finditer(r"File \"[^\"\n]*(site|dist)-packages", case.log.text)]
    user = next((path for path in paths if _USER_SITE.search(path)), "")
    if user and any(_ENVIRONMENT.search(path) and not _USER_SITE.search(path) for path in paths):
        yield says(hits[0], "environment-leak", grade=HINTS, why=f"{user[6:]} is of no environment")


def source_tree(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """Old releases print this under every failed import: it counts only where nothing else does."""
    others = any(hit.message.kind == "fault" and hit.message.grade > ALLOWS for hit in case.hits)
    yield says(hits[0], "module-shadowed", "possible", grade=GUESSES if others else ALLOWS)


def pywrap(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """The compiled part is not found: damaged, or of another Python."""
    hit = hits[0]
    if case.circumstances.bits == 32:  # noqa: PLR2004 - bits
        yield says(hit, "python-32bit", "likely", grade=PROVES, why="the Python is a 32-bit one, the library a 64-bit one")
    deeper = any(other.message.kind == "fault" and other.message.grade > ALLOWS and other.message.topic != "pywrap" for other in case.hits)
    yield says(hit, "install-corrupt", "possible", grade=GUESSES if deeper else HINTS)
    if case.circumstances.os == "windows" and not deeper:
        yield says(hit, "msvc-redist-missing", "possible", grade=HINTS)
    if deeper:
        return
    if re.search(r"File \"(?!/|[A-Za-z]:)[^\"\n]*tensorflow/", case.log.text):
        yield says(hit, "module-shadowed", "likely", grade=TELLS)
    else:
        yield says(hit, "module-shadowed", "possible", grade=GUESSES)


def python_mismatch(hits: tuple[Hit, ...], _case: Case) -> Iterator[Verdict]:
    """Modules of two Pythons: leaked in by a path, or installed for another one."""
    yield plain(hits[0])
    yield says(hits[0], "python-unsupported", "possible", grade=ALLOWS)
    yield says(hits[0], "wrong-environment", "possible", grade=GUESSES)


def syntax(hits: tuple[Hit, ...], case: Case) -> Iterator[Verdict]:
    """A syntax error in an installed file means a Python that the release is not for; in the user's file, the user's program."""
    for hit in hits:
        before = case.log.text[max(0, hit.offset - 400) : hit.offset]
        installed = re.findall(r"File \"([^\"\n]+)\"", before)
        if installed and re.search(r"site-packages|dist-packages", installed[-1]):
            yield says(hit, "python-unsupported", grade=TELLS, why="a file of an installed package is not of this Python's language")
            yield says(hit, "install-corrupt", "possible", grade=ALLOWS)
        else:
            yield plain(hit)


JUDGEMENTS = {
    "tfmissing": missing,
    "alreadythere": already_there,
    "reticulate": reticulate,
    "namespace": namespace,
    "submodule": submodule,
    "shadow": shadow,
    "pythons": pythons,
    "sourcetree": source_tree,
    "pywrap": pywrap,
    "pymismatch": python_mismatch,
    "syntax": syntax,
}
