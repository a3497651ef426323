"""What to type in place of a line that was for another program, another shell or another folder; nothing that is installed is at fault. Pure."""

from __future__ import annotations

import ntpath
import re
from collections.abc import Callable

from provisioner.model.finding import Remedy, Way
from provisioner.remedies.subject import Subject, quoted, requirement
from provisioner.remedies.ways import install


def mistyped(subject: Subject) -> Remedy | None:
    """Return what to type in place of what was typed; None where that is not what failed."""
    for pattern, remedy in _KINDS:
        found = pattern.search(subject.seen) or (pattern is _OF_PIP and "SyntaxError" in subject.seen and pattern.search(subject.text))
        if found:
            return remedy(subject, found)
    return None


def _for_cmd(subject: Subject, found: re.Match[str]) -> Remedy:
    """A program in quotes, in PowerShell (Microsoft, about_Operators)."""
    del found
    line = re.search(r"(?m)^\W{0,4}(\"[^\"\n]{1,300}\" -[^\n]{1,300})$", subject.text)
    return Remedy(
        words='Put "& " before the program: to PowerShell a program in quotes is a text, and with & it is started',
        steps=(f"& {line[1].strip()}",) if line else (),
        why="cmd starts what stands in quotes, PowerShell does not",
        others=(Way(words="Or type it in cmd", steps=("cmd",)),),
    )


def _in_python(subject: Subject, found: re.Match[str]) -> Remedy:
    """A command of pip, typed where Python reads its own language (Python Packaging User Guide, "Installing packages")."""
    names = found[1].split() if re.fullmatch(r"[\w.\[\]=<>,-]+( [\w.\[\]=<>,-]+)*", found[1]) else []
    wanted = [name for name in names if not name.startswith("-")] or ["tensorflow"]
    if subject.notebook:
        return Remedy(
            words="Put % before it: in a cell that is how pip is called",
            steps=(install(subject, *wanted),),
            why="a cell holds Python, and pip is a program beside it",
        )
    return Remedy(
        words="Type it in a terminal, not behind >>>; exit() leaves Python first",
        steps=(install(subject, *wanted),),
        why="behind >>> stands Python's own language, and pip is a program of the terminal",
    )


def _one_equals(subject: Subject, found: re.Match[str]) -> Remedy:
    """``=`` is conda's (PEP 508 has ``==``)."""
    del found
    named = re.search(r"requirement: ?['\"]?([A-Za-z][\w.-]{0,80})=(\d[\w.]{0,40})", subject.text)
    wanted = f"{named[1]}=={named[2]}" if named else "tensorflow"
    return Remedy(
        words="Write == in place of =, which is conda's",
        steps=(install(subject, wanted),),
        why="pip takes a version behind ==, >=, ~= and the like alone",
    )


def _brackets(subject: Subject, found: re.Match[str]) -> Remedy:
    """Zsh takes brackets for a pattern of file names (zsh manual, "Filename generation")."""
    on_mac = subject.system == "macos" and "[and-cuda]" in found[1]
    return Remedy(
        words="Put the name in double quotes" + (", and leave [and-cuda] out: no Mac has CUDA" if on_mac else ""),
        steps=(install(subject, "tensorflow" if on_mac else found[1]),),
        why="to zsh brackets stand for names of files, of which none fits",
        others=(
            (Way(words="On a Mac, leave [and-cuda] out: no Mac has CUDA", steps=(install(subject, "tensorflow"),)),)
            if "[and-cuda]" in found[1] and not on_mac
            else ()
        ),
    )


def _not_here(subject: Subject, found: re.Match[str]) -> Remedy:
    """A file that is not in the folder in which the command was typed."""
    name = ntpath.basename(found[1] or found[2] or "requirements.txt")
    look = f"where.exe /r . {quoted(name, windows=True)}" if subject.windows else f"find . -name {quoted(name)}"
    return Remedy(
        words=f"Go to the folder that holds {name} (cd FOLDER), or give its whole path; the line looks for it below this folder",
        steps=(look,),
        why="a name without a folder is looked for in the folder in which the terminal is",
    )


def _conda_name(subject: Subject, found: re.Match[str]) -> Remedy:
    """An environment of conda's that is there."""
    path = found[1].strip()
    name = ntpath.basename(path.replace("/", "\\"))
    del subject
    return Remedy(
        words="There is an environment of that name already: activate it, or make the new one under another name",
        steps=(f"conda activate {requirement(name)}",),
        why="conda makes no environment over one that is there",
        others=(Way(words="See which environments there are", steps=("conda env list",)),),
    )


def _line_ends(subject: Subject, found: re.Match[str]) -> Remedy:
    """A script that was written on Windows (Git documentation, core.autocrlf)."""
    named = re.search(r"(?:bash|zsh|sh): (?:line \d+: )?([\w./~-]{1,200}\.(?:sh|py|bash))", subject.seen)
    del found
    return Remedy(
        words="Give the script the line ends of Linux, then start it again",
        steps=(f"sed -i 's/\\r$//' {quoted(named[1] if named else 'YOUR_SCRIPT.py')}",),
        why="each line ends with a sign of Windows, which Linux takes for a part of the program's name",
    )


_OF_PIP = re.compile(r"\bpip3? (?:install|uninstall|list|show)\b ?([^\n]{0,120})\n[ ^~]{0,120}\n? {0,8}SyntaxError")
_KINDS: tuple[tuple[re.Pattern[str], Callable[[Subject, re.Match[str]], Remedy]], ...] = (
    (re.compile(r"\^M|\\r\b"), _line_ends),
    (re.compile(r"(?i)token\W{1,4}-\w+|jeton inattendu"), _for_cmd),
    (_OF_PIP, _in_python),
    (re.compile(r"= is not a valid operator|Invalid requirement: ?['\"]?[\w.-]{1,80}=\d"), _one_equals),
    (re.compile(r"no matches found: ([\w.-]{1,80}\[[\w,-]{1,80}\][\w.=<>~!,]{0,40})"), _brackets),
    (
        re.compile(r"can't open file '?\"?([^'\"\n]{1,300}\.py)|Could not open requirements file: [^\n]{0,80}?'([^'\n]{1,300})'"),
        _not_here,
    ),
    (re.compile(r"prefix already exists: ([^\n]{1,300})"), _conda_name),
)
