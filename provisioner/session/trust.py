"""The word of consent for what only a file names: shown first, then asked for once, or given in advance with ``--trust``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from provisioner.errors import ConsentError
from provisioner.model.named import Named

WORD = "--trust"
VARIABLE = "TFSETUP_TRUST"
_VERBS = {"program": "start", "address": "ask", "environment": "start"}


class Trust:
    """What this person agrees to in one run.

    ``given`` agrees in advance. ``show`` prints a line for a person; ``ask`` returns where the person agrees and raises ``ConsentError`` where not
    (None where nobody can be asked). With ``programs`` false, programs are not asked about, for commands that start none.
    """

    def __init__(
        self,
        *,
        given: bool = False,
        show: Callable[[str], None] = lambda _line: None,
        ask: Callable[[str], None] | None = None,
        programs: bool = True,
    ) -> None:
        self.given = given
        self._show = show
        self._ask = ask
        self._programs = programs
        self._seen: set[Named] = set()

    def need(self, items: Iterable[Named]) -> None:
        """Show what is new of ``items``, and return where the person agrees to what is unusual of it.

        Raises ``ConsentError`` (code 15), which names the word that agrees, where nobody does.
        """
        new = [item for item in dict.fromkeys(items) if item not in self._seen]
        for item in new:
            self._show(_line(item))
        unusual = [item for item in new if item.unusual]
        if unusual and not self.given:
            self._agree(unusual)
        self._seen.update(new)

    def agreed(self, items: Iterable[Named]) -> None:
        """Count as agreed to what this person was asked about in other words."""
        self._seen.update(items)

    def covers(self, items: Iterable[Named]) -> bool:
        """True where nothing of ``items`` needs a word that was not given."""
        return self.given or all(not item.unusual or item in self._seen for item in items)

    def _agree(self, unusual: list[Named]) -> None:
        asked = self._ask if self._programs or all(item.kind != "program" for item in unusual) else None
        if asked is None:
            raise _refused(unusual)
        together = [item for item in unusual if not item.apart]
        if together:
            asked(f"{_verbs(together)} what only {_places(together)} names?")
        for item in unusual:
            if item.apart:
                asked(f"{item.what}: {item.unusual}. {_VERBS[item.kind].capitalize()} it?")


def _line(item: Named) -> str:
    return f"{item.where} names {item.what}" + (f": {item.unusual}" if item.unusual else "")


def _verbs(items: list[Named]) -> str:
    return " and ".join(dict.fromkeys(_VERBS[item.kind] for item in items)).capitalize()


def _places(items: list[Named]) -> str:
    return ", ".join(dict.fromkeys(item.where.split(":")[0] for item in items))


def _refused(unusual: list[Named]) -> ConsentError:
    first = unusual[0]
    what = "; ".join(f"{item.what} ({item.where})" for item in unusual)
    instead = "".join(f", or {text}" for text in dict.fromkeys(item.instead for item in unusual) if text)
    return ConsentError(
        f"only a file names {what}: {first.unusual}; nothing was started or asked",
        hint=f"look at it; to agree, run the same command again with {WORD} ({VARIABLE}=1){instead}. --yes does not cover it",
    )
