"""Sets too large to lie here: loaders on small files of the documented formats, in both of MATLAB's."""

import sys

import numpy as np
import pytest
import scipy.io
import torch

from probekit.brains import cichy2016, matlab, vim1, zhang2011
from probekit.errors import DataError, UsageError

N = 118


def save_old(path, **arrays):
    scipy.io.savemat(path, arrays)


def save_new(path, **arrays):
    """Write as MATLAB 7.3 does: HDF5 after 512 bytes of text, axes reversed."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in arrays.items():
            file[name] = np.asarray(values).T
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124))


FORMATS = pytest.mark.parametrize("save", [save_old, save_new])


def squares(*leading, seed=0):
    """Return symmetric matrices with nan on the diagonal, shape (*leading, image, image)."""
    drawn = np.random.default_rng(seed).random((*leading, N, N))
    full = drawn + drawn.swapaxes(-1, -2)
    full[..., np.arange(N), np.arange(N)] = np.nan
    return full


def pairs(full):
    return full[..., *np.triu_indices(N, 1)]


# the files


@FORMATS
def test_arrays_have_matlabs_axes_whole_and_in_part(tmp_path, save):
    values = np.arange(24.0).reshape(2, 3, 4)
    save(tmp_path / "a.mat", values=values)
    with matlab.opened(tmp_path / "a.mat", ["values"]) as stored:
        assert stored["values"].shape == (2, 3, 4)
        for key in (slice(None), 1, (1, slice(None), slice(None, None, 2)), (slice(None), 2), (0, 1, 2)):
            assert np.array_equal(stored["values"][key], values[key]), key


@FORMATS
def test_a_missing_variable_is_named_beside_those_that_are_there(tmp_path, save):
    save(tmp_path / "a.mat", EVC_RDM=np.zeros((2, 2)), IT=np.zeros((2, 2)))
    with (
        pytest.raises(DataError, match=r"no variable 'EVC_RDMs' but EVC_RDM, IT\. Did you mean 'EVC_RDM'"),
        matlab.opened(tmp_path / "a.mat", ["EVC_RDMs"]),
    ):
        pass


def test_what_is_no_matlab_file_is_said_to_be_none(tmp_path):
    (tmp_path / "a.mat").write_bytes(b"<html>please log in</html>" * 20)
    with (
        pytest.raises(DataError, match=r"a\.mat cannot be read as a MATLAB file"),
        matlab.opened(tmp_path / "a.mat", ["x"]),
    ):
        pass
    (tmp_path / "b.mat").write_bytes(matlab._HDF5 + b"cut short")
    pytest.importorskip("h5py")
    with (
        pytest.raises(DataError, match=r"b\.mat cannot be read as a MATLAB 7\.3 file"),
        matlab.opened(tmp_path / "b.mat", ["x"]),
    ):
        pass


def test_damaged_files_are_said_to_be_unreadable(tmp_path):
    save_old(tmp_path / "a.mat", values=np.arange(1000.0))
    scipy.io.savemat(tmp_path / "b.mat", {"values": np.random.default_rng(0).random(1000)}, do_compression=True)
    whole, packed = ((tmp_path / name).read_bytes() for name in ("a.mat", "b.mat"))
    for content in (b"", whole[:100], whole[:500], packed[:500], packed[:200] + bytes(100) + packed[300:]):
        (tmp_path / "c.mat").write_bytes(content)
        with pytest.raises(DataError, match=r"c\.mat cannot be read as a MATLAB file"):
            matlab.read(tmp_path / "c.mat")


def test_without_h5py_the_error_says_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.mat").write_bytes(b" " * 512 + matlab._HDF5)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with (
        pytest.raises(DataError, match=r"a\.mat is in the format of MATLAB 7\.3.*pip install h5py"),
        matlab.opened(tmp_path / "a.mat", ["x"]),
    ):
        pass


# 118 objects


@FORMATS
def test_fmri_of_118_objects(tmp_path, save):
    evc, it = squares(3, seed=1), squares(3, seed=2)
    save(tmp_path / "target_fmri.mat", EVC_RDMs=evc, IT_RDMs=it)
    for region, loaded, expected in (("EVC", cichy2016.evc(tmp_path), evc), ("IT", cichy2016.it(tmp_path), it)):
        assert np.array_equal(loaded.dissimilarities, pairs(expected))
        assert loaded.table.to_dict("list") == {"subject": [1, 2, 3], "region": [region] * 3}
        assert loaded.conditions[:2] == ("object_001", "object_002")


@FORMATS
def test_meg_in_two_intervals(tmp_path, save):
    early, late = squares(2, 3, seed=1), squares(2, 4, seed=2)
    save(tmp_path / "target_meg.mat", MEG_RDMs_early=early, MEG_RDMs_late=late)
    loaded = cichy2016.meg_intervals(tmp_path)
    expected = np.concatenate([pairs(early.mean(axis=1)), pairs(late.mean(axis=1))])
    np.testing.assert_allclose(loaded.dissimilarities, expected, rtol=1e-12)  # the mean's rounding
    assert loaded.table.to_dict("list") == {"subject": [1, 2, 1, 2], "interval": ["early"] * 2 + ["late"] * 2}


@FORMATS
@pytest.mark.parametrize("n_sessions", [1, 2])
def test_meg_over_time(tmp_path, save, n_sessions):
    accuracies = squares(2, n_sessions, 11)
    save(tmp_path / "MEG_decoding_RDMs.mat", MEG_decoding_RDMs=accuracies)
    loaded = cichy2016.meg(tmp_path, step_ms=4)
    assert loaded.table["time_ms"].tolist() == [-100, -96, -92] * 2
    assert loaded.table["subject"].tolist() == [1] * 3 + [2] * 3
    expected = pairs(accuracies.mean(axis=1)[:, ::4]).reshape(6, -1)
    np.testing.assert_allclose(loaded.dissimilarities, expected, rtol=1e-12)  # the mean's rounding
    assert len(cichy2016.meg(tmp_path, step_ms=1)) == 22


def test_sets_of_another_shape_are_refused(tmp_path):
    save_old(tmp_path / "target_fmri.mat", EVC_RDMs=np.zeros((15, 92, 92)), IT_RDMs=np.zeros((N, N)))
    with pytest.raises(DataError, match=r"EVC_RDMs has shape \(15, 92, 92\).*cichy2014"):
        cichy2016.evc(tmp_path)
    with pytest.raises(DataError, match=r"IT_RDMs has shape \(118, 118\); expected \(subject, image, image\)"):
        cichy2016.it(tmp_path)
    save_old(tmp_path / "MEG_decoding_RDMs.mat", MEG_decoding_RDMs=np.zeros((2, 3, N, N)))
    with pytest.raises(DataError, match=r"expected \(subject, session, time, image, image\)"):
        cichy2016.meg(tmp_path)
    with pytest.raises(UsageError, match="step_ms is 0"):
        cichy2016.meg(tmp_path, step_ms=0)


def pictures(n, side=30):
    drawn = np.random.default_rng(4).integers(0, 256, (n, side, side, 3), dtype=np.uint8)
    shown = np.empty((1, n), dtype=[("names", object), ("pixels", object)])
    for place in range(n):
        shown[0, place] = (f"image_{place + 1:03d}.jpg", drawn[place])
    return drawn, shown


def test_the_118_images(tmp_path):
    drawn, shown = pictures(N)
    save_old(tmp_path / "118images.mat", visual_stimuli=shown)
    loaded = cichy2016.object_images(30, tmp_path)
    assert torch.equal((loaded.batch([0, 117]) * 255).round().byte(), torch.from_numpy(drawn[[0, 117]]).movedim(-1, 1))
    assert loaded.table.iloc[1].to_dict() == {"condition": "object_002", "file": "image_002.jpg"}
    assert cichy2016.object_images(16, tmp_path).shape == (3, 16, 16)


def test_other_images_are_refused(tmp_path):
    save_old(tmp_path / "118images.mat", visual_stimuli=pictures(92)[1])
    with pytest.raises(DataError, match="has 92 images, of which 0 are not"):
        cichy2016.object_images(30, tmp_path)
    save_old(tmp_path / "118images.mat", images=np.zeros(3))
    with pytest.raises(DataError, match=r"no structure array 'visual_stimuli'.*KeyError"):
        cichy2016.object_images(30, tmp_path)


# vim-1


@pytest.fixture
def written(tmp_path):
    """Write small files of vim-1, and return their arrays and the folder."""
    drawn = np.random.default_rng(0)
    arrays = {
        "dataTrnS1": drawn.standard_normal((5, 1750)).astype(np.float32),
        "dataValS1": drawn.standard_normal((5, 120)).astype(np.float32),
        "roiS1": np.array([[0], [1], [6], [7], [1]]),
        "voxIdxS1": np.array([[10], [20], [30], [40], [50]]),
    }
    arrays["dataTrnS1"][1, 3] = np.nan
    arrays["dataValS1"][3, 7] = np.nan
    photographs = {name: drawn.random((n, 6, 4)).astype(np.float32) - 0.5 for name, n in
                   (("stimTrn", 1750), ("stimVal", 120))}  # fmt: skip
    save_new(tmp_path / "EstimatedResponses.mat", **arrays)
    save_old(tmp_path / "Stimuli.mat", **photographs)
    return arrays, photographs, tmp_path


def test_vim1(written):
    arrays, photographs, folder = written
    loaded = vim1.load(folder)
    assert loaded.n_dropped == 2
    assert np.array_equal(loaded.training_responses, arrays["dataTrnS1"][[0, 2, 4]])
    assert np.array_equal(loaded.validation_responses, arrays["dataValS1"][[0, 2, 4]])
    assert loaded.voxels.to_dict("list") == {"area": ["other", "V4", "V1"], "index": [10, 30, 50]}
    assert (len(loaded.training), len(loaded.validation), loaded.training.shape) == (1750, 120, (3, 6, 4))
    every = np.concatenate([photographs["stimTrn"], photographs["stimVal"]])
    expected = (every - every.min()) / (every.max() - every.min())
    for stimuli, values in ((loaded.training, expected[:1750]), (loaded.validation, expected[1750:])):
        shown = stimuli.batch(range(len(stimuli))).numpy()
        np.testing.assert_allclose(shown, np.repeat(values[:, None], 3, axis=1), atol=1e-6)  # float32
    assert loaded.validation.table["condition"].tolist()[0] == "validation_0001"


def test_what_vim1_is_not_is_said(written):
    arrays, photographs, folder = written
    with pytest.raises(UsageError, match="subject is 3; allowed: 1, 2"):
        vim1.load(folder, subject=3)
    with pytest.raises(DataError, match="no variable 'dataTrnS2'"):
        vim1.load(folder, subject=2)
    save_old(folder / "Stimuli.mat", **{**photographs, "stimVal": photographs["stimVal"][:9]})
    with pytest.raises(DataError, match=r"stimVal has shape \(9, 6, 4\); expected \(120, y, x\)"):
        vim1.load(folder)
    save_old(folder / "Stimuli.mat", **{name: np.zeros_like(values) for name, values in photographs.items()})
    with pytest.raises(DataError, match=r"every pixel of the photographs is 0\.0"):
        vim1.load(folder)
    save_new(folder / "EstimatedResponses.mat", **{**arrays, "roiS1": arrays["roiS1"] + 3})
    with pytest.raises(DataError, match=r"roiS1 holds \[3, 4, 9, 10\]; expected 0 … 7"):
        vim1.load(folder)
    save_new(folder / "EstimatedResponses.mat", **{**arrays, "roiS1": arrays["roiS1"][:3]})
    with pytest.raises(DataError, match=r"have shapes .*expected \(voxel, 1750\)"):
        vim1.load(folder)
    save_new(folder / "EstimatedResponses.mat", **{**arrays, "dataValS1": arrays["dataValS1"] * np.nan})
    with pytest.raises(DataError, match="every voxel of subject 1 has a response that is not a number"):
        vim1.load(folder)


# where they are looked for


def test_a_folder_without_the_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"target_meg\.mat does not exist; folder must hold target_meg\.mat"):
        cichy2016.meg_intervals(tmp_path)


def test_without_a_folder_the_way_to_the_file_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PROBEKIT_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"target_fmri\.mat from http://algonauts.*put them into .*cichy2016"):
        cichy2016.evc()
    with pytest.raises(DataError, match=r"EstimatedResponses\.mat from https://crcns\.org.*put them into .*vim-1"):
        vim1.load()


# rasters


def raster(objects=("car", "hand"), **changes):
    cells = np.array(objects, dtype=object), np.array(["upper", "lower"], dtype=object)
    labels = dict(zip(("stimulus_ID", "stimulus_position"), cells, strict=True))
    site = {"session_ID": 7, "recording_channel": 2, "unit": "A", "alignment_event_time": 501}
    held = {"raster_data": np.eye(2, 1000, dtype=np.uint8), "raster_labels": labels, "raster_site_info": site}
    return {**held, **changes}


def test_rasters_of_a_folder(tmp_path):
    scipy.io.savemat(tmp_path / "bp7_raster_data.mat", raster())
    spikes = zhang2011.load(tmp_path)
    assert spikes.units.to_dict("records") == [
        {"unit": "7_02A", "session": 7, "channel": 2, "letter": "A", "n_trials": 2}
    ]
    assert spikes.objects[0].tolist() == ["car", "hand"]
    assert spikes.binned(2, 2).counts[0][:, :2].tolist() == [[1, 0], [1, 0]]


def test_other_rasters_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds no file called"):
        zhang2011.load(tmp_path)
    file = tmp_path / "bp7_raster_data.mat"
    scipy.io.savemat(file, {"raster_data": np.zeros((2, 3))})
    with pytest.raises(DataError, match=r"is not a raster file of this data set: KeyError\('raster_labels'\)"):
        zhang2011.load(tmp_path)
    scipy.io.savemat(file, raster(raster_data=np.zeros((3, 1000), dtype=np.uint8)))
    with pytest.raises(DataError, match=r"spikes \(3, 1000\), 2 objects"):
        zhang2011.load(tmp_path)
    scipy.io.savemat(file, raster(objects=("car", "house")))
    with pytest.raises(DataError, match=r"unknown labels \['house'\]"):
        zhang2011.load(tmp_path)
