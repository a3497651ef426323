"""Whether a command line that a person is shown is one that its program takes: the program's own parser where it is here, a table else."""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import re
import shlex

from packaging.requirements import Requirement

# What stands in a line for something of the person's own.
_OWN = re.compile(r"\b(IMAGE|CONTAINER|NAME|VERSION|PROXY|PORT|YOUR_SCRIPT\.py)\b|\$\(which |IMAGE\.sif")
_VARIABLE = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*=")
# The first words that each program takes, and the options (without their values) that are used of it here; both from the programs' manuals.
_TABLE: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(words.split()), frozenset(options.split()))
    for name, words, options in (
        ("apt", "update install remove upgrade DPkg::Lock::Timeout=600", "--only-upgrade -y -o"),
        ("apt-cache", "policy", ""),
        ("apt-get", "update install remove upgrade DPkg::Lock::Timeout=600", "--only-upgrade -y -o -f"),
        ("apt-mark", "showhold", ""),
        ("aws", "lambda", "--function-name --ephemeral-storage --timeout --memory-size"),
        ("bazelisk", "", "--version"),
        (
            "conda",
            "create install remove run config list search init activate env tos",
            "-n -p -y -c --env --set --revisions --revision --force-reinstall --override-channels --channel",
        ),
        (
            "docker",
            "run exec restart pull version build manifest system builder image login",
            "-t -a --shm-size --progress --no-cache --version --rm -it -v -w -L --gpus --platform --cap-add --device --group-add",
        ),
        ("dpkg", "", "--configure -a"),
        ("dnf", "install module update config-manager", "-y"),
        ("jupyter", "kernelspec", ""),
        ("kubectl", "describe get logs", "--all-namespaces --previous"),
        ("module", "avail spider load", ""),
        ("pdm", "add sync", "--project"),
        ("poetry", "add install lock env", "--directory"),
        ("pipenv", "install lock sync $(uv", "--python"),
        ("npm", "rebuild install", "--build-addon-from-source -g"),
        ("ps", "", "-o -p -eo"),
        ("pyinstaller", "", "--collect-all"),
        ("sacct", "", "-j --format"),
        ("scontrol", "show", ""),
        ("sinfo", "", "-o"),
        ("spark-submit", "", "--archives"),
        ("venv-pack", "", "-o"),
        ("systemctl", "restart enable start status", "--now"),
        ("winget", "install", "--exact --id --force"),
        ("wsl", "", "--install --update --shutdown"),
        ("wsl.exe", "", "--shutdown"),
        ("nvidia-smi", "mig 0 DEFAULT COMPUTE ECC,PAGE_RETIREMENT", "-L -q -d -c --query-gpu --format -lgip -cgi -C -i -mig"),
        ("nvidia-ctk", "runtime cdi", "--runtime --output --version"),
        ("singularity", "exec", "--nv -L"),
        ("srun", "nvidia-smi", "--gres -L"),
        ("modprobe", "nvidia_uvm nvidia amdgpu", ""),
        ("dkms", "status", ""),
        ("apt-file", "update search", ""),
        ("nvidia-cuda-mps-control", "", "-d"),
        ("ulimit", "", "-n"),
        ("mokutil", "", "--sb-state"),
        ("rocminfo", "", ""),
        ("dmesg", "", ""),
        ("rmmod", "nvidia_uvm nvidia_drm nvidia_modeset nvidia", ""),
        ("reg", "add", ""),
        ("uv", "venv pip add python lock sync help", "--project --python --managed-python --help"),
        ("tensorboard", "", "--logdir --load_fast --port"),
        ("tf_upgrade_v2", "", "--intree --outtree"),
        ("softwareupdate", "", "--list"),
        ("sysctl", "", "-n"),
        ("wmic", "cpu", ""),
    )
}
# Programs of every system that are given paths and texts.
_PLAIN = frozenset(
    [
        "brew",
        "cat",
        "cd",
        "cut",
        "chmod",
        "chown",
        "copy",
        "cp",
        "curl",
        "df",
        "du",
        "dir",
        "echo",
        "export",
        "file",
        "find",
        "free",
        "gpasswd",
        "grep",
        "head",
        "id",
        "ldconfig",
        "ldd",
        "ln",
        "ls",
        "lsmod",
        "lspci",
        "mkdir",
        "move",
        "mv",
        "npm",
        "nvidia-container-cli",
        "nvidia-modprobe",
        "powershell",
        "protoc",
        "pip-compile",
        "quota",
        "pyenv",
        "reboot",
        "Set-ExecutionPolicy",
        "activate",
        "activate.bat",
        "cmd",
        "configure",
        "rm",
        "sed",
        "set",
        "shutdown",
        "SystemPropertiesPerformance",
        "vm_stat",
        "source",
        "tail",
        "tee",
        "test",
        "uname",
        "unset",
        "usermod",
        "printf",
        "ubuntu-drivers",
        "update-initramfs",
        "update-secureboot-policy",
        "where",
        "which",
        "xcode-select",
    ]
)


@functools.cache
def faults(line: str) -> tuple[str, ...]:
    """Return what is wrong with a command line; empty where nothing is."""
    text = re.sub(r" ?2>&1", "", line.strip()).replace("$(uname -r)", "6.8.0-45-generic")
    if text.startswith("#"):
        return ()
    if text.startswith("%pip "):
        return tuple(_pip(["pip", *shlex.split(text)[1:]]))
    if text.startswith("RUN "):
        return faults(text[4:])
    if text.startswith("!"):
        # A cell of a notebook.
        return faults(text[1:])
    if re.fullmatch(r"ENV \w+=\S+", text):
        return ()
    try:
        parts = _parts(text)
    except ValueError as error:
        return (f"no shell takes it: {error}",)
    return tuple(fault for part in parts for fault in _program(part))


def _parts(text: str) -> list[list[str]]:
    """The commands of a line, as words; Windows' paths keep their backslashes."""
    windows = re.search(r"[A-Za-z]:\\|\\Scripts\\|^reg |\.exe\b", text) is not None
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";|&")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    if windows:
        lexer.escape = ""
    parts: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";|&"):
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def _program(words: list[str]) -> list[str]:
    words = _bare(words)
    if words[:1] == ["xargs"]:
        words = words[1:]
    if not words:
        return []
    name = re.split(r"[\\/]", words[0])[-1].removesuffix(".exe") if not words[0].startswith("wsl.exe") else words[0]
    if name in {"python", "python3", "py"} or re.fullmatch(r"python\d(\.\d+)?", name):
        return _python([word for word in words[1:] if not re.fullmatch(r"-\d\.\d+|-0p", word)])
    if name == "tfsetup":
        return _tfsetup(words[1:])
    if re.fullmatch(r"pip3?", name):
        return _pip(words)
    if name == "Rscript":
        return [] if words[1:2] == ["-e"] and words[2].count("(") == words[2].count(")") else ["Rscript: expected -e and an expression"]
    if name in _TABLE:
        return _listed(name, words[1:])
    return (
        [] if name in _PLAIN or _OWN.search(words[0]) else [f"{name}: a program that the table of tests/remedies/commands.py does not know"]
    )


def _bare(words: list[str]) -> list[str]:
    """Without redirections, variables and what starts a program in another way (sudo, env, arch)."""
    kept: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif re.fullmatch(r"\d?>{1,2}|<", word):
            skip = True
        elif not re.match(r"\d?>", word):
            kept.append(word)
    if kept[:2] in (["wsl", "-u"], ["wsl", "--cd"]):
        # The user or the folder there, and what is run.
        kept = kept[3:]
    while kept and (_VARIABLE.match(kept[0]) or kept[0] in {"sudo", "env", "arch", "nohup"} or (kept[0].startswith("-") and len(kept) > 1)):
        kept = kept[2:] if kept[0] == "-u" else kept[1:]
    return kept


def _python(words: list[str]) -> list[str]:
    while words[:1] and words[0] in {"-X", "-W"}:
        words = words[2:]
    while words[:1] and words[0] in {"-s", "-E", "-I", "-u", "-B", "--version", "-V"}:
        words = words[1:]
    if not words or not words[0].startswith("-"):
        return []
    if words[0] == "-c":
        try:
            ast.parse(words[1])
        except SyntaxError as error:
            return [f"python -c: {error}"]
        return []
    if words[:1] == ["-m"]:
        module, rest = words[1], words[2:]
        if module == "pip":
            return _pip(["pip", *rest])
        if module == "uv":
            return _listed("uv", rest)
        return (
            []
            if module in {"venv", "ipykernel", "site", "ensurepip", "tensorboard.main", "uv"}
            else [f"python -m {module}: not known here"]
        )
    return [f"python: {words[0]}"]


def _pip(words: list[str]) -> list[str]:
    """By pip's own parser; each requirement by packaging."""
    from pip._internal.commands import commands_dict, create_command

    if words[1:2] == ["--version"]:
        return []
    if len(words) < 2 or words[1] not in commands_dict:
        return [f"pip has no command {words[1:2]}"]
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
            _, arguments = create_command(words[1]).parse_args(words[2:])
    except SystemExit:
        return [f"pip {words[1]}: {said.getvalue().strip().splitlines()[-1:]}"]
    wrong = []
    for argument in arguments if words[1] in {"install", "download", "uninstall", "show"} else ():
        if argument.endswith((".whl", ".txt", ".")) or _OWN.search(argument):
            continue
        try:
            Requirement(argument)
        except ValueError as error:
            wrong.append(f"pip {words[1]}: {argument}: {error}")
    return wrong


def _tfsetup(words: list[str]) -> list[str]:
    """By the parser of the command line itself."""
    import typer

    from provisioner.cli import SUMMARIES, make_app

    if not words:
        return ["tfsetup without a command"]
    name, *arguments = words
    if name not in SUMMARIES:
        return [] if name.startswith("-") else [f"tfsetup has no command {name}"]
    command = typer.main.get_command(make_app(name)).commands[name]  # type: ignore[attr-defined]  # a group
    try:
        command.make_context(name, [word for word in arguments if word not in {"--help", "-h"}])
    except Exception as error:  # noqa: BLE001 - what the parser refuses is the result
        return [f"tfsetup {name}: {error}"]
    return []


def _listed(name: str, words: list[str]) -> list[str]:
    known, options = _TABLE[name]
    first = next((word for word in words if not word.startswith("-")), "")
    wrong = [f"{name} {first}: not in the table"] if known and first and first not in known and not _OWN.search(first) else []
    stop = words.index("pip") if "pip" in words else len(words)
    inner = next(
        (at for at, word in enumerate(words) if re.fullmatch(r"(python\S*|nvidia-smi|[\w./-]+:[\w.-]+|IMAGE\S*)", word)), len(words)
    )
    wrong += [
        f"{name} {word}: not in the table" for word in words[: min(stop, inner)] if word[:1] == "-" and word.split("=")[0] not in options
    ]
    if name == "conda" and "pip" in words and "run" in words:
        wrong += _pip(words[words.index("pip") :])
    if name == "uv" and words[:2] == ["pip", "install"]:
        wrong += [
            fault for word in words[2:] if not word.startswith("-") and not re.fullmatch(r"[~/\w.-]+", word) for fault in _requirement(word)
        ]
    return wrong


def _requirement(text: str) -> list[str]:
    try:
        Requirement(text)
    except ValueError as error:
        return [f"{text}: {error}"]
    return []
