"""python -m engine cache list | clear: look at the compiled programs of this user, or remove them."""

import argparse
import sys
import time

from . import cache
from .errors import EngineError


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m engine", description="The cache of compiled programs.")
    commands = parser.add_subparsers(dest="command", required=True)
    verbs = commands.add_parser("cache", help="the compiled programs").add_subparsers(
        dest="verb", required=True
    )
    verbs.add_parser("list", help="list them with size and time of last use")
    verbs.add_parser("clear", help="remove them, with precompiled headers and symbolic results")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.verb == "clear":
            print(f"{cache.clear()} programs removed from {cache.root()}")
        else:
            found = cache.entries()
            for entry in found:
                used = (
                    time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.used))
                    if entry.used
                    else "incomplete"
                )
                print(f"{entry.key[:12]}  {entry.size / 1e6:8.2f} MB  {used}")
            total = sum(entry.size for entry in found)
            print(
                f"{len(found)} programs, {total / 1e6:.1f} MB of {cache.size_limit() / 1e6:.0f} MB, in "
                f"{cache.root()}"
            )
    except EngineError as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
