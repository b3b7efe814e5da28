"""Keras 3, on torch."""

import json
import os
import warnings

import pytest

from mltrack_jupyter import RunStatus


@pytest.fixture(scope="module")
def keras():
    # Read once, when Keras is imported.
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    return keras


@pytest.fixture
def model(keras):
    found = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    found.compile(optimizer=keras.optimizers.SGD(0.5), loss="binary_crossentropy")
    return found


def test_a_training(script, keras, model, classes, runs, files, steps):
    script.keras.autolog()
    X, y = classes
    mine = []
    history = model.fit(
        X, y, batch_size=20, epochs=3, verbose=0, callbacks=mine, validation_data=(X, y)
    )
    assert mine == []
    [run] = runs()
    assert run.info.status is RunStatus.FINISHED
    params = run.data.params
    assert (params["batch_size"], params["epochs"]) == ("20", "3")
    assert (params["optimizer_name"], params["optimizer_learning_rate"]) == ("sgd", "0.5")
    assert steps(run, "loss") == [0, 1, 2]
    assert run.data.metrics["val_loss"] == pytest.approx(history.history["val_loss"][-1])
    assert set(files(run)) == {
        "model/model.keras",
        "model/signature.json",
        "model_summary.txt",
    }
    place = script.download_artifacts(run.info.run_id, "model/model.keras")
    again = keras.models.load_model(place)
    assert again.predict(X, verbose=0) == pytest.approx(model.predict(X, verbose=0))
    inputs = script.get_run(run.info.run_id).inputs.dataset_inputs
    assert {item.dataset.name for item in inputs} == {"dataset", "validation"}


def test_metrics_of_batches_if_wanted(script, model, classes, runs, steps):
    script.keras.autolog(log_every_n_steps=2, log_models=False)
    model.fit(*classes, batch_size=15, epochs=2, verbose=0)
    [run] = runs()
    assert steps(run, "batch_loss") == [2, 4, 6, 8]


def test_evaluating_and_predicting_open_no_run(script, model, classes, runs):
    script.keras.autolog()
    model.evaluate(*classes, verbose=0)
    model.predict(classes[0], verbose=0)
    assert runs() == []


@pytest.mark.parametrize(
    ("error", "status"),
    [(ValueError("no such luck"), "FAILED"), (KeyboardInterrupt(), "KILLED")],
)
def test_a_training_that_breaks_off(script, keras, model, classes, runs, error, status):
    class Break(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise error

    script.keras.autolog()
    with pytest.raises(type(error)) as caught:
        model.fit(*classes, epochs=3, verbose=0, callbacks=Break())
    assert caught.value is error
    [run] = runs()
    assert run.info.status.value == status
    assert "loss" in run.data.metrics


def test_a_log_that_fails_breaks_no_training(script, model, classes, monkeypatch):
    from mltrack_jupyter.tracking.autolog.record import Record

    script.keras.autolog()
    monkeypatch.setattr(Record, "metrics", lambda *_: 1 / 0)
    assert len(model.fit(*classes, epochs=2, verbose=0).history["loss"]) == 2


def test_put_back(script, keras):
    owner = next(kind for kind in keras.Model.__mro__ if "fit" in vars(kind))
    before = vars(owner)["fit"]
    script.keras.autolog()
    assert vars(owner)["fit"] is not before
    script.keras.autolog(disable=True)
    assert vars(owner)["fit"] is before


def test_what_is_trained_later_is_the_same_logged_or_not(script, keras, classes):
    def losses():
        keras.utils.set_random_seed(0)
        found = []
        for _ in range(2):
            layers = [keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(1)]
            model = keras.Sequential(layers)
            model.compile("sgd", "mse")
            found += model.fit(*classes, batch_size=20, verbose=0).history["loss"]
        return found

    plain = losses()
    script.keras.autolog()
    assert losses() == plain


def test_a_model_with_several_inputs(script, keras, classes, runs):
    inputs = [keras.Input((2,), name="a"), keras.Input((2,), name="b")]
    output = keras.layers.Dense(1)(keras.layers.Concatenate()(inputs))
    model = keras.Model(inputs, output)
    model.compile("sgd", "mse")
    X, y = classes
    parts = [X[:, :2], X[:, 2:]]
    script.keras.autolog()
    model.fit(parts, y, verbose=0, validation_data=(parts, y))
    model.fit(dict(zip("ab", parts, strict=True)), y, verbose=0)
    for run, names in zip(runs(), [("0", "1"), ("a", "b")], strict=True):
        assert "mltrack.autolog.warnings" not in run.data.tags
        found = {
            item.dataset.name: json.loads(item.dataset.profile)["features_shape"]
            for item in script.get_run(run.info.run_id).inputs.dataset_inputs
        }
        expected = {f"dataset_{name}": [60, 2] for name in names}
        if names == ("0", "1"):
            expected |= {f"validation_{name}": [60, 2] for name in names}
        assert found == expected


def test_warnings_of_the_log_are_not_the_users(script, keras, model, classes, runs, files):
    script.keras.autolog()
    model.compile(loss=lambda one, two: ((one - two) ** 2).mean())
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model.fit(*classes, verbose=0)
    assert not [item for item in heard if "lambda" in str(item.message)]
    assert "model/model.keras" in files(runs()[0])
