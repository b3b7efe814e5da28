"""Journals that somebody else put beside a store: nothing of the user's is uploaded or removed for them."""

import io
import os
import stat
import uuid

import pytest

from mltrack_jupyter.entities import NewRun, Param, RunEntry
from mltrack_jupyter.store.journal import folder_to_log_to, journal_folder, recover, recover_all
from mltrack_jupyter.store.journal.draining import Drain
from mltrack_jupyter.store.journal.journal import Journal
from mltrack_jupyter.store.journal.records import (
    Header,
    SpooledFile,
    entry_content,
    file_content,
    framed,
    header_content,
)
from mltrack_jupyter.store.journal.sinks import StoreSink

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="users as Unix has them")
is_root = hasattr(os, "geteuid") and os.geteuid() == 0
as_root = pytest.mark.skipif(
    not is_root, reason="only root makes files of other users, and devices"
)
STRANGER = 4321
SECRET = "-----BEGIN PRIVATE KEY-----"


class Victim:
    """A user with a store, a secret beside it, and a folder of journals that others planted in."""

    def __init__(self, services, folder):
        self.services = services
        self.store = folder / ".mltrack"
        self.folder = self.store / "journals"
        self.folder.mkdir(mode=0o700)
        self.secret = folder / "home" / ".ssh" / "id_rsa"
        self.secret.parent.mkdir(parents=True)
        self.secret.write_text(SECRET)
        self.secret.chmod(0o600)
        self.run_id = services.runs.create("0", user_id="u", start_time=1).info.run_id

    def plant(self, *contents, journal_id="", name=""):
        """Write a journal as a program of the attacker's does, with a param at its end."""
        journal_id = journal_id or uuid.uuid4().hex
        header = Header(journal_id=journal_id, uri=self.services.uri, index=0, pid=1, began=1)
        last = RunEntry(run_id=self.run_id, params=[Param(journal_id[:8], "planted")])
        records = [header_content(header), *contents, entry_content(last)]
        path = self.folder / (name or f"{journal_id}.000000.journal")
        path.write_bytes(b"".join(map(framed, records)))
        path.chmod(0o600)
        return path

    def recover(self):
        return recover(self.folder, lambda: self.services, self.services.uri)

    @property
    def params(self):
        return set(self.services.runs.get(self.run_id).data.params)

    def is_safe(self):
        """Tell whether the secret is where it was, and nowhere else."""
        files = [path for path in self.store.rglob("*") if path.is_file() and not path.is_symlink()]
        copies = [path for path in files if path.stat().st_ino != self.secret.stat().st_ino]
        return self.secret.read_text() == SECRET and not any(
            SECRET.encode() in path.read_bytes() for path in copies
        )


@pytest.fixture
def victim(store, tmp_path):
    return Victim(store, tmp_path)


# --- what a record calls a file that waits --------------------------------------------------------


def _inside(victim, journal_id):
    """Return the name that a journal would give, and its place."""
    beside = victim.folder / f"{journal_id}.files"
    beside.mkdir(mode=0o700)
    name = uuid.uuid4().hex
    return f"{beside.name}/{name}", beside / name


def _link(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    place.symlink_to(victim.secret)
    return spooled


def _hard_link(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    os.link(victim.secret, place)
    return spooled


def _linked_folder(victim, journal_id):
    (victim.folder / f"{journal_id}.files").symlink_to(victim.secret.parent)
    return f"{journal_id}.files/{victim.secret.name}"


def _linked_folder_with_a_right_name(victim, journal_id):
    name = uuid.uuid4().hex
    (victim.secret.parent / name).symlink_to(victim.secret)
    (victim.folder / f"{journal_id}.files").symlink_to(victim.secret.parent)
    return f"{journal_id}.files/{name}"


def _pipe(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    os.mkfifo(place, 0o600)
    return spooled


def _device(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # zeros without end
    return spooled


def _folder(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    place.mkdir()
    return spooled


def _anybody_s(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    place.write_text("loot")
    place.chmod(0o666)
    return spooled


def _stranger_s(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    place.write_text("loot")
    os.chown(place, STRANGER, STRANGER)
    return spooled


def _stranger_s_folder(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    place.write_text("loot")
    os.chown(place.parent, STRANGER, STRANGER)
    return spooled


def _open_folder(victim, journal_id):
    spooled, place = _inside(victim, journal_id)
    place.write_text("loot")
    place.parent.chmod(0o777)
    return spooled


SPOOLED = {
    "absolute": lambda victim, _: str(victim.secret),
    "upwards": lambda *_: "../../home/.ssh/id_rsa",
    "upwards from its folder": lambda _, journal: f"{journal}.files/../../../home/.ssh/id_rsa",
    "through a folder that is none": lambda *_: "x/../../../home/.ssh/id_rsa",
    "another journal's": lambda *_: f"{uuid.uuid4().hex}.files/{uuid.uuid4().hex}",
    "the database": lambda *_: "../mltrack.db",
    "nothing": lambda *_: "",
    "a folder": lambda _, journal: f"{journal}.files/",
    "large letters": lambda _, journal: f"{journal}.files/{'A' * 32}",
    "a byte of zero": lambda _, journal: f"{journal}.files/{'a' * 31}\0",
    "a new line": lambda _, journal: f"{journal}.files/{'a' * 32}\n",
    "a link": _link,
    "a hard link": _hard_link,
    "below a link": _linked_folder,
    "a link below a link": _linked_folder_with_a_right_name,
    "a pipe": _pipe,
    "a folder of that name": _folder,
    "what anybody may write": _anybody_s,
    "in a folder that anybody may write": _open_folder,
    "a device": pytest.param(_device, marks=as_root),
    "a stranger's": pytest.param(_stranger_s, marks=as_root),
    "in a stranger's folder": pytest.param(_stranger_s_folder, marks=as_root),
}


@pytest.mark.parametrize("spooled", SPOOLED.values(), ids=SPOOLED)
def test_a_record_names_no_file_but_its_journal_s(victim, caplog, spooled):
    journal_id = uuid.uuid4().hex
    named = spooled(victim, journal_id)
    record = SpooledFile(run_id=victim.run_id, path="loot/id_rsa", spooled=named)
    beside = victim.folder / f"{journal_id}.files"
    before = sorted(beside.iterdir()) if beside.exists() else []
    victim.plant(file_content(record), journal_id=journal_id)
    victim.recover()
    assert victim.is_safe()
    assert (sorted(beside.iterdir()) if beside.exists() else []) == before
    assert (victim.store / "mltrack.db").exists()
    assert victim.services.run_artifacts.list(victim.run_id, "").files == []
    assert victim.params == {journal_id[:8]}  # what else is in it is only data
    assert (victim.folder / f"{journal_id}.refused.jsonl").exists()
    assert "kept beside the journal" in caplog.text


@pytest.mark.parametrize("path", ["../../x", "/etc/x", "a/../../x", "a\\b", "", ".", "file:/x"])
def test_where_an_artifact_goes_is_checked_like_any_other_path(victim, path):
    journal_id = uuid.uuid4().hex
    spooled, place = _inside(victim, journal_id)
    place.write_text("loot")
    place.chmod(0o600)
    record = SpooledFile(run_id=victim.run_id, path=path, spooled=spooled)
    victim.plant(file_content(record), journal_id=journal_id)
    victim.recover()
    assert place.read_text() == "loot"  # refused, and kept where it is
    assert not [found for found in victim.store.rglob("x") if found.is_file()]
    assert victim.params == {journal_id[:8]}


# --- files and folders that are not taken over ------------------------------------------------------


def _second_name(path):
    os.link(path, path.with_name("elsewhere"))


def _behind_a_link(path):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


def _as_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def _as_device(path):
    path.unlink()
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


FILES = {
    "anybody may write it": lambda path: path.chmod(0o666),
    "its group may write it": lambda path: path.chmod(0o620),
    "it has a second name": _second_name,
    "it is a link": _behind_a_link,
    "it is a pipe": _as_pipe,
    "it is a device": pytest.param(_as_device, marks=as_root),
    "it is a stranger's": pytest.param(lambda path: os.chown(path, STRANGER, -1), marks=as_root),
}


def looks(path):
    found = path.lstat()
    content = path.read_bytes() if stat.S_ISREG(found.st_mode) else b""
    return found.st_ino, found.st_mode, found.st_uid, found.st_nlink, content


@pytest.mark.parametrize("spoil", FILES.values(), ids=FILES)
def test_a_file_that_others_may_have_made_is_left_and_stops_nobody(victim, caplog, spoil):
    path, good = victim.plant(), victim.plant()
    spoil(path)
    before = looks(path)
    victim.recover()
    victim.recover()
    assert looks(path) == before
    assert victim.params == {good.name[:8]}
    assert not good.exists()
    assert caplog.text.count("is not taken over") == 1
    assert "right is a plain file of the user" in caplog.text


NAMES = {
    "large letters": f"{'A' * 32}.000000.journal",
    "a copy": f"Copy of {'a' * 32}.000000.journal",
    "no number": f"{'a' * 32}.journal",
    "a long number": f"{'a' * 32}.0000000.journal",
    "another journal's": f"{'a' * 32}.000000.journal",
    "a way up": "..journal",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_file_is_called_as_its_header_says(victim, caplog, name):
    path = victim.plant(name=name)
    before = looks(path)
    victim.recover()
    assert looks(path) == before
    assert victim.params == set()
    assert caplog.text.count("is not taken over") == 1


@pytest.mark.parametrize("evil", ["../../evil", "/etc/evil", "..", ""])
def test_a_header_names_no_place(victim, evil):
    path = victim.plant(file_content(SpooledFile(run_id="r", path="p", spooled="s")), journal_id=evil,
                        name=f"{'b' * 32}.000000.journal")  # fmt: skip
    victim.recover()
    assert path.exists()
    assert not list(victim.store.parent.rglob("*evil*"))
    assert victim.params == set()


FOLDERS = {
    "anybody may write it": lambda folder: folder.chmod(0o777),
    "anybody may, and remove only their own": lambda folder: folder.chmod(0o1777),
    "its group may write it": lambda folder: folder.chmod(0o770),
    "it is a stranger's": pytest.param(
        lambda folder: os.chown(folder, STRANGER, -1), marks=as_root
    ),
}


@pytest.mark.parametrize("spoil", FOLDERS.values(), ids=FOLDERS)
def test_nothing_is_taken_from_a_folder_that_others_may_write(victim, caplog, spoil):
    path = victim.plant()
    spoil(victim.folder)
    for _ in range(2):
        victim.recover()
        recover_all(victim.services.uri, lambda: victim.services)
    assert victim.params == set()
    assert path.exists()
    assert caplog.text.count("is not taken over") == 1
    assert "chmod go-w" in caplog.text
    # What is logged from now on has a folder that nobody else writes.
    own = folder_to_log_to(victim.services.uri)
    assert (
        own
        == victim.folder.with_name(f"journals-{os.geteuid()}")
        == journal_folder(victim.services.uri)
    )
    journal = Journal(own, victim.services.uri)
    journal.entry(RunEntry(run_id=victim.run_id, params=[Param("mine", "1")]))
    for segment in journal.segments:
        segment.close()
    recover_all(victim.services.uri, lambda: victim.services)
    assert victim.params == {"mine"}


def test_a_folder_that_is_a_link_is_none(victim, tmp_path):
    path = victim.plant()
    moved = victim.folder.rename(tmp_path / "elsewhere")
    victim.folder.symlink_to(moved)
    victim.recover()
    assert victim.params == set()
    assert (moved / path.name).exists()


# --- what we write ----------------------------------------------------------------------------------


def modes(folder):
    return {
        path.relative_to(folder).as_posix().split(".", 1)[-1][:6]: stat.S_IMODE(path.stat().st_mode)
        for path in folder.rglob("*")
    }


def test_files_of_ours_are_for_their_user_alone(victim):
    before = os.umask(0)
    try:
        folder = victim.store.with_name("other") / "journals"
        journal = Journal(folder, victim.services.uri)
        unknown = uuid.uuid4().hex
        journal.entry(RunEntry(run_id=unknown, params=[Param("p", "1")]))
        Drain(journal.journal_id, folder, journal.segments).run(StoreSink(victim.services))
        journal.spool(victim.run_id, "a.txt", io.BytesIO(b"waits"))
    finally:
        os.umask(before)
    found = modes(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert found.pop("files") == 0o700
    assert len(found) == 3
    assert set(found.values()) == {0o600}
    for segment in journal.segments:
        segment.close()


@pytest.mark.parametrize("kind", ["link", "hard link", "pipe"])
def test_what_is_refused_is_written_over_nothing(victim, caplog, kind):
    journal = Journal(victim.folder, victim.services.uri)
    place = victim.folder / f"{journal.journal_id}.refused.jsonl"
    {"link": lambda: place.symlink_to(victim.secret), "hard link": lambda: os.link(victim.secret, place),
     "pipe": lambda: os.mkfifo(place)}[kind]()  # fmt: skip
    new = NewRun(experiment_id="12345", start_time=1)
    journal.entry(RunEntry(run_id=uuid.uuid4().hex, new=new, params=[Param("p", "told")]))
    Drain(journal.journal_id, victim.folder, journal.segments).run(StoreSink(victim.services))
    assert victim.secret.read_text() == SECRET
    assert "told" in caplog.text  # it is in the log, then
    for segment in journal.segments:
        segment.close()
