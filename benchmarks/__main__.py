"""All benchmarks of speed, one after the other, or those that are named.

    python -m benchmarks [training gated elman prediction memory start server ...]

Each runs in a process of its own; ``python -m benchmarks.growth --plot FILE`` and the
like have options of their own. What measures accuracy is run by its own name: defaults,
figure3, gated, solvers, planted; so are confounder, faithfulness and reading.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Any

from benchmarks import _harness as harness

MODULES = {
    "training": "training_step",
    "gated": "gated_step",
    "elman": "elman_step",
    "prediction": "prediction",
    "memory": "memory",
    "start": "start",
    "server": "server",
    "serving": "serving",
    "growth": "growth",
    "fit": "fit_time",
    "threads": "threads",
    "path": "path",
    "tokenizers": "tokenizers",
    "inspection": "inspection",
    "cuda": "cuda",
}
OF_THEIR_OWN = ("cuda",)
"""They know the number of rounds and none of the other options here."""


def is_there(module: str) -> bool:
    return importlib.util.find_spec(f"benchmarks.{module}") is not None


def arguments(name: str, options: Any) -> list[str]:
    """The options as a benchmark of this name takes them."""
    rounds = ["--rounds", str(options.rounds)] if options.rounds else []
    if name in OF_THEIR_OWN:
        return rounds
    flags = [f"--{flag}" for flag in ("quick", "cpu") if getattr(options, flag)]
    return ["--bare", "--threads", str(options.threads), *flags, *rounds]


def main() -> None:
    names = [name for name, module in MODULES.items() if is_there(module)]
    parser = harness.common_options(__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(names))
    options = parser.parse_intermixed_args()
    unknown = set(options.names) - set(names)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {names}")
    harness.set_threads(options.threads)
    if not options.bare:
        print(harness.describe_machine(), flush=True)
    failed = []
    for name in options.names or names:
        command = [sys.executable, "-m", f"benchmarks.{MODULES[name]}"]
        if subprocess.run([*command, *arguments(name, options)]).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
