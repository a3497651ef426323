"""What is installed and is no file: a commit of a git repository, or a project of a team's own."""

from __future__ import annotations

from provisioner.model.record import record


@record
class Checkout:
    """A distribution that is no file of an index.

    Of git: ``url`` without credentials, ``commit`` in full, ``folder`` in the repository ("" for its top), and ``asked``, the revision that was asked
    for. Of a project: ``folder`` relative to the lock's own (in a plan: absolute), with ``editable``. ``version`` is "" where only a build tells it.
    ``requires`` and ``via`` are names, as for a locked file; ``compiled``: files for a compiler lie in it.
    """

    name: str
    version: str = ""
    url: str = ""
    commit: str = ""
    folder: str = ""
    asked: str = ""
    editable: bool = False
    requires: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    compiled: bool = False

    @property
    def place(self) -> str:
        """Where it comes from, for a person; the address may hold a secret all the same, and is masked where it is shown."""
        if self.commit:
            return f"commit {self.commit[:12]} of {self.url}"
        return f"{'editable, ' if self.editable else ''}from {self.folder}"

    @property
    def requested(self) -> str:
        """The address that a requirement on a repository names, with the revision that it asks for."""
        asked = f"@{self.asked}" if self.asked else ""
        return f"git+{self.url}{asked}{f'#subdirectory={self.folder}' if self.folder else ''}"

    @property
    def line(self) -> str:
        """What pip and uv call it, in a line of a requirements file."""
        if not self.commit:
            path = self.folder if self.folder.startswith((".", "/")) else f"./{self.folder}"
            return f"-e {path}" if self.editable else path
        return f"{self.name} @ git+{self.url}@{self.commit}{f'#subdirectory={self.folder}' if self.folder else ''}"
