"""The reader's key is made once, is the user's alone, and otherwise proves nothing."""

import os
import stat
import threading

import pytest

from mltrack_jupyter.errors import PermissionDenied
from mltrack_jupyter.privacy.key import SIZE, key_place, make_key, read_key
from mltrack_jupyter.privacy.seals import Subject, seal_files, vouches

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to somebody else")
SHA256 = "ab" * 32


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv("MLTRACK_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def test_it_is_made_on_first_use_and_stays():
    assert read_key() is None
    key = make_key()
    assert len(key) == SIZE
    assert make_key() == read_key() == key


def test_file_and_folder_are_the_users_alone():
    make_key()
    assert stat.S_IMODE(key_place().stat().st_mode) == 0o600
    assert stat.S_IMODE(key_place().parent.stat().st_mode) == 0o700


def test_whoever_is_first_many_get_one_key():
    found = []
    threads = [threading.Thread(target=lambda: found.append(make_key())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def linked(place):
    place.rename(place.with_name("elsewhere"))
    place.symlink_to(place.with_name("elsewhere"))


def hard_linked(place):
    os.link(place, place.with_name("second name"))


def linked_folder(place):
    place.parent.rename(place.parent.with_name("elsewhere"))
    place.parent.symlink_to(place.parent.with_name("elsewhere"))


def a_pipe(place):
    place.unlink()
    os.mkfifo(place, 0o600)


ALTERED = {
    "others read it": lambda place: place.chmod(0o640),
    "everybody reads it": lambda place: place.chmod(0o604),
    "others write it": lambda place: place.chmod(0o620),
    "others write its folder": lambda place: place.parent.chmod(0o770),
    "everybody writes its folder": lambda place: place.parent.chmod(0o707),
    "everybody writes the folder above": lambda place: place.parent.parent.chmod(0o777),
    "a link": linked,
    "a second name": hard_linked,
    "a folder behind a link": linked_folder,
    "a pipe": a_pipe,
    "too short": lambda place: place.write_bytes(b"short"),
    "empty": lambda place: place.write_bytes(b""),
    "too long": lambda place: place.write_bytes(b"x" * (SIZE + 1)),
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_one_that_others_may_have_made_or_read_is_refused(alter):
    make_key()
    alter(key_place())
    for use in (read_key, make_key):
        with pytest.raises(PermissionDenied, match=r"Your key at .* is not used: "):
            use()


@AS_ROOT
@pytest.mark.parametrize("of", ["file", "folder", "the folder above"])
def test_one_of_another_user_is_refused(of):
    make_key()
    place = key_place()
    os.chown({"file": place, "folder": place.parent}.get(of, place.parent.parent), 12345, 12345)
    with pytest.raises(PermissionDenied, match=r"belongs to the user 12345|not yours alone"):
        read_key()


class TestSeals:
    subject = Subject("run", "m-1", "model")

    def test_vouch_for_what_was_sealed(self):
        seal = seal_files(self.subject, {"model.pkl": SHA256})["model.pkl"]
        assert vouches(self.subject, "model.pkl", SHA256, seal)

    @pytest.mark.parametrize(
        ("subject", "name", "sha256"),
        [
            (Subject("other", "m-1", "model"), "model.pkl", SHA256),
            (Subject("run", "m-2", "model"), "model.pkl", SHA256),
            (Subject("run", "", "model"), "model.pkl", SHA256),
            (Subject("run", "m-1", "other"), "model.pkl", SHA256),
            (Subject("runm", "-1", "model"), "model.pkl", SHA256),
            (Subject("run", "m-1model", ""), "model.pkl", SHA256),
            (subject, "other.pkl", SHA256),
            (subject, "model.pkl", "cd" * 32),
        ],
    )
    def test_and_for_nothing_else(self, subject, name, sha256):
        seal = seal_files(self.subject, {"model.pkl": SHA256})["model.pkl"]
        assert not vouches(subject, name, sha256, seal)

    @pytest.mark.parametrize("seal", ["", "0" * 64, "x", "é", "\udcff"])
    def test_no_seal_is_made_up(self, seal):
        make_key()
        assert not vouches(self.subject, "model.pkl", SHA256, seal)

    def test_another_key_vouches_for_nothing(self):
        seal = seal_files(self.subject, {"model.pkl": SHA256})["model.pkl"]
        key_place().unlink()
        assert not vouches(self.subject, "model.pkl", SHA256, seal)  # none, and none is made
        assert not key_place().exists()
        make_key()
        assert not vouches(self.subject, "model.pkl", SHA256, seal)

    def test_without_a_key_models_are_logged_unsigned_and_that_is_said(self):
        make_key()
        key_place().chmod(0o666)
        with pytest.warns(UserWarning, match="not signed as yours"):
            assert seal_files(self.subject, {"model.pkl": SHA256}) == {}
