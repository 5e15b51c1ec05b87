"""A worker process of the local cluster: `python -m experiments.sweeps.worker`.

It reads the scheduler's address from its standard input, serves on the loopback interface, and ends when that
input closes: nothing is left behind when the process that started it is killed.
"""

import asyncio
import os
import sys
import threading


async def serve(address, folder):
    from distributed import Worker

    worker = Worker(
        address,
        nthreads=1,
        memory_limit=0,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        local_directory=folder,
    )
    async with worker:
        await worker.finished()


def main():
    import distributed  # noqa: F401  while the address is on its way

    address, folder = sys.stdin.readline().strip(), sys.stdin.readline().strip()
    if address:
        threading.Thread(target=_end_with_input, daemon=True).start()
        asyncio.run(serve(address, folder))


def _end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
