"""Makes dashboard.schema.json.gz anew from the types in Grafana's npm package. Needs node and npm; the tests need neither."""

import gzip
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MADE = HERE / "dashboard.schema.json.gz"


def without_descriptions(what: object) -> object:
    """Shapes only: Grafana's words about them are left where they are. A property that is called `description` stays."""
    if isinstance(what, dict):
        return {
            key: without_descriptions(value) for key, value in what.items() if key != "description" or isinstance(value, dict)
        }
    return [without_descriptions(value) for value in what] if isinstance(what, list) else what


def main() -> int:
    """0 when the file was written; 1, in one line, when it cannot be made here."""
    if shutil.which("npm") is None:
        print("grafana schema: npm is not installed; the committed file serves until somebody has it", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for name in ("package.json", "dashboard.ts", "tsconfig.json"):
            shutil.copy(HERE / name, folder)
        run = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(run, cwd=folder, check=True)
        generate = ["npx", "--no-install", "ts-json-schema-generator", "--path", "dashboard.ts", "--type", "D"]
        generate += ["--tsconfig", "tsconfig.json", "--no-type-check", "--expose", "none", "--out", "made.json"]
        subprocess.run(generate, cwd=folder, check=True)
        schema = without_descriptions(json.loads(Path(folder, "made.json").read_text()))
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    MADE.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{MADE.relative_to(HERE.parent.parent)}: {MADE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
