"""Every recorded machine of `tests/hosts` against the real catalogue: the expected choice, or the expected refusal and what would do.

A host file: ``about`` in words; ``base``, a whole facts document beside it; ``facts``, what differs from it (objects are merged, a fact is
replaced whole); ``request`` and ``env`` where they are not the default; ``expect``. All of it is written from the facts of such machines.
"""

import dataclasses
import functools
import json
import shlex
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from provisioner.choose import choose
from provisioner.errors import CouldNotTellError, NoProfileError
from provisioner.model.codec import document, from_data
from provisioner.model.facts import Fact, Facts, absent, unknown
from provisioner.model.plan import EnvState
from provisioner.model.request import Request
from provisioner.report.choice_text import choice_lines, refusal_lines
from tests.choose.values import shipped_catalogue

HOSTS = Path(__file__).parents[1] / "hosts"
SCHEMA = "tfsetup/facts/1"
NEW_ENV = {"path": "/home/ada/tf-env", "kind": "absent", "digest": ""}
EXPECTATIONS = {
    "release", "python", "device", "gpus", "mentions", "absent", "warnings", "first_warning", "refusals", "packages", "interpreter",
    "refused", "nearest",
}  # fmt: skip


def merge(base, own):
    if not isinstance(base, dict) or not isinstance(own, dict) or "status" in own:
        return own
    return {**base, **{key: merge(base[key], value) if key in base else value for key, value in own.items()}}


def kept(data, whole):
    """Return whether everything that the data says stands in the document."""
    if isinstance(data, dict):
        return isinstance(whole, dict) and all(key in whole and kept(value, whole[key]) for key, value in data.items())
    if isinstance(data, list):
        return len(data) == len(whole) and all(map(kept, data, whole))
    return data == whole


@functools.cache
def catalogue():
    return shipped_catalogue()


def load(path):
    """Return the file, its facts, its request and its environment."""
    host = json.loads(path.read_text(encoding="utf-8"))
    data = host["facts"]
    if "base" in host:
        data = merge(json.loads((HOSTS / host["base"]).read_text(encoding="utf-8")), data)
    facts = from_data(Facts, data, file=path.name, schema=SCHEMA)
    request = from_data(Request, {"env": "/home/ada/tf-env", **host.get("request", {})}, file=path.name)
    return host, data, facts, request, from_data(EnvState, host.get("env", NEW_ENV), file=path.name)


def request_of(options, request, env):
    """Read an option string as the command line does; another `--env` is a place where nothing is yet."""
    words = shlex.split(options)
    values = dict(zip(words[::2], words[1::2], strict=True))
    asked = Request(**{"env": request.env, **{name.removeprefix("--"): value for name, value in values.items()}})
    return asked, env if asked.env == request.env else EnvState(path=asked.env, kind="absent", digest="")


def check_choice(host, expect, choice):
    assert (choice.release, choice.python, choice.device) == (expect["release"], expect["python"], expect["device"])
    if "gpus" in expect:
        assert {str(gpu.index): gpu.verdict for gpu in choice.gpus} == expect["gpus"]
    if "interpreter" in expect:
        assert choice.interpreter.path == expect["interpreter"]
    if "warnings" in expect:
        assert len(choice.warnings) == expect["warnings"], choice.warnings
    if "first_warning" in expect:
        assert choice.warnings[0].startswith(expect["first_warning"])
    assert {refusal.code for refusal in choice.refusals} == set(expect.get("refusals", ()))
    lock = catalogue().lock(choice.release, choice.python, choice.platform, choice.device)
    locked = {file.name: file.version for file in lock.files}
    for name, spec in expect.get("packages", {}).items():
        assert locked[name] in SpecifierSet(spec), (name, locked[name])
    return choice_lines(choice, verbose=True)


def check_refusal(expect, error, facts, request, env):
    assert (error.exit_code, error.cause) == (expect["refused"]["code"], expect["refused"]["cause"])
    assert error.refusals
    assert list(error.nearest) == expect["nearest"]
    for options in error.nearest:
        asked, place = request_of(options, request, env)
        assert choose(facts, asked, catalogue(), place)
    return refusal_lines(error)


@pytest.mark.parametrize("path", sorted(HOSTS.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_machine(path):
    host, data, facts, request, env = load(path)
    assert kept(data, document(SCHEMA, facts)), "the codec lost something"
    assert from_data(Facts, document(SCHEMA, facts), schema=SCHEMA) == facts
    expect = host["expect"]
    assert set(expect) <= EXPECTATIONS
    if "refused" in expect:
        with pytest.raises(NoProfileError) as caught:
            choose(facts, request, catalogue(), env)
        lines = check_refusal(expect, caught.value, facts, request, env)
    else:
        lines = check_choice(host, expect, choose(facts, request, catalogue(), env))
    text = "\n".join(lines)
    for words in expect.get("mentions", ()):
        assert words in text
    for words in expect.get("absent", ()):
        assert words not in text


def words_of(facts, request, env):
    """Return the words of whatever the choice ends with; anything but these two errors is a bug."""
    try:
        return choose(facts, request, catalogue(), env).reasons
    except NoProfileError as error:
        return error.refusals
    except CouldNotTellError as error:
        return error.hint


def without_a_fact(value):
    """Yield copies of the facts with each fact in turn unknown, then absent."""
    for field in dataclasses.fields(value):
        part = getattr(value, field.name)
        if isinstance(part, Fact):
            yield dataclasses.replace(value, **{field.name: unknown("test", "not asked")})
            yield dataclasses.replace(value, **{field.name: absent("test", "not there")})
        elif dataclasses.is_dataclass(part):
            yield from (dataclasses.replace(value, **{field.name: changed}) for changed in without_a_fact(part))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("h100", marks=pytest.mark.slow),
        "wsl2-gpu",
        "driver-missing",
        "container-without-gpu",
        "alpine",
        "apple-m1",
        "login-node",
    ],
)
def test_any_fact_may_be_missing(name):
    _, _, facts, request, env = load(HOSTS / f"{name}.json")
    for changed in without_a_fact(facts):
        assert words_of(changed, request, env)


def test_enough_machines_are_recorded():
    assert len(list(HOSTS.glob("*.json"))) >= 45


def test_choice_survives_a_different_order_of_interpreters():
    _, _, facts, request, env = load(HOSTS / "rhel-8-python-3.12.json")
    turned = dataclasses.replace(facts, interpreters=dataclasses.replace(facts.interpreters, value=facts.interpreters.value[::-1]))
    assert choose(turned, request, catalogue(), env) == choose(facts, request, catalogue(), env)
