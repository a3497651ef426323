"""What lies on a machine and in environments, and what programs print: formats of others."""

from __future__ import annotations

import contextlib
import functools
import io

from provisioner.catalogue import Catalogue, find_profiles
from provisioner.causes import Messages, open_messages
from provisioner.commands import explain as explaining
from provisioner.conda import pattern, registry, specs
from provisioner.conda.config import parse as condarc
from provisioner.engines import allowed, index
from provisioner.environment import conda_owned, conda_present, conda_records, config, damaged, distributions, keepers, kernels, owners
from provisioner.environment import metadata as envmetadata
from provisioner.environment import read as reading_site
from provisioner.errors import InputError
from provisioner.explain import given, reading, weigh
from provisioner.facts import (
    conda,
    cpu,
    disk,
    elf,
    elf_links,
    gpu,
    gpu_signs,
    interpreters,
    ldcache,
    libc,
    libraries,
    macho,
    macos,
    nvidia_smi,
    overrides,
    pci,
    pe,
    system,
    variables,
    windows,
)
from provisioner.host.local import LocalHost
from provisioner.judge.requirements import unmet
from provisioner.lock import installed
from provisioner.remedies import kept
from provisioner.verify import events
from tests.facts.fake_reader import FakeReader
from tests.fuzz.registry import harness, text

SITE = "/e/lib/python3.11/site-packages"
INFO = f"{SITE}/tensorflow-2.15.0.dist-info"


@functools.lru_cache(maxsize=1)
def known() -> tuple[Messages, Catalogue]:
    host, root = LocalHost(), find_profiles()
    return open_messages(host, root), Catalogue.open(host, root)


@harness(reading.decode, reading.read_lines, given.read_given, explaining.read_stream)
def log(data: bytes) -> None:
    content, _ = explaining.read_stream(io.BytesIO(data))
    messages, catalogue = known()
    weigh(reading.split(reading.decode(content, file="x")), {"os": text(data[:40])}, messages, catalogue)


@harness(
    reading_site.read_site,
    reading_site.read_conda_site,
    config.parse_config,
    damaged.read_broken,
    distributions.read_distributions,
    distributions.read_installed,
    distributions.read_metadata,
    envmetadata.parse_metadata,
    installed.read_whole,
    owners.read_owners,
    owners.read_claims,
)
def metadata(data: bytes) -> None:
    head, _, tail = data.partition(b"\n---\n")
    told = envmetadata.parse_metadata(text(head))
    own = distributions.Installed(
        name=told.name, version=told.version, metadata=INFO, site=SITE, requires=told.requires, requires_python=told.requires_python
    )
    unmet([own], {"python_full_version": "3.11.4", "python_version": "3.11", "sys_platform": "linux"})
    files = {f"{INFO}/METADATA": head, f"{INFO}/RECORD": tail, "/e/pyvenv.cfg": tail or head, "/e/bin/python": "x"}
    for reader in (FakeReader(files), FakeReader({f"{INFO}/METADATA": head, f"{INFO}/RECORD": "", "/e/pyvenv.cfg": "home = /usr/bin\n"})):
        found = reading_site.read_site(reader, "/e")
        installed.read_whole(reader, found)
        owners.read_owners(reader, "/e", found.distributions)
        damaged.read_broken(reader, "/e")


@harness(envmetadata.parse_record, owners.read_rows)
def record(data: bytes) -> None:
    list(envmetadata.parse_record(text(data)))
    owners.read_rows(FakeReader({f"{INFO}/RECORD": data}), INFO)


@harness(keepers.parse, keepers.parse_pipfile)
def project_lock(data: bytes) -> None:
    for name in ("uv.lock", "Pipfile.lock"):
        keeper = keepers.keeper_of(FakeReader({f"/p/{name}": data, "/p/.venv/pyvenv.cfg": ""}), "/p/.venv")
        assert keeper is not None
        kept.installs(keeper, ("numpy<2", "six"), windows=False)


@harness(allowed.read_allowed)
def own_configuration(data: bytes) -> None:
    with contextlib.suppress(InputError):
        allowed.read_allowed(FakeReader({"/c/config.yaml": data}, env={"TFSETUP_CONFIG": "/c/config.yaml"}))


@harness(
    conda_records.parse_record, conda_records.read_index, conda_records.read_records, conda_records.read_record, conda_present.read_present
)
def conda_meta(data: bytes) -> None:
    reader = FakeReader({"/e/conda-meta/numpy-1.26.4-py311_0.json": data, "/e/conda-meta/history": data, "/e/conda-meta/frozen": data})
    records = conda_records.read_records(reader, "/e")
    conda_present.read_present(reader, "/e")
    conda_owned.brought(reader, "/e", records)
    conda_records.protection(reader, "/e")
    reading_site.read_conda_site(reader, "/e")
    for item in records:
        for spec in item.depends:
            specs.meets(spec, item.version, item.build)


@harness(condarc.parse_condarc, conda.parse_environments, conda.parse_version)
def condarc_yaml(data: bytes) -> None:
    condarc.parse_condarc(text(data), "/x/.condarc")
    conda.parse_environments(text(data))
    conda.parse_version(text(data))


@harness(registry.read_taken)
def match_spec(data: bytes) -> None:
    spec, _, rest = text(data).partition("\n")
    version, _, build = rest.partition("\n")
    specs.meets(spec, version, build)
    specs.compare(version, build)
    specs.virtual_meets(spec, ["__glibc=2.17=0"])
    specs.least(spec)
    pattern.matches(spec, build)


@harness(elf.parse_header, elf.read_elf, elf_links.read_links, libraries.parse_header, allowed=(elf.ElfError,))
def elf_file(data: bytes) -> None:
    reader = FakeReader({"/x.so": data})
    libraries.constant_version(data, "x86_64", 12)
    libc.parse_glibc(data)
    elf_links.read_links(reader, "/x.so")
    elf.parse_header(data)
    elf.read_elf(reader, "/x.so")


@harness(pe.parse, pe.read_pe, allowed=(pe.PeError,))
def pe_file(data: bytes) -> None:
    pe.read_pe(FakeReader({"/x.dll": data}), "/x.dll")


@harness(macho.parse, macho.starts, macho.read_macho, allowed=(macho.MachoError,))
def macho_file(data: bytes) -> None:
    macho.read_macho(FakeReader({"/x.dylib": data}), "/x.dylib")


@harness(ldcache.parse, libc.parse_glibc)
def ld_so_cache(data: bytes) -> None:
    ldcache.parse(data, ("libcuda.so", "libcudnn"))


NVIDIA = (
    gpu.parse_answers,
    nvidia_smi.parse_csv,
    nvidia_smi.parse_cuda,
    nvidia_smi.parse_failure,
    gpu_signs.parse_proc_version,
    gpu_signs.parse_tegra,
    gpu_signs.parse_library_release,
    gpu_signs.parse_windows_release,
)


@harness(*NVIDIA)
def nvidia(data: bytes) -> None:
    said = text(data)
    for call in NVIDIA:
        call(said)


MACHINE = (
    libraries.parse_version_json,
    libraries.parse_version_txt,
    libraries.parse_header,
    libc.parse_musl,
    system.parse_os_release,
    system.parse_wsl,
    system.parse_cgroup,
    system.parse_plist_version,
    cpu.parse_architecture,
    cpu.parse_cpuinfo,
    cpu.parse_loader_levels,
    cpu.parse_online,
    macos.parse_sysctl,
    disk.parse_mounts,
    pci.parse_class,
    pci.parse_id,
    interpreters.parse_answer,
    interpreters.parse_launcher,
)


@harness(*MACHINE, windows.parse_reg, windows.parse_runtime, windows.parse_build, windows.parse_pythons, cpu.parse_mac_features)
def machine_text(data: bytes) -> None:
    said = text(data)
    for call in MACHINE:
        call(said)
    values = windows.parse_reg(said)
    windows.parse_runtime(values)
    windows.parse_build(values)
    windows.parse_pythons(said)
    cpu.parse_mac_features(macos.parse_sysctl(said))


@harness(overrides.read)
def override(data: bytes) -> None:
    name, _, value = text(data).partition("=")
    variables.probe({name: value})
    overrides.read({f"{overrides.PREFIX}{name}": value})


@harness(events.parse_events)
def child_events(data: bytes) -> None:
    from provisioner.verify.raw import Child, checks_of

    found = events.parse_events("".join(f"M {line}\n" for line in text(data).split("\n")), "M")
    checks_of(Child(code=0, timed_out=False, seconds=0.0, limit=1.0, err="", events=found))


@harness(kernels.read_kernel, kernels.read_notebook, index.parse_pip_config)
def kernel_json(data: bytes) -> None:
    kernels.read_kernel(text(data), path="/k/x/kernel.json", place="here", bare=True)
    with contextlib.suppress(InputError):
        kernels.read_notebook(text(data), "x.ipynb")
    index.parse_pip_config(text(data))
