import sys
from importlib.metadata import EntryPoint, EntryPoints

import pytest
import yaml

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.models import flavor_of, flavors, load_model, open_model, pyfunc, save_model


def rewrite(folder, change):
    content = yaml.safe_load((folder / "MLmodel").read_text())
    change(content)
    (folder / "MLmodel").write_text(yaml.safe_dump(content))


def test_the_native_object_can_be_fitted_further(saved, iris):
    loaded = load_model(saved)
    assert loaded.fit(*iris).score(*iris) == 1.0


def test_the_file_mlmodel_stands_for_its_folder(saved):
    assert load_model(saved / "MLmodel")
    assert load_model(str(saved))


def test_pyfunc_predicts_and_knows_where_it_is_from(saved, tree, iris):
    model = pyfunc.load_model(saved)
    assert (model.predict(iris[0]) == tree.predict(iris[0])).all()
    assert model.metadata.signature.inputs.names == list(iris[0].columns)
    assert repr(model) == "PyFuncModel(DecisionTreeClassifier, flavors: sklearn)"
    assert type(model.unwrap()) is type(tree)


def test_pyfunc_follows_predict_fn(saved, iris):
    rewrite(
        saved,
        lambda content: content["flavors"]["python_function"].update(predict_fn="predict_proba"),
    )
    assert pyfunc.load_model(saved).predict(iris[0]).shape == (150, 3)


@pytest.mark.parametrize("method", ["__reduce__", "set_params", "fit", "nothing"])
def test_pyfunc_calls_no_other_method(saved, method):
    rewrite(saved, lambda content: content["flavors"]["python_function"].update(predict_fn=method))
    with pytest.raises(InvalidParameter, match=f"no '{method}' to predict with"):
        pyfunc.load_model(saved)


def test_a_folder_of_2018(saved, tree, iris):
    def age(content):
        content["flavors"] = {
            "python_function": {"data": "model.pkl", "loader_module": "mlflow.sklearn"},
            "sklearn": {"pickled_model": "model.pkl", "sklearn_version": "0.19.1"},
        }

    rewrite(saved, age)
    assert (pyfunc.load_model(saved).predict(iris[0]) == tree.predict(iris[0])).all()


@pytest.mark.parametrize("key", ["model_path", "data"])
def test_only_the_generic_flavor(saved, key):
    generic = {key: "model.pkl", "loader_module": "mlflow.sklearn"}
    rewrite(saved, lambda content: content.update(flavors={"python_function": generic}))
    assert load_model(saved)


def test_a_flavor_that_is_not_in_the_folder(saved):
    with pytest.raises(InvalidParameter, match="no flavor 'keras'; it has"):
        load_model(saved, flavor="keras")
    assert load_model(saved, flavor="sklearn")


def test_a_flavor_that_is_not_known_here(saved):
    generic = {"loader_module": "mlflow.keras"}
    rewrite(
        saved, lambda content: content.update(flavors={"keras": {}, "python_function": generic})
    )
    with pytest.raises(
        InvalidParameter, match=r"flavors keras, python_function.*entry point 'keras'"
    ):
        load_model(saved)


def test_a_newer_scikit_learn_warns(saved):
    rewrite(saved, lambda content: content["flavors"]["sklearn"].update(sklearn_version="99.1.0"))
    with pytest.warns(UserWarning, match=r"scikit-learn 99\.1\.0, which is newer"):
        load_model(saved)


def test_without_scikit_learn_it_says_what_to_install(saved, monkeypatch):
    rewrite(saved, lambda content: content["flavors"]["sklearn"].update(sklearn_version="1.2.3"))
    monkeypatch.setattr("mltrack_jupyter.models.flavors.sklearn.find_spec", lambda name: None)
    with pytest.raises(InvalidParameter, match=r"pip install scikit-learn==1\.2\.3"):
        load_model(saved)


def test_without_skops_it_says_what_to_install(tree, tmp_path, monkeypatch):
    monkeypatch.setattr("mltrack_jupyter.models.skops_file.find_spec", lambda name: None)
    with pytest.raises(InvalidParameter, match="pip install skops"):
        save_model(tree, tmp_path / "m", serialization_format="skops")


@pytest.mark.parametrize(
    "config",
    [{}, {"pickled_model": 3}, {"pickled_model": "model.pkl", "serialization_format": "x"}],
)
def test_settings_that_make_no_sense(saved, config):
    rewrite(saved, lambda content: content["flavors"].update(sklearn=config))
    with pytest.raises(InvalidParameter, match="names no file, or a format"):
        load_model(saved)


class Greeting:
    """A model of a library that nobody knows."""

    __module__ = "greeter.models"


class GreetingFlavor:
    name = "greetings"
    package = "greeter"
    loader_module = "greeter.mlflow"

    def save(self, model, folder, serialization_format):
        (folder / "greeting.txt").write_text("hello")
        return flavors.Saved({"file": "greeting.txt"}, "greeting.txt")

    def load(self, config, files):
        return files.read(config["file"]).decode()

    def predictor(self, model, method):
        return lambda data: f"{model}, {data}"


@pytest.fixture
def plugin(monkeypatch):
    """A package that brings a flavor by entry points: its module's name, and MLflow's name for it."""

    def found(*, group, name=None):
        entries = EntryPoints(
            EntryPoint(key, f"{GreetingFlavor.__module__}:GreetingFlavor", flavors.GROUP)
            for key in ("greeter", "greetings")
        )
        return entries.select(name=name) if name else entries

    monkeypatch.setitem(sys.modules, GreetingFlavor.__module__, sys.modules[__name__])
    monkeypatch.setattr(flavors, "entry_points", found)
    flavors.find_flavor.cache_clear()
    yield
    flavors.find_flavor.cache_clear()


def test_a_flavor_is_one_short_class_behind_an_entry_point(plugin, tmp_path):
    save_model(Greeting(), tmp_path / "m")
    assert load_model(tmp_path / "m") == "hello"
    assert pyfunc.load_model(tmp_path / "m").predict("Ada") == "hello, Ada"
    assert open_model(tmp_path / "m").metadata.ours["class"] == "greeter.models.Greeting"
    assert flavors.flavor_names() == ["greeter", "greetings", "sklearn"]


def test_a_broken_plugin_is_named(plugin, monkeypatch):
    broken = EntryPoints([EntryPoint("greeter", "no_such_module:Flavor", flavors.GROUP)])
    monkeypatch.setattr(flavors, "entry_points", lambda **_: broken)
    with pytest.raises(
        InvalidParameter, match=r"flavor 'greeter' \(no_such_module:Flavor\) is broken"
    ):
        flavor_of(Greeting())
