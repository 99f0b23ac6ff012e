"""`python -m tests.support.supported_pumps`: write docs/supported-pumps.md anew."""

from pathlib import Path

from device_adapters.quality import shipped_laws, shipped_quality, supported_pumps

PAGE = Path(__file__).parents[2] / "docs" / "supported-pumps.md"

if __name__ == "__main__":
    PAGE.write_text(supported_pumps(shipped_laws(), shipped_quality()), encoding="utf-8")
