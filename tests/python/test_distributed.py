import os
import signal
import threading
import time

import numpy as np
import pytest

import libdose

distributed = pytest.importorskip("distributed")
from libdose import distributed as many  # noqa: E402


@pytest.fixture(scope="module")
def client():
    with distributed.LocalCluster(n_workers=3, threads_per_worker=1, processes=True,
                                  dashboard_address=None) as cluster:
        with distributed.Client(cluster) as client:
            yield client


def test_influence_is_the_same_with_a_worker_killed_on_the_way(client, ct, plan, structures, tmp_path):
    alone = libdose.influence(plan, ct, structures, beamlet_mm=10, grid_mm=4)
    file = tmp_path / "influence.h5"
    killed = []

    def kill_one():
        # Once a part has been written, while others are on the way.
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if list(tmp_path.glob("influence.h5.parts-*/*.h5")):
                busy = {address for address, tasks in client.processing().items() if tasks}
                for address, pid in client.run(os.getpid).items():
                    if address in busy:
                        os.kill(pid, signal.SIGKILL)
                        killed.append(pid)
                        return
            time.sleep(0.01)

    killer = threading.Thread(target=kill_one)
    killer.start()
    together = many.influence(client, plan, ct, structures, file=file, beamlet_mm=10, grid_mm=4,
                              beamlets_per_task=6)
    killer.join()
    assert len(killed) == 1
    assert together.shape == alone.shape == (alone.shape[0], 72)
    assert (together.to_scipy() != alone.to_scipy()).nnz == 0
    assert not list(tmp_path.glob("*.parts-*"))


@pytest.fixture(scope="module")
def two_plans(phantom, tmp_path_factory):
    """The phantom with the plans that are quickly calculated."""
    folder = tmp_path_factory.mktemp("two")
    for file, kind, _, _, _, label in libdose._libdose.index_dicom([phantom.folder])[0]:
        if kind != "RTPLAN" or label in ("four-field", "wedge"):
            (folder / file.name).symlink_to(file)
    return folder


def test_folder_of_plans(client, two_plans, tmp_path):
    settings = dict(engine="pencil-beam", grid_mm=8)
    tasks = many.calculate_plans(client, [two_plans], out=tmp_path, **settings)
    files = client.gather(tasks)
    case = libdose.read_dicom(two_plans)
    assert len(case.plans) == 2
    assert set(files) == {plan.sop_instance_uid for plan in case.plans}
    plan = next(plan for plan in case.plans if plan.label == "four-field")
    here = libdose.calculate(plan, case.ct, case.structures, **settings)
    there = libdose.Dose.read(files[plan.sop_instance_uid])
    assert np.array_equal(here.array, there.array)
    assert there.provenance["model_hashes"] == here.provenance["model_hashes"]


def test_error_of_a_worker_comes_back(client, two_plans, tmp_path):
    tasks = many.calculate_plans(client, [two_plans], out=tmp_path, engine="pencil-beam", grid_mm=8,
                                 quality="best", retries=0)
    with pytest.raises(libdose.BadInput, match="unknown quality"):
        client.gather(list(tasks.values()))
