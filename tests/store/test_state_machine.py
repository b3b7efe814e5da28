"""Random histories of a store, next to a dictionary that has had the same done to it."""

import math
import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from mltrack_jupyter.entities import ViewType
from mltrack_jupyter.errors import AlreadyExists, InvalidParameter, NotFound
from mltrack_jupyter.store import open_store

SOAK = bool(os.environ.get("SOAK"))
KEYS = st.sampled_from(["a", "b", "c/d", "é 1"])
TEXTS = st.one_of(st.sampled_from(["", "x", "it's", "%"]), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)).filter(
    lambda text: "\x00" not in text
)  # fmt: skip
FLOATS = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, math.nan, math.inf]))
POINTS = st.tuples(
    st.integers(-3, 3),
    st.integers(0, 3),
    FLOATS.map(lambda value: math.nan if value != value else value),
)
STAGES = st.sampled_from(["None", "Staging", "Production", "Archived"])


def order(point):
    """Return how points sort: by step, time and value; NaN, whose bits are the greatest, last."""
    step, time, value = point
    return step, time, math.isnan(value), 0 if math.isnan(value) else value, math.copysign(1, value)


class Histories(RuleBasedStateMachine):
    """Experiments, runs and models of a store, and of dictionaries."""

    experiments, runs, models = Bundle("experiments"), Bundle("runs"), Bundle("models")
    versions = Bundle("versions")

    @initialize()
    def begin(self):
        self.store = open_store("sqlite:///:memory:")
        self.groups, self.made, self.names, self.count = {}, {}, {}, 0

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()

    def fresh(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"

    # --- experiments and runs -------------------------------------------------------------------

    @rule(target=experiments)
    def create_experiment(self):
        name = self.fresh("experiment")
        number = self.store.experiments.create(name)
        self.groups[number] = {"name": name, "stage": "active", "tags": {}}
        return number

    @rule(number=experiments, other=experiments)
    def rename_onto(self, number, other):
        if number != other and self.groups[number]["stage"] == "active":
            with pytest.raises(Exception, match="already exists"):
                self.store.experiments.update(number, self.groups[other]["name"])

    @rule(number=experiments)
    def delete_or_restore_experiment(self, number):
        group = self.groups[number]
        active = group["stage"] == "active"
        (self.store.experiments.delete if active else self.store.experiments.restore)(number)
        with pytest.raises(NotFound):
            (self.store.experiments.delete if active else self.store.experiments.restore)(number)
        group["stage"] = "deleted" if active else "active"
        for run in self.made.values():
            if run["experiment"] == number:
                run["stage"] = group["stage"]

    @rule(number=experiments, key=KEYS, value=TEXTS)
    def tag_experiment(self, number, key, value):
        group = self.groups[number]
        if group["stage"] == "active":
            self.store.experiments.set_tag(number, key, value)
            group["tags"][key] = value
        else:
            with pytest.raises(InvalidParameter):
                self.store.experiments.set_tag(number, key, value)

    @rule(target=runs, number=experiments)
    def create_run(self, number):
        if self.groups[number]["stage"] != "active":
            with pytest.raises(InvalidParameter):
                self.store.runs.create(number)
            return None
        run_id = self.store.runs.create(number, run_name="r", start_time=1).info.run_id
        fresh = {
            "experiment": number,
            "stage": "active",
            "params": {},
            "tags": {"mlflow.runName": "r"},
            "points": {},
        }
        self.made[run_id] = fresh
        return run_id

    def write(self, run_id, call):
        """Do a write; return whether the run may be written to."""
        if run_id is None:
            return False
        if self.made[run_id]["stage"] == "active":
            call()
            return True
        with pytest.raises(InvalidParameter):
            call()
        return False

    @rule(run_id=runs, key=KEYS, point=POINTS)
    def log_metric(self, run_id, key, point):
        step, time, value = point
        if self.write(run_id, lambda: self.store.runs.log_metric(run_id, key, value, time, step)):
            points = self.made[run_id]["points"].setdefault(key, {})
            points[order(point)] = point

    @rule(run_id=runs, key=KEYS, value=TEXTS)
    def log_param(self, run_id, key, value):
        params = self.made[run_id]["params"] if run_id else {}
        if run_id and self.made[run_id]["stage"] == "active" and params.get(key, value) != value:
            with pytest.raises(InvalidParameter):
                self.store.runs.log_param(run_id, key, value)
        elif self.write(run_id, lambda: self.store.runs.log_param(run_id, key, value)):
            params[key] = value

    @rule(run_id=runs, key=KEYS, value=TEXTS)
    def set_tag(self, run_id, key, value):
        if self.write(run_id, lambda: self.store.runs.set_tag(run_id, key, value)):
            self.made[run_id]["tags"][key] = value

    @rule(run_id=runs, key=KEYS)
    def delete_tag(self, run_id, key):
        if (
            run_id
            and self.made[run_id]["stage"] == "active"
            and key not in self.made[run_id]["tags"]
        ):
            with pytest.raises(NotFound):
                self.store.runs.delete_tag(run_id, key)
        elif self.write(run_id, lambda: self.store.runs.delete_tag(run_id, key)):
            del self.made[run_id]["tags"][key]

    @rule(run_id=runs, delete=st.booleans())
    def delete_or_restore_run(self, run_id, delete):
        if run_id:
            (self.store.runs.delete if delete else self.store.runs.restore)(run_id)
            self.made[run_id]["stage"] = "deleted" if delete else "active"

    @rule(view=st.sampled_from(ViewType), size=st.integers(1, 3), key=KEYS, text=TEXTS)
    def search(self, view, size, key, text):
        quoted = text if "'" not in text else ""
        found, token = [], ""
        while True:
            page = self.store.runs.search(
                list(self.groups), f"tags.`{key}` = '{quoted}'", view, size, page_token=token
            )
            found += [run.info.run_id for run in page]
            token = page.next_page_token
            if not token:
                break
        stages = {"ACTIVE_ONLY": ["active"], "DELETED_ONLY": ["deleted"]}.get(
            view.value, ["active", "deleted"]
        )
        wanted = [
            run_id
            for run_id, run in self.made.items()
            if run["stage"] in stages and run["tags"].get(key) == quoted
        ]
        assert sorted(found) == sorted(wanted)

    # --- models ---------------------------------------------------------------------------------

    @rule(target=models)
    def create_model(self):
        name = self.fresh("model")
        self.store.registered_models.create(name)
        with pytest.raises(AlreadyExists):
            self.store.registered_models.create(name)
        self.names[name] = {"last": 0, "versions": {}, "aliases": {}}
        return name

    @rule(target=versions, name=models)
    def register(self, name):
        model = self.names[name]
        made = self.store.model_versions.create(name, "s3://bucket/model")
        model["last"] += 1
        assert made.version == str(model["last"])
        model["versions"][made.version] = {"stage": "None", "tags": {}}
        return name, made.version

    @rule(version=versions, stage=STAGES, archive=st.booleans())
    def promote(self, version, stage, archive):
        name, number = version
        if not self.there(version):
            return
        serving = stage in ("Staging", "Production")
        if archive and not serving:
            with pytest.raises(InvalidParameter, match="archive_existing_versions"):
                self.store.model_versions.transition_stage(name, number, stage.lower(), archive)
            return
        self.store.model_versions.transition_stage(name, number, stage.lower(), archive)
        for other, item in self.names[name]["versions"].items():
            if archive and other != number and item["stage"] == stage:
                item["stage"] = "Archived"
        self.names[name]["versions"][number]["stage"] = stage

    @rule(version=versions, alias=st.sampled_from(["champion", "é", "x-1"]))
    def point(self, version, alias):
        if self.there(version):
            self.store.registered_models.set_alias(version[0], alias, version[1])
            self.names[version[0]]["aliases"][alias] = version[1]

    @rule(version=versions, key=KEYS, value=TEXTS)
    def tag_version(self, version, key, value):
        if self.there(version):
            self.store.model_versions.set_tag(*version, key, value)
            self.names[version[0]]["versions"][version[1]]["tags"][key] = value

    @rule(version=consumes(versions))
    def delete_version(self, version):
        if self.there(version):
            self.store.model_versions.delete(*version)
            model = self.names[version[0]]
            del model["versions"][version[1]]
            model["aliases"] = {
                alias: at for alias, at in model["aliases"].items() if at != version[1]
            }

    def there(self, version):
        return version[1] in self.names[version[0]]["versions"]

    # --- the two are the same -------------------------------------------------------------------

    @invariant()
    def the_same(self):
        for number, group in self.groups.items():
            found = self.store.experiments.get(number)
            assert (found.name, found.lifecycle_stage, found.tags) == (
                group["name"],
                group["stage"],
                group["tags"],
            )
        for run_id, run in self.made.items():
            found = self.store.runs.get(run_id)
            assert (found.info.lifecycle_stage, found.data.params, found.data.tags) == (
                run["stage"],
                run["params"],
                run["tags"],
            )
            latest = {key: points[max(points)] for key, points in run["points"].items()}
            assert repr(
                {m.key: (m.step, m.timestamp, m.value) for m in found.data.metric_list}
            ) == repr(dict(sorted(latest.items())))
        for name, model in self.names.items():
            found = self.store.registered_models.get(name)
            assert found.aliases == model["aliases"]
            for number, item in model["versions"].items():
                version = self.store.model_versions.get(name, number)
                assert (version.current_stage, version.tags) == (item["stage"], item["tags"])


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=1500 if SOAK else 20,
    stateful_step_count=50 if SOAK else 30,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
