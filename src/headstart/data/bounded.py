"""Threads that run ahead of their consumer, but not far: memory stays flat."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def bounded_map(
    function: Callable[[Item], Result], items: Iterable[Item], *, threads: int, ahead: int
) -> Generator[Result, None, None]:
    """Applies a function in threads and yields the results in order.

    `ThreadPoolExecutor.map` would take all items at once and pile up their results.

    Args:
        function: what to do with an item; Pillow and hashing leave the other threads running.
        items: taken only as fast as the results are.
        threads: how many work at once.
        ahead: at most so many results wait.

    Yields:
        The results, in the order of the items.

    Example:
        >>> list(bounded_map(abs, [-2, 1], threads=2, ahead=4))
        [2, 1]
    """
    pending: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as executor:
        try:
            for item in items:
                pending.append(executor.submit(function, item))
                if len(pending) > ahead:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
