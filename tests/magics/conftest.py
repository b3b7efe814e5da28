"""A real kernel beside a store that the tests read from their own process."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from jupyter_client import KernelManager

from mltrack_jupyter.services import Services
from mltrack_jupyter.store import open_store

ROOT = Path(__file__).parents[2]
VIEW = "application/vnd.mltrack.view+json"


@dataclass
class Reply:
    """What a cell answered."""

    status: str
    messages: list = field(default_factory=list)

    def of(self, *kinds: str) -> list:
        return [content for kind, content in self.messages if kind in kinds]

    @property
    def text(self) -> str:
        return "".join(content["text"] for content in self.of("stream"))

    @property
    def errors(self) -> list:
        return self.of("error")

    @property
    def cards(self) -> list:
        shown = self.of("display_data", "update_display_data")
        return [content for content in shown if VIEW in content["data"]]

    @property
    def run_id(self) -> str:
        return self.cards[-1]["data"][VIEW]["run_ids"][0]


class Kernel:
    """A kernel with the extension loaded."""

    def __init__(
        self, folder: Path, store: Path, env: dict | None = None, load: bool = True
    ) -> None:
        # Named as a Jupyter server names it.
        self.id = str(uuid.uuid4())
        self.manager = KernelManager(connection_file=str(folder / f"kernel-{self.id}.json"))
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        own = {
            "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            "MLTRACK_TRACKING_URI": str(store),
            "IPYTHONDIR": str(folder / ".ipython"),
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }
        hidden = ("MLFLOW_", "MLTRACK_", "JPY_")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(hidden)}
        self.manager.start_kernel(env={**kept, **own, **(env or {})}, cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)
        if load:
            assert self.run("%load_ext mltrack_jupyter").status == "ok"

    def start(self, code: str, **metadata) -> str:
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": True,
        }
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def wait(self, message_id: str, until: str = "") -> Reply:
        reply = Reply("")
        while True:
            message = self.client.get_iopub_msg(timeout=60)
            if message["parent_header"].get("msg_id") != message_id:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                break
            reply.messages.append((kind, content))
            if until and kind == "stream" and until in content["text"]:
                return reply
        while True:
            answer = self.client.get_shell_msg(timeout=60)
            if answer["parent_header"].get("msg_id") == message_id:
                reply.status = answer["content"]["status"]
                return reply

    def run(self, code: str, **metadata) -> Reply:
        return self.wait(self.start(code, **metadata))

    def value(self, expression: str) -> str:
        return self.run(f"print({expression})").text.strip()

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("store") / ".mltrack"


@pytest.fixture(scope="module")
def services(store) -> Iterator[Services]:
    opened = open_store(str(store))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def kernel(tmp_path_factory, store) -> Iterator[Kernel]:
    started = Kernel(tmp_path_factory.mktemp("work"), store)
    yield started
    started.close()


@pytest.fixture
def new_kernel(tmp_path, store):
    """Return a function that starts another kernel on the same store."""
    started: list[Kernel] = []

    def start(**more) -> Kernel:
        folder = more.pop("folder", tmp_path)
        folder.mkdir(exist_ok=True)
        started.append(Kernel(folder, more.pop("store", store), **more))
        return started[-1]

    yield start
    for item in started:
        item.close()


@pytest.fixture
def count(services):
    """Return a function that counts all runs."""

    def total() -> int:
        return len(services.runs.table(max_results=1000).run_ids)

    return total
