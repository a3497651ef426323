"""rattler as the tool calls it: what its failures mean, that nothing secret is told, channels' priorities, and working without the network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from provisioner.engines import rattler as engine
from provisioner.engines import rattler_failures
from provisioner.errors import InputError, NoProfileError, OperationError, UsageError
from provisioner.host import Completed
from provisioner.host.local import LocalHost
from provisioner.model.conda_package import CondaPackage
from tests.channel import broken, build
from tests.channel.packages import KINDS, File, Package
from tests.channel.serve import Server

pytest.importorskip("rattler")
HOST = LocalHost()
SECRET = "s3cr3t"


def answered(text: str, *, code: int = 1, err: str = "", timed_out: bool = False) -> Completed:
    return Completed(argv=(), code=code, out=text, err=err, seconds=1.0, timed_out=timed_out)


def failed(text: str, kind: str = "InstallerError") -> Completed:
    return answered(json.dumps({"error": kind, "text": text}))


# What rattler said (tests/channel/test_rattler_facts.py, and seen with 0.28), what it is told as, the cause.
SAID = [
    ("failed to link 'lib/x'\nCaused by: No space left on device (os error 28)", "no space is left on the disk", "disk-full"),
    ("hash mismatch when extracting URL to PATH: expected a, got b, total size 1 bytes", "its hash differs", "download-failed"),
    ("hash mismatch: x-1-0.conda is not the file that repodata describes", "its hash differs", "download-failed"),
    ("x-1-0.conda would write outside the environment: ../y", "paths outside the environment", "download-failed"),
    ("trying to unpack outside of destination path: /a/lib/evil", "paths outside the environment", "download-failed"),
    ("target prefix cannot be longer than the placeholder prefix (encoding 'utf-8')", "longer than programs", ""),
    ("invalid zip archive (async): unable to locate the end of central directory record", "is no conda package", "download-failed"),
    ("bzip2: invalid data", "is no conda package", "download-failed"),
    ("failed to link x\nfailed to link 'lib/y'\nNo such file or directory (os error 2)", "lacks a file that it lists", "download-failed"),
    ("no usable repodata cache for http://x/noarch/", "the network was forbidden", "download-failed"),
    ("failed to parse repodata.json\nEOF while parsing a string at line 14 column 38", "is broken off, or is none", "download-failed"),
    ("failed to parse repodata.json\nexpected value at line 1 column 1", "is broken off, or is none", "download-failed"),
    ("error sending request\ninvalid peer certificate: UnknownIssuer", "certificate is not trusted", "download-failed"),
    ("HTTP status client error (401 Unauthorized) for url (http://x)", "refused the request", "download-failed"),
    ("HTTP status client error (403 Forbidden) for url (http://x)", "refused the request", "download-failed"),
    ("could not find subdir 'noarch' in channel 'x'\nHTTP status client error (404 Not Found)", "is not there", "download-failed"),
    ("could not find subdir 'noarch' in channel 'x'\nfailed to open file: No such file or directory", "is not there", "download-failed"),
    ("/channel/linux-64/x.conda: not found", "is not there", "download-failed"),
    (
        "error sending request for url (http://x)\ntcp connect error\nConnection refused (os error 111)",
        "could not be reached",
        "download-failed",
    ),
    ("HTTP status server error (503 Service Unavailable) for url (http://x)", "has a fault of its own (from x)", "download-failed"),
    ("error decoding response body", "could not be reached, or the download broke off", "download-failed"),
    (
        "failed to download x: end of file before message length reached",
        "could not be reached, or the download broke off",
        "download-failed",
    ),
    ("failed to create directory: Permission denied (os error 13)", "may not be written", "permission-denied"),
    ("something that nobody has seen yet", "rattler says: something that nobody has seen yet", ""),
]


@pytest.mark.parametrize(("text", "told", "cause"), SAID)
def test_what_rattler_says_is_told_with_cause_and_hint(text: str, told: str, cause: str) -> None:
    with pytest.raises(OperationError) as caught:
        rattler_failures.checked(failed(text), "it failed")
    assert told in caught.value.message
    assert caught.value.message.startswith("it failed")
    assert (caught.value.cause, bool(caught.value.hint)) == (cause, True)


@pytest.mark.parametrize("place", [f"http://ada:{SECRET}@x/linux-64", f"http://x/t/{SECRET}/linux-64", f"http://x/y?token={SECRET}"])
@pytest.mark.parametrize("text", ["error sending request for url ({})", "something else at {}"])
def test_secrets_are_never_told(text: str, place: str) -> None:
    with pytest.raises(OperationError) as caught:
        rattler_failures.checked(failed(text.format(place)), "it failed")
    assert SECRET not in caught.value.message + caught.value.hint
    with pytest.raises(NoProfileError) as refused:
        raise rattler_failures.no_solution((place,), "linux-64", {"text": f"not in {place}", "empty": []})
    assert SECRET not in str(refused.value) + " ".join(refused.value.refusals)
    with pytest.raises(OperationError) as empty:
        raise rattler_failures.no_solution((place,), "linux-64", {"text": "", "empty": [place]})
    assert SECRET not in str(empty.value)


@pytest.mark.parametrize(
    ("done", "kind", "told"),
    [
        (answered("", code=3, err="No module named 'rattler'"), UsageError, "py-rattler cannot be loaded"),
        (answered("", timed_out=True), OperationError, "did not finish in 1 s"),
        (answered("", code=-6, err="panicked at path_resolver"), OperationError, "panicked at path_resolver"),
        (answered("", code=-9), OperationError, "ended with status -9"),
        (answered("no JSON", code=0), OperationError, "it failed"),
        (failed("missing range specifier", "InvalidMatchSpecError"), InputError, "missing range specifier"),
    ],
)
def test_other_ends(done: Completed, kind: type[Exception], told: str) -> None:
    with pytest.raises(kind, match=told) as caught:
        rattler_failures.checked(done, "it failed")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        (f"https://ada:{SECRET}@x/lab/linux-64/p.conda", "https://x/lab/linux-64/p.conda"),
        ("https://ada:p@ss@x/lab", "https://x/lab"),
        (f"https://x/t/{SECRET}/lab", "https://x/lab"),
        (f"https://x/t/{SECRET}", "https://x"),
        (f"https://x/t/{SECRET}/", "https://x/"),
        ("https://x/lab/t.conda", "https://x/lab/t.conda"),
        ("file:///data/t/lab/channel", "file:///data/t/lab/channel"),
        ("/data/t/lab/channel", "/data/t/lab/channel"),
        ("file:///data/a@b/channel", "file:///data/a@b/channel"),
        ("conda-forge", "conda-forge"),
    ],
)
def test_addresses_without_credentials(url: str, plain: str) -> None:
    assert engine.bare(url) == plain


def test_a_package_is_fetched_with_its_channel_s_credentials_only() -> None:
    channels = engine.Channels(names=("https://free/a", f"https://ada:{SECRET}@x/lab/", f"https://y/t/{SECRET}/lab"))
    assert engine.with_credentials("https://x/lab/linux-64/p.conda", channels.names) == f"https://ada:{SECRET}@x/lab/linux-64/p.conda"
    assert engine.with_credentials("https://y/lab/linux-64/p.conda", channels.names) == f"https://y/t/{SECRET}/lab/linux-64/p.conda"
    assert engine.with_credentials("https://free/a/linux-64/p.conda", channels.names) == ""
    assert engine.with_credentials("https://x/laboratory/linux-64/p.conda", channels.names) == ""


def solve(channels: engine.Channels, *specs: str, cache: Path, **options: object) -> tuple[CondaPackage, ...]:
    virtual = ("__unix=0=0", "__linux=6.1=0", "__glibc=2.36=0", "__archspec=1=x86_64_v3")
    return engine.solve(HOST, channels, subdir="linux-64", specs=specs, virtual=virtual, repodata=str(cache), **options)


def channel(folder: Path, *packages: Package) -> str:
    return build.build(folder, packages).url


def test_a_package_is_all_that_repodata_says(tmp_path: Path) -> None:
    made = build.build(
        tmp_path / "channel",
        [
            Package(name="a", version="1.2", build="h1_3", number=3, depends=("b >=1",), constrains=("c <2",), track_features="x"),
            Package(name="b", version="1"),
        ],
        [KINDS[0]],
    )
    found, other = solve(engine.Channels(names=(made.url,)), "a", cache=tmp_path)
    record = made.package("a").record
    assert found == CondaPackage(
        name="a", version="1.2", build="h1_3", build_number=3, subdir="linux-64", filename="a-1.2-h1_3.conda",
        url=f"{made.url}/linux-64/a-1.2-h1_3.conda", channel=f"{made.url}/", sha256=record["sha256"], md5=record["md5"], size=record["size"],
        depends=("b >=1",), constrains=("c <2",), license="LicenseRef-test", timestamp=record["timestamp"], track_features=("x",),
    )  # fmt: skip
    assert other.name == "b"


def test_strict_takes_a_name_from_the_first_channel_alone_and_flexible_from_the_others_where_that_does_not_do(tmp_path: Path) -> None:
    first = channel(tmp_path / "first", Package(name="a", version="1"))
    second = channel(
        tmp_path / "second",
        Package(name="a", version="2"),
        Package(name="b", version="1", depends=("a",)),
        Package(name="c", version="1", depends=("a >=2",)),
    )
    names = (first, second)
    for priority in ("strict", "flexible"):
        found = solve(engine.Channels(names=names, priority=priority), "b", cache=tmp_path)
        assert {item.name: item.version for item in found} == {"a": "1", "b": "1"}
    with pytest.raises(NoProfileError):
        solve(engine.Channels(names=names, priority="strict"), "c", cache=tmp_path)
    for priority in ("flexible", "disabled"):
        found = solve(engine.Channels(names=names, priority=priority), "c", cache=tmp_path)
        assert {item.name: item.version for item in found} == {"a": "2", "c": "1"}


def test_what_is_there_is_kept_where_it_does(tmp_path: Path) -> None:
    url = channel(tmp_path / "channel", Package(name="a", version="1"), Package(name="a", version="2"))
    old = solve(engine.Channels(names=(url,)), "a 1.*", cache=tmp_path)
    assert solve(engine.Channels(names=(url,)), "a", cache=tmp_path, locked=old) == old
    assert [item.version for item in solve(engine.Channels(names=(url,)), "a >1", cache=tmp_path, locked=old)] == ["2"]
    assert [item.version for item in solve(engine.Channels(names=(url,)), "a", cache=tmp_path, constraints=("a <2",))] == ["1"]


def test_nothing_newer_than_a_date(tmp_path: Path) -> None:
    made = build.build(tmp_path / "channel", [Package(name="a", version="1"), Package(name="a", version="2")])
    made.package("a", "2").record["timestamp"] = 1_700_000_000_000
    made.index()
    early = engine.Channels(names=(made.url,), newer="2022-01-01T00:00:00+00:00")
    assert [item.version for item in solve(early, "a", cache=tmp_path)] == ["1"]


def test_offline_works_from_the_cache_and_asks_nobody(tmp_path: Path) -> None:
    made = build.build(tmp_path / "channel", [Package(name="a", version="1", files={"share/a": "a\n"})])
    with Server(made.folder) as server:
        channels = engine.Channels(names=(server.url,), caches=(str(tmp_path / "pkgs"),))
        with pytest.raises(OperationError, match="the network was forbidden"):
            solve(channels, "a", cache=tmp_path / "repodata", offline=True)
        first = solve(channels, "a", cache=tmp_path / "repodata")
        asked = server.count()
        assert solve(channels, "a", cache=tmp_path / "repodata", offline=True) == first
        assert server.count() == asked


def test_a_mirror_is_asked_in_the_place_of_its_channel(tmp_path: Path) -> None:
    made = build.build(tmp_path / "channel", [Package(name="a", version="1", files={"share/a": "a\n"})])
    away = "http://127.0.0.1:9/lab"
    with Server(made.folder) as server:
        mirrors = {away: (server.url,), "conda-forge": (server.url,)}
        for name in (away, "conda-forge"):
            channels = engine.Channels(names=(name,), caches=(str(tmp_path / "pkgs"),), mirrors=mirrors)
            found = solve(channels, "a", cache=tmp_path)
            assert server.host not in found[0].url, "the plan names the channel"
            assert found[0].channel.rstrip("/").endswith(name)
            install(channels, found, tmp_path / "env")
        assert server.count("/a-1-0.conda") == 1, "the second time it was in the cache"


def install(channels: engine.Channels, packages: tuple[CondaPackage, ...], prefix: Path, **options: object) -> tuple[str, ...]:
    values = {"target": str(prefix), "subdir": "linux-64", "specs": (), **options}
    return engine.install(HOST, channels, packages, prefix=str(prefix), **values)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["file", "http"])
def test_what_is_linked_is_what_was_asked_for_and_its_record_says_so(tmp_path: Path, kind: str, scheme: str) -> None:
    made = build.build(tmp_path / "channel", [Package(name="a", version="1", files={"bin/a": File(b"a\n", 0o755)})], [kind])
    with Server(made.folder) as server:
        channels = engine.Channels(names=(made.url if scheme == "file" else server.url,), caches=(str(tmp_path / "pkgs"),))
        found = solve(channels, "a 1.*", cache=tmp_path)
        for name in ("cold", "warm"):
            assert install(channels, found, tmp_path / name, specs=("a 1.*",), target="/where/it/will/be") == ()
    for name in ("cold", "warm"):
        record = json.loads((tmp_path / name / "conda-meta/a-1-0.json").read_text())
        assert (record["url"], record["channel"]) == (found[0].url, found[0].channel)
        assert (record["requested_spec"], record["requested_specs"]) == ("a 1.*", ["a 1.*"])
        assert (tmp_path / name / "bin/a").read_text() == "a\n"
    assert [path.name for path in (tmp_path / "pkgs").iterdir() if path.name.startswith(".tfsetup")] == []


def test_packages_beside_a_python_that_stays_elsewhere(tmp_path: Path) -> None:
    """A pure package belongs where the environment's Python looks; so does one that needs no Python at all."""
    python = Package(name="python", version="3.10.1", build="0_cpython", files={"bin/python3.10": "x\n"})
    made = build.build(
        tmp_path / "channel", [python, broken.with_entry_point(), Package(name="tool", version="1", files={"share/tool": "x\n"})]
    )
    channels = engine.Channels(names=(made.url,), caches=(str(tmp_path / "pkgs"),))
    found = {item.name: item for item in solve(channels, "hello", "tool", cache=tmp_path)}
    install(channels, (found["python"],), tmp_path / "env")
    beside = str(tmp_path / "env/conda-meta/python-3.10.1-0_cpython.json")
    install(channels, (found["hello"], found["tool"]), tmp_path / "stage", target=str(tmp_path / "env"), beside=beside)
    assert (tmp_path / "stage/lib/python3.10/site-packages/hello.py").is_file()
    assert sorted(path.name for path in (tmp_path / "stage/conda-meta").glob("*.json")) == ["hello-1.0-pyh1234567_0.json", "tool-1-0.json"]
    assert not (tmp_path / "stage/bin/python3.10").exists()
    assert f"{tmp_path}/env/bin/python3.10" in (tmp_path / "stage/bin/tfsetup-test-hello").read_text()


@pytest.mark.parametrize("spelling", ["../climbing-1.0-0/share/climbing.txt", "share/../../x", "/etc/x", "..", r"..\x", "C:x"])
def test_paths_outside_are_refused(tmp_path: Path, spelling: str) -> None:
    made = build.build(tmp_path / "channel", [broken.climbing_listed(spelling)])
    channels = engine.Channels(names=(made.url,), caches=(str(tmp_path / "pkgs"),))
    found = solve(channels, "climbing", cache=tmp_path)
    with pytest.raises(OperationError, match="paths outside the environment"):
        install(channels, found, tmp_path / "env")


def test_a_list_of_paths_that_is_written_strangely_is_read_all_the_same(tmp_path: Path) -> None:
    from provisioner.engines import _rattler_fetch

    class Layer:
        path = str(tmp_path)

    class Cache:
        def layers(self):
            return [Layer()]

    item = {"name": "a", "version": "1", "build": "0", "subdir": "linux-64", "filename": "a-1-0.conda"}
    (tmp_path / "a-1-0/info").mkdir(parents=True)
    for text, path in (
        (r'{"paths": [{"_path": "\u002e\u002e/x"}]}', "../x"),
        (r'{"paths": [{"_path"  :  "\/etc/x"}]}', "/etc/x"),
        ('{"paths": [{"_path"\n:\n"/etc/x"}]}', "/etc/x"),
        ('{"paths": [{"_path": "bin/.a-post-link.sh"}]}', "bin/.a-post-link.sh"),
    ):
        (tmp_path / "a-1-0/info/paths.json").write_text(text)
        assert _rattler_fetch.cached_paths(Cache(), item) == [path]
    (tmp_path / "a-1-0/info/paths.json").write_text('{"paths": [{"_path": "bin/a"}]}')
    assert _rattler_fetch.cached_paths(Cache(), item) == [], "nothing that anybody asks about"
    (tmp_path / "a-1-0/info/paths.json").write_text('{"paths": [{"_path": "C:x"}]}')
    assert _rattler_fetch.cached_paths(Cache(), {**item, "subdir": "win-64"}) == ["C:x"], "a drive of Windows"


def test_values_of_a_record_are_replaced_and_nothing_else() -> None:
    from provisioner.engines._rattler import with_values

    text = '{\n  "url": "a\\"b",\n  "channel": null,\n  "requested_specs": [],\n  "files": [\n    "url"\n  ],\n  "link": {\n    "url": "kept"\n  }\n}'
    found = json.loads(with_values(text, {"url": r"x\1\g<0>", "channel": "ü", "requested_specs": ["a b"], "requested_spec": "a b"}))
    assert found == {
        "url": r"x\1\g<0>", "channel": "ü", "requested_specs": ["a b"], "requested_spec": "a b", "files": ["url"], "link": {"url": "kept"},
    }  # fmt: skip


def test_what_is_missing_is_named_before_anything_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rattler", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="need the package py-rattler") as caught:
        engine.check_installed()
    assert "install tfsetup again" in caught.value.hint
