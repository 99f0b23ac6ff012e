"""`python -m tests.fuzz ADAPTER SECONDS [FOLDER]`: feed an adapter what a coverage-guided fuzzer invents from its captures.

What it learns is kept in FOLDER (build/fuzz/ADAPTER), so that a long run goes on where the last one ended; an input that breaks a
law is written beside it, and the exit code is not 0. Ends by itself.
"""

import signal
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["device_adapters"]):
    from device_adapters.registry import ADAPTERS
    from tests.fuzz.laws import try_one

from tests.support.adapter_frames import body_of, captures

INPUT_BYTES_MAX = 4_096
GRACE_S = 60  # libFuzzer ends by its own clock; this ends an input that hangs


def main(adapter: str, seconds: int, folder: Path) -> None:
    """Fuzz for so long; does not return, for libFuzzer ends the process."""
    signal.alarm(seconds + GRACE_S)
    folder.mkdir(parents=True, exist_ok=True)
    for name, payload in captures(adapter).items():
        (folder / name).write_bytes(body_of(payload))
    limits = [f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}", "-rss_limit_mb=512", "-timeout=10"]
    output = [f"-artifact_prefix={folder}-found-", "-print_final_stats=1", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *limits, *output, str(folder)], lambda data: try_one(adapter, data))
    atheris.Fuzz()


if __name__ == "__main__":
    match sys.argv[1:]:
        case [str(adapter), str(seconds), *folders] if adapter in ADAPTERS and seconds.isdigit() and len(folders) <= 1:
            main(adapter, int(seconds), Path(folders[0] if folders else f"build/fuzz/{adapter}"))
        case _:
            sys.exit(f"python -m tests.fuzz ADAPTER SECONDS [FOLDER]; adapters: {', '.join(sorted(ADAPTERS))}")
