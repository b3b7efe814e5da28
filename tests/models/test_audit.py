"""Nothing of a pickle is run before the reader has a reason to trust it."""

import pickle
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from mltrack_jupyter.errors import InvalidParameter, NotFound, PermissionDenied
from mltrack_jupyter.models import (
    ModelFolder,
    Origin,
    load_model,
    read_metadata,
    save_model,
    skops_file,
)
from mltrack_jupyter.models.audit import TrustPolicy, digest
from mltrack_jupyter.models.pyfunc import load_model as load_generic
from mltrack_jupyter.privacy.key import key_place
from mltrack_jupyter.privacy.seals import Subject, seal_files


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (open, (self.path, "w"))


@pytest.fixture
def canary(tmp_path):
    return tmp_path / "CANARY"


@pytest.fixture
def malicious(tmp_path, canary):
    """A folder like one of ours, whose pickle runs code; it claims its own digest."""
    folder = tmp_path / "malicious"
    folder.mkdir()
    data = pickle.dumps(Canary(canary))
    (folder / "model.pkl").write_bytes(data)
    content = {
        "flavors": {
            "sklearn": {"pickled_model": "model.pkl", "serialization_format": "pickle"},
            "python_function": {"loader_module": "mlflow.sklearn", "model_path": "model.pkl"},
        },
        "metadata": {"mltrack": {"sha256": {"model.pkl": digest(data)}, "trust": True}},
    }
    (folder / "MLmodel").write_text(yaml.safe_dump(content))
    return folder


@pytest.mark.parametrize("load", [load_model, load_generic])
@pytest.mark.parametrize("trust", [None, False, ["builtins.open"]])
def test_a_stranger_s_pickle_is_not_run(malicious, canary, load, trust):
    with pytest.raises(PermissionDenied):
        load(malicious, trust=trust)
    assert not canary.exists()


def test_the_refusal_names_the_file_the_reason_and_the_ways_out(malicious):
    with pytest.raises(PermissionDenied) as refused:
        load_model(malicious)
    text = str(refused.value)
    sha256 = digest((malicious / "model.pkl").read_bytes())
    for part in (
        "model.pkl",
        "not logged to your own store",
        "trust=True",
        f"MLTRACK_TRUST=sha256:{sha256}",
    ):
        assert part in text


@pytest.mark.parametrize("fmt", ["pickle", "cloudpickle", None])
def test_neither_format_nor_flavor_is_a_way_around(malicious, canary, fmt):
    content = yaml.safe_load((malicious / "MLmodel").read_text())
    content["flavors"]["sklearn"]["serialization_format"] = fmt
    (malicious / "MLmodel").write_text(yaml.safe_dump(content))
    with pytest.raises(PermissionDenied):
        load_model(malicious)
    del content["flavors"]["sklearn"]
    (malicious / "MLmodel").write_text(yaml.safe_dump(content))
    with pytest.raises(PermissionDenied):
        load_generic(malicious)
    assert not canary.exists()


def test_the_loader_that_a_folder_names_is_never_imported(malicious, canary, tmp_path, monkeypatch):
    (tmp_path / "evil_loader.py").write_text(f"open({str(canary)!r}, 'w')")
    monkeypatch.syspath_prepend(tmp_path)
    generic = {"loader_module": "evil_loader", "model_path": "model.pkl", "code": "."}
    (malicious / "MLmodel").write_text(yaml.safe_dump({"flavors": {"python_function": generic}}))
    with pytest.raises(InvalidParameter, match="evil_loader"):
        load_generic(malicious, trust=True)
    assert not canary.exists()


def test_trust_true_runs_it(malicious, canary):
    load_model(malicious, trust=True).close()
    assert canary.exists()


def test_what_this_process_wrote_it_may_read(saved, tree, restart):
    assert load_model(saved).get_params() == tree.get_params()
    restart()
    with pytest.raises(PermissionDenied):
        load_model(saved)


class TestTheReadersSeal:
    subject = Subject("run", "m-1", "model")

    @pytest.fixture
    def sealed(self, saved):
        """A folder whose pickle is sealed as that of a model."""
        about = read_metadata(ModelFolder.open(saved))
        seals = seal_files(self.subject, about.ours["sha256"])
        (saved / "MLmodel").write_text(about.with_ours(seals=seals).to_yaml())
        return saved

    def test_is_a_reason(self, sealed, restart):
        restart()
        assert load_model(sealed, origin=Origin(subject=self.subject))
        with pytest.raises(PermissionDenied, match="trust=False"):
            load_model(sealed, origin=Origin(subject=self.subject), trust=False)

    def test_is_one_only_where_a_store_says_which_model_it_is(self, sealed, restart):
        restart()
        with pytest.raises(PermissionDenied, match="not logged to your own store"):
            load_model(sealed)

    @pytest.mark.parametrize(
        "subject",
        [
            Subject("other", "m-1", "model"),
            Subject("run", "m-2", "model"),
            Subject("run", "m-1", "b"),
        ],
    )
    def test_is_none_for_another_model(self, sealed, restart, subject):
        restart()
        with pytest.raises(PermissionDenied, match="not signed by your key as this model"):
            load_model(sealed, origin=Origin(subject=subject))

    def test_is_none_for_other_bytes(self, sealed, canary, restart):
        (sealed / "model.pkl").write_bytes(pickle.dumps(Canary(canary)))
        restart()
        with pytest.raises(PermissionDenied, match="not signed by your key as this model"):
            load_model(sealed, origin=Origin(subject=self.subject))
        assert not canary.exists()

    def test_is_none_under_another_name(self, sealed, restart):
        (sealed / "model.pkl").rename(sealed / "other.pkl")
        text = (sealed / "MLmodel").read_text().replace("model.pkl", "other.pkl")
        (sealed / "MLmodel").write_text(text)
        restart()
        with pytest.raises(PermissionDenied, match="not signed by your key"):
            load_model(sealed, origin=Origin(subject=Subject("run", "m-2", "model")))
        # The name is signed too: the seal that the text now gives to other.pkl is that of model.pkl.
        with pytest.raises(PermissionDenied, match="not signed by your key"):
            load_model(sealed, origin=Origin(subject=self.subject))

    def test_is_none_once_others_may_read_the_key(self, sealed, restart):
        key_place().chmod(0o644)
        restart()
        with pytest.raises(PermissionDenied, match="others may read or write it"):
            load_model(sealed, origin=Origin(subject=self.subject))

    @pytest.mark.parametrize("seals", [None, 3, [], {}, {"model.pkl": 7}, {"model.pkl": "x"}])
    def test_whatever_else_stands_in_its_place(self, sealed, restart, seals):
        about = read_metadata(ModelFolder.open(sealed))
        (sealed / "MLmodel").write_text(about.with_ours(seals=seals).to_yaml())
        restart()
        with pytest.raises(PermissionDenied):
            load_model(sealed, origin=Origin(subject=self.subject))


def test_a_recorded_digest_is_no_reason(saved, restart):
    restart()
    recorded = {"model.pkl": digest((saved / "model.pkl").read_bytes())}
    with pytest.raises(PermissionDenied, match="not logged to your own store"):
        load_model(saved, origin=Origin(digests=recorded))


@pytest.mark.parametrize("trust", [None, True])
def test_changed_bytes_are_refused_whoever_is_trusted(malicious, canary, trust, monkeypatch):
    monkeypatch.setenv("MLTRACK_TRUST", str(malicious))
    origin = Origin(digests={"model.pkl": "0" * 64})
    with pytest.raises(PermissionDenied, match="changed or damaged"):
        load_model(malicious, origin=origin, trust=trust)
    assert not canary.exists()


def test_the_bytes_that_were_hashed_are_the_ones_that_are_loaded(saved, tree, canary, monkeypatch):
    """Somebody replaces the file between the check and the load: it is read once only."""
    from mltrack_jupyter.models import audit

    original = audit.digest

    def hash_and_swap(data):
        found = original(data)
        (saved / "model.pkl").write_bytes(pickle.dumps(Canary(canary)))
        return found

    monkeypatch.setattr(audit, "digest", hash_and_swap)
    assert load_model(saved).get_params() == tree.get_params()
    assert not canary.exists()


class TestSourcesThatTheReaderLists:
    def test_a_folder_and_what_is_below(self, saved, restart, monkeypatch):
        restart()
        monkeypatch.setenv("MLTRACK_TRUST", f"models:/x, {saved.parent}")
        assert load_model(saved)

    def test_a_digest(self, saved, restart, monkeypatch):
        restart()
        sha256 = digest((saved / "model.pkl").read_bytes())
        monkeypatch.setenv("MLTRACK_TRUST", f"sha256:{sha256}")
        assert load_model(saved)

    @pytest.mark.parametrize(
        ("source", "listed", "trusted"),
        [
            ("models:/iris/3", "models:/iris", True),
            ("models:/iris@champion", "models:/iris", True),
            ("models:/iris-evil/1", "models:/iris", False),
            ("models:/iris", "models:/iris/3", False),
            ("https://hub.example/mlflow", "https://hub.example", True),
            ("https://hub.example.evil.test", "https://hub.example", False),
            ("https://hub.example@evil.test", "https://hub.example", False),
            ("/data/models/a", "/data/models", True),
            ("/data/models-evil", "/data/models", False),
            ("/data/models/../evil", "/data/models", False),
            ("models:/iris/3", str(Path.cwd()), False),
            ("models:/iris/3", "/", False),
            ("runs:/abc/model", "runs:/abc", True),
        ],
    )
    def test_only_what_is_below(self, source, listed, trusted):
        assert TrustPolicy(sources=(listed,)).lists([source], "0" * 64) is trusted

    def test_links_do_not_lead_into_a_trusted_folder(self, tmp_path):
        (tmp_path / "evil").mkdir()
        (tmp_path / "good").mkdir()
        (tmp_path / "good" / "link").symlink_to(tmp_path / "evil")
        policy = TrustPolicy(sources=(str(tmp_path / "good"),))
        assert not policy.lists([str(tmp_path / "good" / "link")], "")

    def test_a_download_is_not_trusted_for_where_it_lies(self, malicious, canary, monkeypatch):
        monkeypatch.setenv("MLTRACK_TRUST", str(malicious.parent))
        with pytest.raises(PermissionDenied):
            load_model(malicious, origin=Origin(sources=("models:/iris/1",)))
        assert not canary.exists()


class TestSkops:
    @pytest.fixture(autouse=True)
    def needs_skops(self):
        pytest.importorskip("skops")

    @pytest.fixture
    def linear(self, iris):
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=500).fit(*iris)

    def test_safe_types_need_no_trust(self, linear, iris, tmp_path, restart):
        save_model(linear, tmp_path / "m", serialization_format="skops")
        restart()
        loaded = load_model(tmp_path / "m", trust=False)
        assert (loaded.predict(iris[0]) == linear.predict(iris[0])).all()

    def test_other_types_are_listed_and_can_be_allowed(self, tree, tmp_path, restart, monkeypatch):
        save_model(tree, tmp_path / "m", serialization_format="skops")
        restart()
        with pytest.raises(PermissionDenied, match=r"sklearn\.tree\._tree\.Tree") as refused:
            load_model(tmp_path / "m")
        assert "trust=['sklearn.tree._tree.Tree']" in str(refused.value)
        assert load_model(tmp_path / "m", trust=["sklearn.tree._tree.Tree"])
        monkeypatch.setenv("MLTRACK_TRUSTED_TYPES", "sklearn.tree._tree.Tree")
        assert load_model(tmp_path / "m")

    def test_the_list_in_the_folder_is_ignored(self, tree, tmp_path, restart):
        save_model(tree, tmp_path / "m", serialization_format="skops")
        about = yaml.safe_load((tmp_path / "m" / "MLmodel").read_text())
        assert about["flavors"]["sklearn"]["skops_trusted_types"] == ["sklearn.tree._tree.Tree"]
        restart()
        with pytest.raises(PermissionDenied):
            load_model(tmp_path / "m")

    def test_the_namespace_of_numpy_is_no_reason(self, tmp_path, restart):
        from numpy.testing import assert_equal
        from sklearn.preprocessing import FunctionTransformer

        save_model(FunctionTransformer(assert_equal), tmp_path / "m", serialization_format="skops")
        restart()
        with pytest.raises(PermissionDenied, match="numpy"):
            load_model(tmp_path / "m")

    @pytest.mark.parametrize("release", ["0.12", "0.9.0", "0.12.1.dev0"])
    def test_an_old_one_is_not_used(self, linear, tmp_path, monkeypatch, release):
        save_model(linear, tmp_path / "m", serialization_format="skops")
        monkeypatch.setattr(skops_file, "metadata", SimpleNamespace(version=lambda name: release))
        for trust in (None, True):
            with pytest.raises(
                InvalidParameter, match=r"can run code .*pip install 'skops>=0\.13'"
            ):
                load_model(tmp_path / "m", trust=trust)
        with pytest.raises(InvalidParameter, match=r"pip install 'skops>=0\.13'"):
            save_model(linear, tmp_path / "n", serialization_format="skops")

    @pytest.mark.parametrize("release", ["0.13", "0.13.0rc1", "0.16.0", "1.0"])
    def test_a_new_one_is(self, linear, tmp_path, monkeypatch, release):
        monkeypatch.setattr(skops_file, "metadata", SimpleNamespace(version=lambda name: release))
        save_model(linear, tmp_path / "m", serialization_format="skops")
        assert load_model(tmp_path / "m", trust=False)

    def test_a_pickle_that_calls_itself_skops(self, malicious, canary):
        content = yaml.safe_load((malicious / "MLmodel").read_text())
        content["flavors"]["sklearn"]["serialization_format"] = "skops"
        (malicious / "MLmodel").write_text(yaml.safe_dump(content))
        with pytest.raises(InvalidParameter, match="not a file of skops"):
            load_model(malicious, trust=True)
        assert not canary.exists()


def test_no_refusal_leads_to_running_code_without_saying_so(malicious, monkeypatch):
    """Whatever is advised that may run what the folder holds, the same text says that it does."""
    texts = []

    def refuse(**options):
        with pytest.raises((PermissionDenied, InvalidParameter)) as refused:
            load_model(malicious, **options)
        texts.append(str(refused.value))

    refuse()
    refuse(trust=False)
    refuse(origin=Origin(digests={"model.pkl": "0" * 64}), trust=True)
    refuse(origin=Origin(foreign=True))
    refuse(origin=Origin(subject=Subject("run", "m-1", "model")))
    monkeypatch.setattr("mltrack_jupyter.models.loading.find_flavor", lambda name: None)
    refuse()
    for text in texts:
        leads = any(
            word in text for word in ("trust=True", "MLTRACK_TRUST", "pip install", "load_model")
        )
        assert not leads or "run" in text, text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "cannot be unpickled"),
        (b"not a pickle", "cannot be unpickled"),
        (pickle.dumps([1, 2, 3])[:-3], "cannot be unpickled"),
        (b"cno_such_library.sub\nThing\n.", "no_such_library"),
        (b"csklearn.tree\nNoSuchTree\n.", "another version"),
    ],
)
def test_broken_pickles_are_explained(malicious, data, reason):
    (malicious / "model.pkl").write_bytes(data)
    with pytest.raises(InvalidParameter, match=reason):
        load_model(malicious, trust=True)


def test_a_missing_file_is_named(malicious):
    (malicious / "model.pkl").unlink()
    with pytest.raises(NotFound, match=r"no file 'model\.pkl'"):
        load_model(malicious, trust=True)


def test_trust_as_text_is_a_mistake(malicious):
    with pytest.raises(InvalidParameter, match="True, False, or a list"):
        load_model(malicious, trust="yes")
