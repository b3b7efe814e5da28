"""The links that MLflow's clients print, ``…/#/experiments/1/runs/<run id>``, and the page of a run without Lab.

What stands behind ``#`` never leaves the browser, which keeps it across a redirect: in JupyterLab the
extension reads it there and opens the run. Elsewhere a page with one script, which nothing but its own
digest allows, goes to the run's page, which has none.
"""

from __future__ import annotations

import base64
import hashlib
import html
import time
from collections.abc import Iterable

import tornado
from jupyter_server.utils import url_path_join

from mltrack_jupyter.entities import Run
from mltrack_jupyter.errors import MltrackError
from mltrack_jupyter.server.holder import ServicesHolder
from mltrack_jupyter.server.lanes import Lanes
from mltrack_jupyter.server.pages import PageHandler
from mltrack_jupyter.shown import neutral, shown

_HTML = "text/html; charset=utf-8"
_SCRIPT = """
const follow = () => {
  const run = /^#\\/experiments\\/[^/]+\\/runs\\/(\\w+)/.exec(location.hash);
  if (run) location.replace(location.pathname.replace(/\\/?$/, '/runs/') + run[1]);
};
addEventListener('hashchange', follow);
follow();
"""
_DIGEST = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_DIGEST}'; frame-ancestors 'self'"
"""The Content-Security-Policy of the page with the script."""
_PAGE = """<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px sans-serif; margin: 3em; max-width: 60em }}
th {{ text-align: left; padding-right: 2em; font-weight: normal; vertical-align: top }}
td {{ white-space: pre-wrap; overflow-wrap: anywhere }}
</style>
<h1>{title}</h1>
"""
_HOME = """<p>This server keeps runs and models for MLflow's clients and for mltrack. Its screens are in JupyterLab; the
link to a run that a client prints leads to a page of that run.</p>
<pre>export MLFLOW_TRACKING_URI={address}
export MLFLOW_TRACKING_TOKEN=…</pre>
<p><a href="{address}/docs">Its operations</a>, and the same <a href="{address}/openapi.json">for programs</a>.</p>
"""


def home_page(address: str) -> str:
    """Return the page of a server without Lab: what it is, and the script that follows links."""
    head = _PAGE.format(title="mltrack server")
    body = _HOME.format(address=html.escape(address.rstrip("/")))
    return f"{head}{body}<script>{_SCRIPT}</script>\n"


class _BrowserHandler(PageHandler):
    """A page for people: whoever is not known is asked who they are."""

    action = "read"

    def get_login_url(self) -> str:
        """Lead to the login, where an operation answers 403."""
        return str(tornado.web.RequestHandler.get_login_url(self))


class LinksHandler(_BrowserHandler):
    """Leads to JupyterLab, where there is one; the browser brings what stands behind ``#``."""

    @property
    def content_security_policy(self) -> str:
        """Allow the page its script, and nothing else."""
        return POLICY

    async def _answer(self, **params: str) -> None:
        apps = self.serverapp.extension_manager.extension_apps.get("jupyterlab", ())
        lab = next(iter(apps), None)
        if lab is None:
            await super()._answer(**params)
            return
        self.redirect(url_path_join(self.base_url, lab.app_url))

    async def _page(self) -> tuple[str, str]:
        request = self.request
        return _HTML, home_page(f"{request.protocol}://{request.host}{request.path}")


class RunPageHandler(_BrowserHandler):
    """Shows a run where there is no JupyterLab."""

    @property
    def content_security_policy(self) -> str:
        """Allow the page its own style, and nothing else."""
        return "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"

    async def _page(self) -> tuple[str, str]:
        lanes: Lanes = self.settings["mltrack_lanes"]
        holder: ServicesHolder = self.settings["mltrack_holder"]
        try:
            run = await lanes.of("reads").run(
                lambda: holder.get().runs.get(self.path_kwargs["run_id"])
            )
        except MltrackError as error:
            self.set_status(error.status)
            return _HTML, f"{_PAGE.format(title='mltrack')}<p>{html.escape(shown(error))}</p>\n"
        return _HTML, run_page(run)


def run_page(run: Run) -> str:
    """Return the page of a run, without scripts: everything in it is somebody's text."""
    info, data = run.info, run.data
    about = [
        ("run", info.run_id),
        ("experiment", info.experiment_id),
        ("status", info.status.value),
        ("user", info.user_id),
        ("started", _when(info.start_time)),
        ("ended", _when(info.end_time)),
        ("artifacts", info.artifact_uri),
    ]
    parts = [_PAGE.format(title=_safe(info.run_name or info.run_id)), _table(about)]
    for title, pairs in (
        ("Params", sorted(data.params.items())),
        ("Metrics", [(key, f"{value:.6g}") for key, value in sorted(data.metrics.items())]),
        ("Tags", sorted(data.tags.items())),
    ):
        parts += [f"<h2>{title}</h2>\n", _table(pairs)] if pairs else []
    return "".join(parts)


def _table(pairs: Iterable[tuple[str, str]]) -> str:
    rows = [f"<tr><th>{_safe(name)}<td>{_safe(text)}\n" for name, text in pairs if text]
    return f"<table>\n{''.join(rows)}</table>\n"


def _safe(text: str) -> str:
    return html.escape(neutral(text))


def _when(milliseconds: int | None) -> str:
    if not milliseconds:
        return ""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(milliseconds / 1000))
    except (OverflowError, ValueError, OSError):
        return ""
