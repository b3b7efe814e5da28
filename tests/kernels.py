"""Kernels of a real Jupyter server, driven as JupyterLab drives them."""

import json
import uuid

import httpx
import websocket


class Kernel:
    """A kernel of the server, driven over its REST and its web socket."""

    def __init__(self, server):
        self.server = server
        self.http = httpx.Client(
            base_url=server.url, headers={"Authorization": f"token {server.token}"}, timeout=60
        )
        self.id = self.begin()
        self.error = ""
        self.connect()

    def begin(self):
        answer = self.http.post("/api/kernels", json={"name": "python3"})
        assert answer.status_code == 201, self.server.log()
        return answer.json()["id"]

    def connect(self):
        url = self.server.url.replace("http", "ws", 1)
        url += f"/api/kernels/{self.id}/channels?token={self.server.token}"
        self.socket = websocket.create_connection(url, timeout=60)

    def start(self, code):
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {},
                   "allow_stdin": False, "stop_on_error": False}  # fmt: skip
        header = {"msg_id": uuid.uuid4().hex, "msg_type": "execute_request", "username": "t",
                  "session": "t", "date": "", "version": "5.3"}  # fmt: skip
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content,
                   "channel": "shell", "buffers": []}  # fmt: skip
        self.socket.send(json.dumps(message))
        return header["msg_id"]

    def run(self, code):
        """Run a cell and return the text of its last value; what it raised is the ``error``."""
        asked, text, self.error = self.start(code), "", ""
        while True:
            answer = json.loads(self.socket.recv())
            if answer["parent_header"].get("msg_id") != asked:
                continue
            if answer["msg_type"] == "execute_result":
                text = answer["content"]["data"]["text/plain"].strip("'")
            if answer["msg_type"] == "error":
                self.error = answer["content"]["evalue"]
            if answer["msg_type"] == "stream" and "UsageError" in answer["content"]["text"]:
                self.error = answer["content"][
                    "text"
                ]  # IPython's own way to say what a magic takes
            if answer["msg_type"] == "status" and answer["content"]["execution_state"] == "idle":
                return text

    def ask(self, action):
        assert self.http.post(f"/api/kernels/{self.id}/{action}").status_code < 300

    def shut_down(self):
        assert self.http.delete(f"/api/kernels/{self.id}").status_code == 204

    def close(self):
        self.socket.close()
        self.http.delete(f"/api/kernels/{self.id}")
        self.http.close()


class Notebook(Kernel):
    """A notebook that is open in JupyterLab, with its kernel."""

    def __init__(self, server, path):
        self.path = path
        super().__init__(server)

    def begin(self):
        content = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        body = {"type": "notebook", "content": content}
        assert self.http.put(f"/api/contents/{self.path}", json=body).status_code < 300
        body = {
            "path": self.path,
            "name": self.path,
            "type": "notebook",
            "kernel": {"name": "python3"},
        }
        made = self.http.post("/api/sessions", json=body)
        assert made.status_code == 201, self.server.log()
        self.session = made.json()["id"]
        return made.json()["kernel"]["id"]

    def rename(self, path):
        """Give the notebook another name, as JupyterLab does."""
        assert self.http.patch(f"/api/contents/{self.path}", json={"path": path}).status_code == 200
        answer = self.http.patch(f"/api/sessions/{self.session}", json={"path": path})
        assert answer.status_code == 200
        self.path = path
