from mltrack_jupyter.models import requirements
from mltrack_jupyter.models.requirements import environment_files, infer_requirements


def names(pins):
    return [pin.partition("==")[0] for pin in pins]


def test_the_library_of_the_model_is_pinned(tree):
    from importlib.metadata import version

    assert f"scikit-learn=={version('scikit-learn')}" in infer_requirements(tree)


def test_what_is_merely_loaded_is_left_out(tree):
    import pandas  # noqa: F401

    assert "pandas" not in names(infer_requirements(tree))


def test_functions_inside_bring_what_they_use():
    import pandas as pd
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    namespace = {"pd": pd}
    exec("def halve(data): return pd.DataFrame(data) / 2", namespace)
    model = make_pipeline(FunctionTransformer(namespace["halve"]))
    assert "pandas" in names(infer_requirements(model))


def test_named_modules_are_added_and_own_files_are_not(tree):
    pins = names(infer_requirements(tree, ["cloudpickle", "my_helpers", "json"]))
    assert "cloudpickle" in pins
    assert not {"my_helpers", "json"} & set(pins)


def test_a_module_named_unlike_its_package_is_found():
    # dateutil belongs to python-dateutil: only the whole environment knows.
    assert names(infer_requirements(object(), ["dateutil"])) == ["python-dateutil"]


def test_the_whole_environment_is_not_read_for_a_model_of_known_libraries():
    from sklearn.ensemble import RandomForestClassifier

    model = RandomForestClassifier(100).fit([[0], [1]], [0, 1])
    requirements._pin.cache_clear()
    requirements._all_providers.cache_clear()
    infer_requirements(model, ("numpy", "scipy", "cloudpickle"))
    assert requirements._all_providers.cache_info().misses == 0


def test_a_large_vocabulary_is_not_in_the_way():
    from sklearn.feature_extraction.text import CountVectorizer

    model = CountVectorizer()
    model.vocabulary_ = {str(number): number for number in range(300_000)}
    assert "scikit-learn" in names(infer_requirements(model))


def test_files_for_no_requirements_at_all():
    files = environment_files([])
    assert files["requirements.txt"] == ""
    assert set(files) == {"requirements.txt", "conda.yaml", "python_env.yaml"}
