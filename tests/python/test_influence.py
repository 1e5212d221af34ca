import pickle

import numpy as np
import pytest

import libdose

sparse = pytest.importorskip("scipy.sparse")


@pytest.mark.parametrize("engine", ["pencil-beam", "collapsed-cone"])
def test_weighted_columns_are_the_forward_dose(ct, plan, structures, engine):
    settings = libdose.Engine(engine=engine, quality="draft", grid_mm=5)
    matrix = settings.influence(plan, ct, structures, beamlet_mm=15)
    assert matrix.shape == (np.prod(matrix.grid_shape), 32)
    weights = np.linspace(20, 100, 32)
    forward = settings.calculate_beamlets(plan, ct, structures, weights, beamlet_mm=15)
    assert libdose.gamma(forward, matrix.dose(weights), dose_percent=1, distance_mm=1,
                         threshold_percent=5).pass_rate > 99
    assert np.allclose(matrix.to_scipy() @ weights, matrix @ weights, rtol=1e-5, atol=1e-7)


def test_scipy_matrix_shares_the_memory_and_outlives_it(ct, plan, structures):
    matrix = libdose.influence(plan, ct, structures, beamlet_mm=15, grid_mm=5)
    csc = matrix.to_scipy()
    begin, voxel, gy = matrix.columns(0, matrix.shape[1])
    assert (csc.dtype == np.float32 and csc.has_canonical_format and np.shares_memory(csc.data, gy)
            and np.shares_memory(csc.indices, voxel))
    total = float(csc.sum())
    del matrix, begin, voxel, gy
    assert float(csc.sum()) == total > 0


def test_target_chooses_the_beamlets(ct, plan, structures):
    matrix = libdose.influence(plan, ct, structures, beamlet_mm=10, target="PTV", margin_mm=0, grid_mm=5)
    beamlets = matrix.beamlets
    assert set(beamlets["beam"]) == {0, 1} and np.abs(beamlets["u_mm"]).max() < 40
    assert libdose.Engine().count_beamlets(plan, ct, structures, beamlet_mm=10, target="PTV",
                                           margin_mm=0) == pytest.approx(matrix.shape[1], abs=8)
    with pytest.raises(libdose.BadInput, match="Structures: BODY, PTV"):
        libdose.influence(plan, ct, structures, target="GTV")


def test_matrix_in_a_file(ct, plan, structures, tmp_path):
    whole = libdose.influence(plan, ct, structures, beamlet_mm=15, grid_mm=5)
    with pytest.raises(libdose.BadInput, match="larger than"):
        libdose.influence(plan, ct, structures, beamlet_mm=15, grid_mm=5, memory_gb=1e-4)
    spilled = libdose.influence(plan, ct, structures, beamlet_mm=15, grid_mm=5, memory_gb=1e-4,
                                file=tmp_path / "i.h5")
    assert spilled.file and not whole.file and spilled.entries == whole.entries
    assert (spilled.to_scipy() != whole.to_scipy()).nnz == 0
    again = pickle.loads(pickle.dumps(spilled))
    assert np.array_equal(again @ np.ones(32), whole @ np.ones(32))
    with pytest.raises(TypeError, match="write"):
        pickle.dumps(whole)
    whole.write(tmp_path / "w.h5")
    assert (libdose.DoseInfluence.read(tmp_path / "w.h5").to_scipy() != whole.to_scipy()).nnz == 0
    blocks = list(spilled.blocks(10))
    assert [(first, last) for first, last, _ in blocks] == [(0, 10), (10, 20), (20, 30), (30, 32)]


def test_parts_join_to_the_same_bits_and_others_do_not(ct, plan, structures, tmp_path):
    engine = libdose.Engine(engine="pencil-beam", grid_mm=5)
    whole = engine.influence(plan, ct, structures, beamlet_mm=15)
    parts = [engine.influence(plan, ct, structures, beamlet_mm=15, part=part)
             for part in ((0, 7), (7, 20), (20, 32))]
    joined = libdose.DoseInfluence.join(parts, tmp_path / "joined.h5")
    assert (joined.to_scipy() != whole.to_scipy()).nnz == 0
    other = engine.influence(plan, ct, structures, beamlet_mm=15, part=(0, 7), cutoff=0)
    with pytest.raises(libdose.BadInput, match="not of one calculation"):
        libdose.DoseInfluence.join([parts[0], other], tmp_path / "no.h5")
    assert not (tmp_path / "no.h5").exists()


def test_wrong_weights_are_refused(ct, plan, structures):
    matrix = libdose.influence(plan, ct, structures, beamlet_mm=30, grid_mm=5)
    with pytest.raises(ValueError, match="8 finite weights"):
        matrix.dose(np.ones(7))
    with pytest.raises(ValueError):
        matrix.dose(np.full(8, np.nan))


def test_matrad_counts_voxels_along_y_first(ct, plan, structures, tmp_path):
    import scipy.io

    matrix = libdose.influence(plan, ct, structures, beamlet_mm=15, grid_mm=5)
    scipy.io.savemat(tmp_path / "dij.mat", {"dij": matrix.to_matrad()})
    dij = scipy.io.loadmat(tmp_path / "dij.mat", squeeze_me=True, struct_as_record=False)["dij"]
    assert (dij.totalNumOfBixels == 32 and dij.numOfBeams == 2 and list(dij.beamNum[[0, 15, 16]]) == [1, 1, 2]
            and list(dij.rayNum[[15, 16]]) == [16, 1])
    # A matRad cube is [y, x, z], first index fastest.
    weights = np.linspace(1, 2, 32)
    cube = (dij.physicalDose @ weights).reshape(dij.doseGrid.dimensions.astype(int), order="F")
    ours = np.asarray(matrix.dose(weights).array)
    assert np.allclose(cube.transpose(2, 0, 1), ours, rtol=1e-5, atol=1e-7)
    assert dij.doseGrid.x[0] == matrix.origin_mm[0] and dij.doseGrid.y[1] - dij.doseGrid.y[0] == 5
