"""Reference data: the registry, the folder, and files fetched from a server on this machine."""

import hashlib
import http.server
import logging
import threading

import pytest

from probekit import data
from probekit.errors import DataError, UnknownNameError

CONTENT = b"three neurons\n" * 100


@pytest.fixture
def server(tmp_path):
    """A folder served over http on this machine, and its address."""
    served = tmp_path / "served"
    served.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(served))

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield served, f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


@pytest.fixture
def toy(server, tmp_path, monkeypatch):
    """A registry of one data set of two files, one in a sub-folder, served here; and the empty data folder."""
    served, address = server
    files = []
    for name in ("a.bin", "deep/b.bin"):
        (served / name).parent.mkdir(exist_ok=True)
        (served / name).write_bytes(CONTENT)
        sha256 = hashlib.sha256(CONTENT).hexdigest()
        files.append(data._File("toy", name, len(CONTENT), sha256, f"{address}/{name}", "none", "nobody"))
    monkeypatch.setattr(data, "_registry", lambda: {"toy": files})
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("PROBEKIT_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return served, tmp_path / "data"


def files_under(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_registry_is_complete_and_well_formed():
    files = [file for group in data._registry().values() for file in group]
    assert len(files) == 1213
    assert len({(file.dataset, file.file) for file in files}) == len(files)
    assert {file.dataset for file in files if file.by_hand} == {"cichy2016", "vim-1"}
    for file in files:
        if file.by_hand:
            assert (file.bytes, file.sha256) == (None, "")
        else:
            assert len(file.sha256) == 64
            assert int(file.sha256, 16) >= 0
            assert file.bytes > 0
        assert file.url.startswith(("https://", "http://") if file.by_hand else "https://")
        assert file.licence
        assert file.citation
        assert not file.file.startswith("/")
        assert ".." not in file.file.split("/")


def test_datasets_has_one_row_a_data_set(tmp_path, monkeypatch):
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path))
    table = data.datasets()
    assert list(table.columns) == ["name", "n_files", "megabytes", "licence", "citation", "access", "here"]
    assert table["name"].is_monotonic_increasing
    assert table["name"].is_unique
    assert table["n_files"].sum() == 1213
    assert not table["here"].any()
    known = table.set_index("name")
    assert known.loc["ringach2002", "megabytes"] == pytest.approx(0.0416)
    assert known.index[known["access"] == "by hand"].tolist() == ["cichy2016", "vim-1"]
    assert known.index[known["megabytes"].isna()].tolist() == ["cichy2016", "vim-1"]


def test_folder_follows_the_environment_and_is_not_created(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PROBEKIT_DATA", "~/mine")
    assert data.folder() == tmp_path / "mine"
    monkeypatch.delenv("PROBEKIT_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert data.folder() == tmp_path / "xdg" / "probekit"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data.folder() == tmp_path / ".cache" / "probekit"
    assert list(tmp_path.iterdir()) == []


def test_fetch_downloads_what_is_missing_and_tells_how_far_it_is(toy):
    _, folder = toy
    steps = []
    assert not data.here("toy")
    paths = data.fetch("toy", progress=lambda *step: steps.append(step))
    assert paths == [folder / "toy/a.bin", folder / "toy/deep/b.bin"]
    assert all(path.read_bytes() == CONTENT for path in paths)
    assert steps == [("fetching toy", 1, 2), ("fetching toy", 2, 2)]
    assert data.here("toy")
    assert data.datasets()["here"].tolist() == [True]


def test_fetch_of_one_file_downloads_only_that(toy, caplog):
    _, folder = toy
    with caplog.at_level(logging.INFO, logger="pooch"):
        assert data.fetch("toy", "deep/b.bin") == [folder / "toy/deep/b.bin"]
    assert files_under(folder) == ["toy/deep/b.bin"]
    assert not data.here("toy")
    assert not caplog.records, "the progress callback tells, not a logger"


def test_fetch_of_files_that_are_here_touches_neither_network_nor_disk(toy, monkeypatch):
    _, folder = toy
    data.fetch("toy")
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    monkeypatch.setattr(data, "_download", lambda file: pytest.fail(f"downloads {file}"))
    data.fetch("toy")
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_an_altered_file_is_named_and_left_alone(toy):
    _, folder = toy
    altered = folder / "toy/a.bin"
    altered.parent.mkdir(parents=True)
    altered.write_bytes(b"x" * len(CONTENT))
    with pytest.raises(DataError, match=r"a\.bin is not the file it should be.*Remove it"):
        data.fetch("toy", "a.bin")
    assert altered.read_bytes() == b"x" * len(CONTENT)


def test_a_file_altered_after_a_check_is_noticed(toy):
    (path,) = data.fetch("toy", "a.bin")
    path.write_bytes(CONTENT + b"more")
    with pytest.raises(DataError, match="is not the file it should be"):
        data.fetch("toy", "a.bin")


def test_wrong_content_at_the_address_leaves_no_file(toy):
    served, folder = toy
    (served / "a.bin").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"a\.bin cannot be downloaded.*(?s:.*)put it into .*toy as a\.bin"):
        data.fetch("toy", "a.bin")
    assert files_under(folder) == []


def test_nothing_at_the_address_leaves_no_file(toy):
    served, folder = toy
    (served / "a.bin").unlink()
    with pytest.raises(DataError, match="404"):
        data.fetch("toy", "a.bin")
    assert files_under(folder) == []


def test_offline_names_file_address_and_folder_and_creates_nothing(toy, monkeypatch):
    _, folder = toy
    monkeypatch.setenv("PROBEKIT_OFFLINE", "1")
    with pytest.raises(DataError, match=r"PROBEKIT_OFFLINE is 1.*http://127.*/a\.bin.*data/toy as a\.bin"):
        data.fetch("toy", "a.bin")
    assert not folder.exists()


def test_a_server_that_is_down_is_said_to_be(monkeypatch, tmp_path):
    monkeypatch.delenv("PROBEKIT_OFFLINE", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert data.unreachable("http://127.0.0.1:9/x") == "127.0.0.1 does not answer"


def test_behind_a_proxy_no_connection_is_tried(monkeypatch):
    monkeypatch.delenv("PROBEKIT_OFFLINE", raising=False)
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert data.unreachable("https://nowhere.invalid/x") == ""


def test_a_folder_that_cannot_be_written_is_a_data_error(toy):
    _, folder = toy
    folder.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"a\.bin cannot be downloaded"):
        data.fetch("toy", "a.bin")


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A registry of one data set that is fetched by hand, from two pages; and the empty data folder."""
    files = [
        data._File("kept", name, None, "", f"https://{page}.invalid/", "ask", "nobody")
        for name, page in (("a.mat", "one"), ("b.mat", "one"), ("c.mat", "two"))
    ]
    monkeypatch.setattr(data, "_registry", lambda: {"kept": files})
    monkeypatch.setattr(data, "_download", lambda file: pytest.fail(f"downloads {file}"))
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path))
    return tmp_path / "kept"


def test_what_is_fetched_by_hand_is_asked_for_with_pages_files_and_folder(kept):
    asked = (
        r"'kept' is fetched by hand.*Get a\.mat, b\.mat from https://one\.invalid/; c\.mat from https://two\.invalid/ "
    )
    with pytest.raises(DataError, match=asked + r"and put them into .*kept\.$"):
        data.fetch("kept")
    with pytest.raises(DataError, match=r"Get b\.mat from https://one\.invalid/ and put"):
        data.fetch("kept", "b.mat")
    assert not kept.exists()
    assert data.datasets().loc[0, ["access", "here"]].tolist() == ["by hand", False]


def test_what_was_put_there_by_hand_is_found_and_not_judged(kept):
    kept.mkdir()
    (kept / "a.mat").write_bytes(b"anything")
    assert data.fetch("kept", "a.mat") == [kept / "a.mat"]
    with pytest.raises(DataError, match=r"Get b\.mat from https://one\.invalid/; c\.mat"):
        data.fetch("kept")
    assert not data.here("kept")
    for name in ("b.mat", "c.mat"):
        (kept / name).write_bytes(b"anything else")
    assert data.here("kept")
    assert [path.name for path in data.fetch("kept")] == ["a.mat", "b.mat", "c.mat"]


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no data set called 'ringach'.*Did you mean 'ringach2002'"):
        data.fetch("ringach")
    with pytest.raises(UnknownNameError, match="no data set called 'x'"):
        data.here("x")
    with pytest.raises(UnknownNameError, match=r"file in data set 'imagenet-stubs'.*Did you mean 'koala\.jpg'"):
        data.fetch("imagenet-stubs", "koalas.jpg")


@pytest.mark.data
@pytest.mark.parametrize("name", [name for name, files in sorted(data._registry().items()) if not files[0].by_hand])
def test_every_reference_file_has_its_content(name):
    assert data.here(name)
    assert len(data.fetch(name)) == len(data._registry()[name])
