"""The file ``MLmodel`` of a ready model takes a new signature, and nothing else by that way."""

import contextlib
import io

import pytest
import yaml

from mltrack_jupyter.errors import InvalidParameter
from mltrack_jupyter.registry import load_model
from mltrack_jupyter.store.sql.fixed_files import FixedFiles

pytest.importorskip("sklearn")
COLUMNS = {"inputs": '[{"type": "double", "name": "x"}]', "outputs": None, "params": None}


def signed(scene, info=None, **changed):
    """Send MLmodel with a signature and whatever else is changed."""
    about = yaml.safe_load((scene.on_disk(info) / "MLmodel").read_text())
    about = {**about, "signature": COLUMNS, **changed}
    scene.put(f"{scene.place(info)}/MLmodel", yaml.safe_dump(about).encode())


def flavors_of(scene, info):
    return yaml.safe_load((scene.on_disk(info) / "MLmodel").read_text())["flavors"]


def another_loader(scene, info):
    flavors = flavors_of(scene, info)
    flavors["python_function"]["loader_module"] = "os"
    return {"flavors": flavors}


def another_file(scene, info):
    scene.put(f"{scene.place(info)}/evil.pkl")
    flavors = flavors_of(scene, info)
    flavors["sklearn"]["pickled_model"] = "evil.pkl"
    return {"flavors": flavors}


def one_more_flavor(scene, info):
    return {"flavors": {**flavors_of(scene, info), "evil": {"code": "code"}}}


def one_that_is_equal_but_for_its_kind(scene, info):
    flavors = flavors_of(scene, info)
    flavors["sklearn"] = {
        key: (0 if value is False else 1 if value is True else value)
        for key, value in flavors["sklearn"].items()
    }
    flavors["python_function"]["code"] = None
    return {"flavors": flavors}


def no_flavors(scene, info):
    return {"flavors": {}}


def other_seals(scene, info):
    return {"metadata": yaml.safe_load(scene.forged(info))["metadata"]}


def an_example_elsewhere(scene, info):
    return {"saved_input_example_info": {"artifact_path": "../../../secret", "type": "ndarray"}}


def a_key_of_a_later_reader(scene, info):
    return {"loader_module": "os"}


def another_run(scene, info):
    return {"run_id": "f" * 32}


def another_model(scene, info):
    return {"model_id": scene.info.model_id}


def another_version_of_mlflow(scene, info):
    return {"mlflow_version": "0.0.1"}


CHANGES = [
    another_loader, another_file, one_more_flavor, one_that_is_equal_but_for_its_kind, no_flavors, other_seals,
    an_example_elsewhere, a_key_of_a_later_reader, another_run, another_model, another_version_of_mlflow,
]  # fmt: skip


def test_nothing_but_a_signature(scene):
    before = (scene.on_disk(scene.other) / "MLmodel").read_bytes()
    taken = []
    for change in CHANGES:
        changed = change(scene, scene.other)
        with contextlib.suppress(InvalidParameter):
            signed(scene, scene.other, **changed)
            taken.append(change.__name__)
    assert taken == []
    assert (scene.on_disk(scene.other) / "MLmodel").read_bytes() == before
    scene.load(scene.other.model_uri)  # and no code is run


def test_a_signature_is_taken_and_the_seals_hold(scene):
    signed(scene, scene.other, prompts=None, is_signature_from_type_hint=False)
    about = yaml.safe_load((scene.on_disk(scene.other) / "MLmodel").read_text())
    assert about["signature"] == COLUMNS
    scene.load()
    assert load_model(scene.victim, scene.other.model_uri) is not None


BODIES = [
    b"", b"\0", b"\xff\xfe", b"[]", b"flavors: !!python/object/apply:os.system [true]\n",
    b"signature: &a [*a]\n", b"a: &a {b: *a}\n", b"{}\n", b"x" * 2_000_001, b"? {a: b}\n: c\n",
]  # fmt: skip


def test_what_is_no_mlmodel(scene):
    before = (scene.on_disk(scene.other) / "MLmodel").read_bytes()
    for body in BODIES:
        with pytest.raises(InvalidParameter):
            scene.wire.artifact_files.upload(
                f"{scene.place(scene.other)}/MLmodel", io.BytesIO(body)
            )
    assert (scene.on_disk(scene.other) / "MLmodel").read_bytes() == before


def by_its_id(scene, model_id):
    scene.wire.model_versions.create("iris", f"models:/{model_id}", model_id=model_id)


def by_its_place(scene, model_id):
    source = f"mlflow-artifacts:/{scene.place(scene.other)}"
    scene.wire.model_versions.create("iris", source, model_id=model_id)


def by_its_run(scene, model_id):
    source = f"runs:/{scene.run_id}/other"
    scene.wire.model_versions.create("iris", source, run_id=scene.run_id)


@pytest.mark.parametrize("way", [by_its_id, by_its_place, by_its_run], ids=lambda way: way.__name__)
@pytest.mark.parametrize("moment", ["before", "while it comes"])
def test_the_bytes_of_a_version_stay(scene, monkeypatch, way, moment):
    """Also of one that is made between the question whether the file may be written, and the writing."""
    before = (scene.on_disk(scene.other) / "MLmodel").read_bytes()
    real = FixedFiles.takes_signature

    def asked(self, place):
        found = real(self, place)
        if found and moment != "before" and not made:
            made.append(way(scene, scene.other.model_id))
        return found

    made = []
    monkeypatch.setattr(FixedFiles, "takes_signature", asked)
    if moment == "before":
        way(scene, scene.other.model_id)
    with pytest.raises(InvalidParameter, match="stays as it is"):
        signed(scene, scene.other)
    assert (scene.on_disk(scene.other) / "MLmodel").read_bytes() == before
