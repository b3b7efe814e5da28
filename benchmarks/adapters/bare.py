"""The limit of a server: Tornado and SQLite, with no rules, no login and no entities between them."""

import asyncio
import json
import sqlite3
import sys

import tornado.web

from benchmarks.adapters.common import serve


class Handler(tornado.web.RequestHandler):
    """Answers the few requests of the load in the event loop itself."""

    def post(self, name: str) -> None:
        request = json.loads(self.request.body)
        database = self.settings["database"]
        if name == "experiments/create":
            self.finish({"experiment_id": "1"})
        elif name == "experiments/search":
            self.finish({})
        elif name == "runs/create":
            with database:
                number = database.execute("INSERT INTO runs (answer) VALUES ('')").lastrowid
                answer = json.dumps({"info": {"run_id": str(number)}})
                database.execute("UPDATE runs SET answer = ? WHERE id = ?", (answer, number))
            self.finish({"run": json.loads(answer)})
        elif name == "runs/search":
            rows = database.execute("SELECT answer FROM runs ORDER BY id LIMIT 100")
            self.finish('{"runs": [' + ", ".join(row[0] for row in rows) + "]}")
        else:
            self._log(request, database)

    def _log(self, request, database) -> None:
        run = int(request["run_id"])
        points = [
            (run, item["key"], item.get("step", 0), item["timestamp"], item["value"])
            for item in request.get("metrics", [request])
        ]
        with database:
            database.executemany("INSERT OR IGNORE INTO metrics VALUES (?, ?, ?, ?, ?)", points)
            if "params" in request:
                answer = json.dumps({"info": {"run_id": str(run)}, "data": request})
                database.execute("UPDATE runs SET answer = ? WHERE id = ?", (answer, run))
        self.finish({})


async def listen(port: int) -> None:
    database = sqlite3.connect("bare.db")
    database.executescript(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "CREATE TABLE runs (id INTEGER PRIMARY KEY, answer TEXT);"
        "CREATE TABLE metrics (run, key, step, timestamp, value, "
        "PRIMARY KEY (run, key, step, timestamp, value)) WITHOUT ROWID"
    )
    rules = [(r"/api/2.0/mlflow/(.*)", Handler)]
    tornado.web.Application(rules, database=database).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


def server(port):
    return [sys.executable, "-m", "benchmarks.adapters.bare", "listen", str(port)]


if __name__ == "__main__":
    if sys.argv[1] == "listen":
        asyncio.run(listen(int(sys.argv[2])))
    else:
        print(json.dumps(serve(server, int(sys.argv[2]))))
