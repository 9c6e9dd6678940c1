"""Time `probekit reproduce khaligh-razavi2014` as a user runs it: three networks, every layer, all tests, the page.

Run: python benchmarks/reproduce.py [--model NAME]
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STUDY = "khaligh-razavi2014"
LIMIT_S = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="efficientnet-lite0")
    model = parser.parse_args().model
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "probekit", "reproduce", STUDY, "--model", model, "--out", folder, "--json"]
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
        page = Path(json.loads(done.stdout)["report"]).stat().st_size
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"| {STUDY}, {model} and its two untrained twins | measured | limit |\n|---|---|---|")
    print(f"| seconds | {seconds:.1f} | {LIMIT_S:.0f} |")
    print(f"| seconds of processor time | {used.ru_utime + used.ru_stime:.1f} | |")
    print(f"| peak memory, GB | {used.ru_maxrss / 1e6:.2f} | |")
    print(f"| page, MB | {page / 1e6:.2f} | |")


if __name__ == "__main__":
    main()
