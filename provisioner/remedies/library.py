"""What to do where Python's own library lacks a module or a name, by why: newer Pythons dropped it, or Windows never had it. Pure."""

from __future__ import annotations

import re

from provisioner.base.versions import numbers
from provisioner.model.finding import Remedy, Way
from provisioner.remedies.knowledge import View, pythons
from provisioner.remedies.names import asking_package, distribution_of, restarted, same_tensorflow
from provisioner.remedies.subject import Subject
from provisioner.remedies.ways import NEW_ENVIRONMENT, ONE_PACKAGE, either, install, uninstall, venv

# Modules, and names of modules that stay, by the Python that is without them (CPython, "What's New", Removed; PEP 594).
GONE = {
    "3.8": "macpath time.clock platform.linux_distribution platform.dist cgi.escape",
    "3.9": "dummy_threading _dummy_threading fractions.gcd base64.encodestring base64.decodestring",
    "3.10": "formatter parser symbol collections.Callable collections.Container collections.Hashable collections.Iterable collections.Iterator"
    " collections.Mapping collections.MutableMapping collections.MutableSequence collections.MutableSet collections.Sequence collections.Set"
    " collections.Sized",
    "3.11": "binhex asyncio.coroutine inspect.formatargspec inspect.getargspec",
    "3.12": "asynchat asyncore distutils imp smtpd pkgutil.ImpImporter pkgutil.ImpLoader importlib.find_loader configparser.SafeConfigParser"
    " unittest.makeSuite",
    "3.13": "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap nis nntplib ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib"
    " typing.io typing.re",
    "3.14": "ast.Bytes ast.Ellipsis ast.NameConstant ast.Num ast.Str pkgutil.find_loader pkgutil.get_loader",
}
# Modules and names that came with a Python (CPython, "What's New", New Modules), and are asked of an older one.
CAME = {"3.8": "importlib.metadata", "3.9": "graphlib zoneinfo", "3.11": "tomllib", "3.14": "annotationlib"}
_FROM = {name: version for version, names in CAME.items() for name in names.split()}
# Packages on PyPI that carry a module of Python's own for Pythons that had none: in a newer one they hide it (the pages of these packages).
BACKPORTS = {"_ClassVar": "dataclasses", "_GenericAlias": "typing", "_abc_registry": "typing", "IntFlag": "enum34"}
_SINCE = {name: version for version, names in GONE.items() for name in names.split()}
# Modules that Windows' Python never had (CPython's library reference, "Availability: Unix").
ONLY_UNIX = frozenset(
    [
        "_curses",
        "_posixsubprocess",
        "crypt",
        "fcntl",
        "grp",
        "nis",
        "posix",
        "pty",
        "pwd",
        "readline",
        "resource",
        "spwd",
        "syslog",
        "termios",
        "tty",
    ]
)
_MODULE = re.compile(r"No module named '?([a-z_]\w*)'?(?![\w.])")
_NAME = re.compile(
    r"module '([a-z]\w*)' has no attribute '(\w+)'|cannot import name '?(\w+)'? from (?:partially initialized module )?'?([a-z]\w*)'?(?![\w.])"
)
# What has been without the old names for years: nothing newer needs them.
_INSTALLERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")


def lost(seen: str) -> tuple[str, str]:
    """The module or name of Python's own library that a line misses, and the Python that dropped it; twice "" where it is none of those."""
    module, name = _MODULE.search(seen), _NAME.search(seen)
    found = [module[1]] if module else []
    found += [f"{name[1] or name[4]}.{name[2] or name[3]}"] if name else []
    return next(((item, _SINCE[item]) for item in found if item in _SINCE), ("", ""))


def of_another_python(subject: Subject, view: View) -> Remedy | None:
    """What to do where a module or name is of other Pythons than this one; None where no line misses such a one."""
    return dropped(subject, view) or not_yet(subject, view)


def not_yet(subject: Subject, view: View) -> Remedy | None:
    """A newer Python, or the package that asks in a version for this one; None where no line misses what came with a later Python."""
    module, name = _MODULE.search(subject.seen), _NAME.search(subject.seen)
    asked = module[1] if module else f"{name[1] or name[4]}.{name[2] or name[3]}" if name else ""
    since = _FROM.get(asked, "")
    if not since:
        return None
    have = [item for item in pythons(view, subject.tensorflow, subject.platform) if numbers(item) >= numbers(since)]
    best = have[-2 if len(have) > 1 else -1] if have else since
    package = _asking(subject)
    return Remedy(
        words=f"Make an environment with Python {best}: {asked} came with Python {since}",
        steps=venv(subject, best, same_tensorflow(subject) if have else "tensorflow"),
        why=f"{package or 'what asks for it'} was written for newer Pythons; no package on PyPI is that module",
        cost=NEW_ENVIRONMENT,
        others=(
            *(
                (Way(words=f"Or take a {package} for this Python", steps=(f"{subject.shell_python} -m pip index versions {package}",)),)
                if package
                else ()
            ),
            *either(subject, view),
        ),
    )


def hidden(subject: Subject) -> Remedy | None:
    """A package that carries a module of Python's own for older Pythons; None where no line is of one."""
    found = re.search(rf"has no attribute '({'|'.join(BACKPORTS)})'", subject.seen)
    if found is None:
        return None
    package = BACKPORTS[found[1]]
    return Remedy(
        words=f"Take the package {package} out: it is for Pythons that had no such module, and hides Python's own",
        steps=(uninstall(subject, package),),
        why="a folder of packages that is looked into first, or a path that was set, puts it before Python's own library",
        cost="TensorFlow and every newer package do without it",
    )


def only_unix(seen: str) -> str:
    """The module that a line misses and that Windows' Python never had, "" where it is none."""
    module = _MODULE.search(seen)
    return module[1] if module and module[1] in ONLY_UNIX else ""


def dropped(subject: Subject, view: View) -> Remedy | None:
    """A package that is older than this Python: that one newer, or an older Python; None where no line misses what Python dropped."""
    name, since = lost(subject.seen)
    if not name:
        return None
    older = _older(subject, view, since)
    package = _asking(subject)
    why = f"Python {since} and newer are without {name}, and what asks for it was written before; no package on PyPI is that module"
    if package and not package.startswith("tensorflow") and package not in _INSTALLERS:
        return Remedy(
            words=f"Bring {package} up to date: {name} went with Python {since}",
            steps=(install(subject, package, options="--upgrade"),),
            why=why,
            cost=restarted(subject, ONE_PACKAGE),
            others=(older, *either(subject, view)),
        )
    if name.startswith("pkgutil.Imp") or package in _INSTALLERS:
        return Remedy(
            words="Bring pip and setuptools up to date, then install again; a package whose own build asks for it is too old for this Python",
            steps=(install(subject, "pip", "setuptools", options="--upgrade"),),
            why=why,
            cost="changes pip and setuptools",
            others=(older, *either(subject, view)),
        )
    back = Way(words="Or install setuptools, which brings distutils back", steps=(install(subject, "setuptools"),), cost=ONE_PACKAGE)
    return Remedy(
        words="M" + older.words.removeprefix("Or m"),
        steps=older.steps,
        why=why,
        cost=older.cost,
        others=(*((back,) if name == "distutils" else ()), *either(subject, view)),
    )


def _asking(subject: Subject) -> str:
    """The distribution whose file asked for it, "" where it is the program's own."""
    found = asking_package(subject)
    return found if found in _INSTALLERS else distribution_of(found) if found else ""


def _older(subject: Subject, view: View, since: str) -> Way:
    """An environment with the newest Python that still has it and that the release has wheels for."""
    have = [name for name in pythons(view, subject.tensorflow, subject.platform) if numbers(name) < numbers(since)]
    below = f"3.{numbers(since)[1] - 1}"
    best = have[-1] if have else below
    return Way(
        words=f"Or make an environment with Python {best}, which still has it",
        steps=venv(subject, best, same_tensorflow(subject) if have else "tensorflow"),
        cost=NEW_ENVIRONMENT,
    )


def of_unix(subject: Subject) -> Remedy | None:
    """A module that is on Unix alone: a newer version of the package that asks, or WSL2; None where no line misses one."""
    module = only_unix(subject.seen)
    if not module:
        return None
    why = f"{module} is of Python's own library, on Linux and macOS alone; no package on PyPI is that module"
    if module == "_curses" and subject.windows:
        return Remedy(
            words="Install windows-curses, which stands in for it",
            steps=(install(subject, "windows-curses"),),
            why="Python on Windows is without curses",
        )
    package = _asking(subject)
    linux = Way(words="Or run it in WSL2, which is Linux (in a terminal of an administrator)", steps=("wsl --install",), cost="some GB")
    if package:
        return Remedy(
            words=f"Bring {package} up to date: newer versions may do without {module}; else it is not for Windows",
            steps=(install(subject, package, options="--upgrade"),),
            why=why,
            cost=ONE_PACKAGE,
            others=(linux,),
        )
    return Remedy(
        words=f"Run the program in WSL2, or take out what imports {module} there",
        steps=linux.steps,
        why=why,
        cost=linux.cost,
    )
