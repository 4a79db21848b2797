"""The options of a benchmark that is run by itself; ``--help`` prints its claim, anything unknown stops it."""

import argparse


def options(claim: str | None, *known: str) -> set[str]:
    """Those of the known flags that were given, without their dashes."""
    parser = argparse.ArgumentParser(description=claim, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in known:
        parser.add_argument(f"--{name}", action="store_true")
    return {name for name, given in vars(parser.parse_args()).items() if given}
