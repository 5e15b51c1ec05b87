"""Lists the rules of plasticity and shows their cards: `python -m plasticity [NAME]`."""

import argparse
import inspect
import sys

from circuits.errors import nearest

from .catalogue import card, rules


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m plasticity", description=__doc__)
    parser.add_argument("name", nargs="?", help="a rule, such as stdp.pair")
    chosen = parser.parse_args(arguments)
    found = rules()
    if chosen.name is None:
        width = max(map(len, found))
        for name, function in found.items():
            print(f"{name:<{width}}  {inspect.getdoc(function).splitlines()[0]}")
    elif chosen.name in found:
        print(card(chosen.name, found[chosen.name]))
    else:
        print(f"There is no rule {chosen.name!r}.{nearest(chosen.name, found)} See python -m plasticity.")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
