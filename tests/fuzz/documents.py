"""Documents that people and other programs hand over: declarations, requirements, locks, plans, what lies beside an environment."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any, cast

from provisioner.base import numbers, toml_text, versions
from provisioner.base import requirement as pep_508
from provisioner.base import text as words
from provisioner.catalogue import conda_names, conda_tables, fits, lockfile, needs, published, releases, spare, tables, yaml_text
from provisioner.causes import pages, speakers
from provisioner.change import brought, journal
from provisioner.cli import settings
from provisioner.declared import (
    declaration,
    direct,
    elsewhere,
    environment_file,
    find,
    inputs,
    links,
    lists,
    local,
    project,
    project_table,
    requirement,
    requirements_file,
    setup_files,
    shape,
    tool_indexes,
)
from provisioner.diagnose import compare
from provisioner.engines import resolving, source_tree, stated, wheel_lists, wheels
from provisioner.environment import receipt
from provisioner.environment.workspace import Workspace
from provisioner.errors import InputError, TfsetupError
from provisioner.host import Host
from provisioner.lock import dates, sidecar, store
from provisioner.lock.formats import conda_lock, pylock
from provisioner.lock.formats import requirements as lock_requirements
from provisioner.model import codec, json_text
from provisioner.model.catalogue import LockedFile
from provisioner.model.facts import Facts
from provisioner.model.plan import Plan
from provisioner.model.team import ProjectInput
from provisioner.plan import saved
from provisioner.plan.seal import SCHEMA as PLAN_SCHEMA
from provisioner.plan.seal import seal
from tests.facts.fake_reader import FakeReader
from tests.fuzz.registry import harness, strict, text

FACTS_SCHEMA = "tfsetup/facts/1"


@harness(declaration.read_keys, declaration.read_declaration, settings.read_file, find.read_limited, shape.read, inputs.read_inputs)
def declaration_yaml(data: bytes) -> None:
    reader = FakeReader({"/tfsetup.yaml": data, "/requirements.txt": "numpy\n"})
    settings.read_file(reader)
    declaration.read_keys(reader, "/")
    inputs.read_inputs(reader, declaration.read_declaration(reader, "/"))


@harness(toml_text.parse_toml, project.read_project)
def declaration_toml(data: bytes) -> None:
    reader = FakeReader({"/pyproject.toml": data})
    for wanted in (ProjectInput(file="pyproject.toml"), ProjectInput(file="pyproject.toml", extras=("gpu",), groups=("dev",))):
        project.read_project(reader, "/", wanted, [], elsewhere.Indexes())
    settings.read_file(reader)
    declaration.read_declaration(reader, "/")


@harness(
    lists.read_lists,
    lists.parse_pyproject,
    lists.parse_pipfile,
    lists.parse_setup_cfg,
    lists.parse_setup_py,
    environment_file.read_environment_file,
    setup_files.parse_setup_cfg,
    setup_files.parse_setup_py,
    project_table.read_tables,
    source_tree.read_metadata,
)
def project_lists(data: bytes) -> None:
    for name in ("pyproject.toml", "Pipfile", "setup.cfg", "setup.py", "environment.yml", "requirements.txt"):
        reader = FakeReader({f"/{name}": data})
        found = lists.read_lists(reader, "/").environment
        with contextlib.suppress(InputError):
            tool_indexes.take_tables(toml_text.parse_toml(strict(data), file="x", name="x"), "x", elsewhere.Indexes())
        if found is not None:
            environment_file.divided(found, conda_names.CondaNames(same=("numpy",)), "conda")
            environment_file.channels(found.channels, ("conda-forge",))
        with contextlib.suppress(InputError):
            project.read_project(
                reader, "/", ProjectInput(file="pyproject.toml", extras=("x",), groups=("dev",)), [], elsewhere.Indexes(), built=True
            )
    with contextlib.suppress(InputError):
        system = source_tree.build_system(strict(data), file="pyproject.toml")
        source_tree.read_metadata(strict(data), system, builders=(), limits=(), compiled=False)


@harness(stated.parse_core, stated.parse_requires)
def stated_needs(data: bytes) -> None:
    stated.parse_core(text(data))
    stated.parse_requires(text(data))


@harness(requirements_file.read_files, links.read_line, links.read_link, links.read_page)
def requirements(data: bytes) -> None:
    carried = {"/wheels/a-1.0-py3-none-any.whl": b"", "/a-1.0.zip": b""}
    requirements_file.read_files(FakeReader({"/r.txt": data, "/other.txt": "numpy\n", **carried}), "/", ["r.txt"], elsewhere.Indexes(), [])


@harness(
    requirement.parse,
    requirement.parse_any,
    direct.read_direct,
    local.read_local,
    pep_508.read_requirement,
    settings.parse_flag,
    dates.parse,
    versions.readable,
)
def options(data: bytes) -> None:
    for call in (
        requirement.parse,
        requirement.parse_any,
        direct.read_direct,
        lambda value: local.is_local(value) and local.read_local(value, "x:1", "", editable=False),
        lambda value: settings.parse_flag(value, "x"),
        lambda value: dates.parse(value, "x"),
        lambda value: versions.readable(value) and versions.contains(value, "2.15.0"),
        lambda value: versions.contains(">=2,!=2.3", value),
        versions.numbers,
        numbers.number,
        numbers.whole,
        lambda value: versions.is_version(value) and versions.version_key(value),
        words.shown,
        _requirement,
    ):
        _ours(call, strict(data))


def _requirement(value: str) -> None:
    try:
        found = pep_508.read_requirement(value)
    except ValueError:
        return
    pep_508.applies(found, {"python_version": "3.11", "extra": ""})
    pep_508.admits(found.specifier, value)


def _ours(call: Any, value: str) -> None:
    try:
        call(value)
    except (TfsetupError, requirement.NotLockableError, direct.AddressError):
        return


@harness(sidecar.read, store.read_lock, store.read_lock_or_nothing, store.read_file)
def sidecar_json(data: bytes) -> None:
    reader = FakeReader({f"/{sidecar.NAME}": data})
    store.read_lock_or_nothing(reader, "/")
    store.read_lock(reader, "/")


@harness(lock_requirements.read, lockfile.parse_lockfile, resolving.read_annotations)
def lock_text(data: bytes) -> None:
    _ours(lock_requirements.read, strict(data))
    _ours(lambda value: lockfile.parse_lockfile(value, file="a.lock"), strict(data))
    resolving.read_annotations(strict(data))


@harness(pylock.read, wheels.read_pylock)
def pylock_toml(data: bytes) -> None:
    _ours(pylock.read, strict(data))
    _ours(wheels.read_pylock, strict(data))


@harness(conda_lock.read)
def conda_lock_yaml(data: bytes) -> None:
    conda_lock.read(strict(data))


@harness(saved.load_plan)
def plan(data: bytes) -> None:
    """A stranger can seal a plan, too."""
    _ours(lambda value: saved.load_plan(value, file="p"), strict(data))
    found = codec.from_data(Plan, codec.parse_json(strict(data), file="p"), schema=PLAN_SCHEMA)
    sealed = replace(found, seal=seal(found))
    saved.load_plan(json.dumps(codec.document(PLAN_SCHEMA, sealed)), file="p")


@harness(codec.parse_json, codec.from_data, json_text.read_json)
def facts_json(data: bytes) -> None:
    codec.from_data(Facts, codec.parse_json(strict(data), file="f"), file="f", schema=FACTS_SCHEMA)


@harness(compare.from_document)
def examination(data: bytes) -> None:
    compare.from_document(strict(data), file="e")


@harness(journal.read, journal.read_aside, journal.read_at)
def journal_json(data: bytes) -> None:
    workspace = Workspace(root="/work/e")
    journal.read(FakeReader({workspace.journal: data}), workspace)
    journal.read_aside(FakeReader({Workspace(root=workspace.aside).journal: data}), workspace)


@harness(brought.read)
def brought_json(data: bytes) -> None:
    workspace = Workspace(root="/work/e")
    brought.read(FakeReader({workspace.brought(1): data}), workspace, 1)


@harness(receipt.read)
def receipt_json(data: bytes) -> None:
    receipt.read(FakeReader({"/r.json": data}), "/r.json")


@harness(
    yaml_text.parse_yaml,
    releases.read_minor,
    tables.read_gpus,
    tables.read_toolkits,
    tables.read_drivers,
    tables.read_proofs,
    fits.read_fits,
    conda_tables.read_conda,
    conda_names.read_conda_names,
    published.read_published,
    needs.read_needs,
    spare.read_spare,
    speakers.read_speaker,
    speakers.read_history,
    pages.read_cause,
    pages.read_order,
)
def profiles(data: bytes) -> None:
    found = yaml_text.parse_yaml(strict(data), file="x")
    for call in (
        lambda value: releases.read_minor(value, minor="2.15", file="x"),
        lambda value: tables.read_gpus(value, file="x"),
        lambda value: tables.read_toolkits(value, file="x"),
        lambda value: tables.read_drivers(value, file="x"),
        lambda value: tables.read_proofs(value, file="x"),
        lambda value: fits.read_fits(value, file="x"),
        lambda value: conda_tables.read_conda(value, file="x"),
        lambda value: conda_names.read_conda_names(value, file="x"),
        lambda value: published.read_published(value, file="x"),
        lambda value: spare.read_spare(value, file="x"),
        lambda value: speakers.read_speaker(value, file="x", name="pip"),
        lambda value: speakers.read_history(value, file="x"),
        lambda value: pages.read_cause(value, code="a-b", file="x"),
        lambda value: pages.read_order(value, known=("a-b",), file="x"),
    ):
        _ours(call, found)
    _ours(lambda value: needs.read_needs(value, file="x"), strict(data))


@harness(wheel_lists.read)
def wheels_files(data: bytes) -> None:
    wheel = LockedFile(name="six", version="1.17.0", filename="six-1.17.0-py2.py3-none-any.whl", sha256="0" * 64, size=1, unpacked=1)
    wheel_lists.read(cast("Host", FakeReader({f"/kept/{wheel.sha256}.json": data})), (wheel,), None, kept="/kept")


@harness()
def masking(data: bytes) -> None:
    assert all(letter.isprintable() or letter in "\n\t" or ord(letter) > 0xFF for letter in words.shown(text(data)))
