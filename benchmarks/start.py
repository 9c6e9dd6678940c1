"""How long `import probekit` takes beyond torch, and whether `probekit --help` imports torch.

python benchmarks/start.py [--rounds 9]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

LIMIT_SECONDS = 0.3
NO_TORCH = """
import contextlib, io, sys
from probekit.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(["--help"])
print("torch" in sys.modules)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    codes = {
        "python": "pass",
        "import torch": "import torch",
        "… and the recorder": "import torch, probekit; probekit.record",
        "probekit --help": "from probekit.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass",
    }
    times = {name: [seconds(code) for code in [code] * rounds] for name, code in codes.items()}
    middle = {name: statistics.median(taken) for name, taken in times.items()}
    beyond = statistics.median(import_beyond_torch() for _ in range(rounds))
    print("| what | seconds | limit |\n|---|---|---|")
    for name, taken in middle.items():
        print(f"| {name} | {taken:.2f} | |")
    print(f"| import probekit beyond torch | {beyond:.3f} | {LIMIT_SECONDS} |")
    done = subprocess.run([sys.executable, "-c", NO_TORCH], capture_output=True, text=True, check=True)
    print(f"| probekit --help imports torch | {done.stdout.split()[-1]} | False |")


def import_beyond_torch() -> float:
    code = "import time, torch; start = time.perf_counter(); import probekit; print(time.perf_counter() - start)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
