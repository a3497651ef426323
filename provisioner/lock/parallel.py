"""Resolvers side by side, ended together: an interrupt does not wait for the slowest."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from provisioner.errors import InterruptedRunError

T = TypeVar("T")

# Called several times a second while a program runs (``Host.run``); what it raises ends the program.
Watch = Callable[[int], None]


def side_by_side(tasks: Sequence[Callable[[Watch], T]], at_a_time: int) -> list[Future[T]]:
    """Run all tasks, each with a watch to hand to the programs it starts, and return them done, in order.

    Where this thread is interrupted meanwhile, the programs are ended, and the interrupt goes on.
    """
    stop = Event()

    def watch(_written: int) -> None:
        if stop.is_set():
            raise InterruptedRunError("interrupted")

    with ThreadPoolExecutor(max(1, at_a_time)) as pool:
        futures = [pool.submit(task, watch) for task in tasks]
        try:
            for future in futures:
                future.exception()
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return futures
