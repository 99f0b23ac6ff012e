"""A real Chromium without JavaScript, held by its debugging pipe: opens pages, reads them, presses what a finger would press."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.process import binary, stop

PATIENCE_S = 60.0
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}

# Chromium reads commands on descriptor 3 and writes to 4: put our pipe there, then become it.
_BECOME = (
    "import fcntl, os, sys; a, b = (fcntl.fcntl(int(fd), fcntl.F_DUPFD, 10) for fd in sys.argv[1:3]); "
    "os.dup2(a, 3); os.dup2(b, 4); os.execv(sys.argv[3], sys.argv[3:])"
)


@dataclass(slots=True)
class Browser:
    """One tab. Each method returns when the browser has done it, and fails after a minute."""

    reads: int
    writes: int
    session: str = ""
    _number: int = 0
    _held: bytes = b""
    _events: list[str] = field(default_factory=list)

    def begin(self) -> None:
        """Open a tab the size of a phone, without JavaScript."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("DOM.enable")
        self.ask("Emulation.setScriptExecutionDisabled", value=True)
        self.ask("Emulation.setDeviceMetricsOverride", **PHONE)

    def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        self._events.clear()
        self.ask("Page.navigate", url=url)
        self._wait_for("Page.loadEventFired")

    def press(self, selector: str) -> None:
        """Touch the middle of the element, and wait for the page that this leads to."""
        node = self._node(selector)
        self.ask("DOM.scrollIntoViewIfNeeded", nodeId=node)
        quad = self.ask("DOM.getBoxModel", nodeId=node)["model"]["content"]
        at = {"x": (quad[0] + quad[4]) / 2, "y": (quad[1] + quad[5]) / 2, "button": "left", "clickCount": 1}
        self._events.clear()
        self.ask("Input.dispatchMouseEvent", type="mousePressed", **at)
        self.ask("Input.dispatchMouseEvent", type="mouseReleased", **at)
        self._wait_for("Page.loadEventFired")

    def html(self) -> str:
        """The page as it stands."""
        return str(self.ask("DOM.getOuterHTML", nodeId=self._node("html"))["outerHTML"])

    def address(self) -> str:
        """Where we are."""
        entries = self.ask("Page.getNavigationHistory")
        return str(entries["entries"][entries["currentIndex"]]["url"])

    def has(self, selector: str) -> bool:
        """Whether there is such an element."""
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        return bool(self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"])

    def ask(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        """One command and its result."""
        self._number += 1
        command: dict[str, Any] = {"id": self._number, "method": method, "params": arguments}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.writes, json.dumps(command).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._number:
                assert "error" not in told, f"{method}: {told['error']}"
                return dict(told["result"])
            self._events.append(str(told.get("method")))

    def _node(self, selector: str) -> int:
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = int(self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"])
        assert node, f"no {selector!r} on the page:\n{self.ask('DOM.getOuterHTML', nodeId=root)['outerHTML']}"
        return node

    def _wait_for(self, event: str) -> None:
        while event not in self._events:
            self._events.append(str(self._next().get("method")))

    def _next(self) -> Mapping[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while b"\0" not in self._held:
            ready, _, _ = select.select([self.reads], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser says nothing"
            part = os.read(self.reads, 1 << 16)
            assert part, "the browser has ended"
            self._held += part
        told, _, self._held = self._held.partition(b"\0")
        return dict(json.loads(told))


@contextlib.contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Run one for the length of a with-block, with its profile in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    its_reads, our_writes = os.pipe()
    our_reads, its_writes = os.pipe()
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command = [sys.executable, "-c", _BECOME, str(its_reads), str(its_writes), binary("chromium"), *options]
    command += ["--remote-debugging-pipe", f"--user-data-dir={folder}", "about:blank"]
    with (folder / "chromium.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(its_reads, its_writes),
            env={**os.environ, "HOME": str(folder)},
        )
    os.close(its_reads)
    os.close(its_writes)
    try:
        made = Browser(our_reads, our_writes)
        made.begin()
        yield made
    finally:
        os.close(our_writes)
        stop(process)
        os.close(our_reads)
