import dataclasses
import os
import pickle
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import libdose


def test_bits_are_those_of_the_command_line(phantom, tmp_path):
    phantom.dose("calc", str(phantom.folder), "--plan", "four-field", "--grid", "6", "--quality", "draft",
                 "--per-beam", "--out", str(tmp_path))
    case = libdose.read_dicom(phantom.folder, plan="four-field")
    dose = libdose.calculate(case.plans[0], case.ct, case.structures, grid_mm=6, quality="draft",
                             per_beam=True)
    theirs = libdose.Dose.read(tmp_path / "dose.h5")
    assert np.array_equal(dose.array, theirs.array)
    assert dose.origin_mm == theirs.origin_mm and dose.spacing_mm == (6, 6, 6)
    assert dose.provenance["model_hashes"] == theirs.provenance["model_hashes"]
    assert dose.provenance["hu_curve_hash"] == theirs.provenance["hu_curve_hash"] != ""
    assert dose.provenance["input_uids"] == theirs.provenance["input_uids"]
    assert (len(dose.beams) == 4
            and {beam.beam_number for beam in dose.beams} == {b.number for b in case.plans[0].beams})


def test_case_holds_every_plan_of_the_folder(phantom):
    case = libdose.read_dicom(phantom.folder)
    assert {plan.label for plan in case.plans} == {"four-field", "sliding-window", "vmat", "wedge", "bolus",
                                                   "halcyon"}
    assert case.structures.names and "PTV" in " ".join(case.structures.names)
    vmat = next(plan for plan in case.plans if plan.label == "vmat")
    assert len(vmat.beams[0].control_points) > 100
    assert np.asarray(vmat.beams[0].control_points[0].leaves[0].lower_mm).shape == (60,)
    assert pickle.loads(pickle.dumps(case.plans)) == case.plans


def test_plan_by_hand_gives_a_centigray_per_mu_at_the_reference(ct, structures):
    # 10x10 cm at SSD 100 cm: 1 cGy/MU at the depth of maximum. The cube is 24 cm wide, the calibration's 40
    # cm, and HU 0 is 1.018 g/cm3.
    model = libdose.BeamModel.load("generic-6MV")
    beam = libdose.Beam.static(1, isocentre_mm=(0, -120, 0), meterset_mu=250)
    dose = libdose.calculate(libdose.Plan(frame_of_reference_uid="1.2.3", beams=[beam]), ct, structures,
                             grid_mm=4, model=model)
    assert dose.at((0, -120 + 10 * model.depth_of_maximum_cm, 0)) == pytest.approx(2.5, rel=0.01)
    assert dose.summation == "plan" and dose.dose_to == "medium"


def test_arrays_are_views_and_outlive_their_objects(ct, plan, structures, coarse):
    dose = coarse.calculate(plan, ct, structures)
    array = dose.array
    assert array.dtype == np.float32 and array.ndim == 3 and not array.flags.owndata
    maximum = float(array.max())
    array *= 2
    assert dose.array.max() == pytest.approx(2 * maximum)
    del dose
    assert array.max() == pytest.approx(2 * maximum)
    assert ct.array.shape == (64, 64, 64) and ct.direction == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_array_order_is_z_y_x():
    hu = np.zeros((3, 4, 5), np.float32)
    hu[2, 1, 0] = 77
    ct = libdose.CtImage(hu, (1, 2, 3), (10, 20, 30))
    assert ct.array[2, 1, 0] == 77
    dose = libdose.Dose(hu, (1, 2, 3), (10, 20, 30))
    assert dose.at((10, 20 + 2, 30 + 6)) == pytest.approx(77)


def test_threads_and_processes_give_the_same_bits(ct, plan, structures, coarse):
    one = libdose.Engine(quality="draft", grid_mm=5, threads=1).calculate(plan, ct, structures)
    assert np.array_equal(one.array, coarse.calculate(plan, ct, structures).array)
    copy = pickle.loads(pickle.dumps((ct, structures, plan)))
    assert np.array_equal(one.array, coarse.calculate(copy[2], copy[0], copy[1]).array)


def test_pickled_dose_is_the_same(ct, plan, structures):
    dose = libdose.calculate(plan, ct, structures, quality="draft", grid_mm=8, per_beam=True)
    copy = pickle.loads(pickle.dumps(dose))
    assert np.array_equal(copy.array,
                          dose.array) and copy.provenance == dose.provenance and copy.notes == dose.notes
    assert np.array_equal(copy.beams[1].array, dose.beams[1].array) and copy.beams[1].beam_number == 2


def test_progress_is_reported_by_the_calling_thread(ct, plan, structures, coarse):
    import threading

    seen = []
    coarse.calculate(plan, ct, structures,
                     progress=lambda part, stage: seen.append((part, stage, threading.get_ident())))
    parts = [part for part, _, _ in seen]
    assert parts == sorted(parts) and 0 <= parts[0] and parts[-1] <= 1 and len(seen) >= 2
    assert {thread for _, _, thread in seen} == {threading.get_ident()}


def test_exception_of_progress_ends_the_calculation(ct, plan, structures):
    def stop(part, stage):
        if part > 0.05:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        libdose.calculate(plan, ct, structures, grid_mm=2, progress=stop)


def test_interrupt_ends_the_calculation(tmp_path):
    # Far longer than the test may take when it is not stopped.
    script = tmp_path / "long.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import sys
            sys.path.insert(0, {os.path.dirname(__file__)!r})
            from conftest import water_cube
            import libdose
            beam = libdose.Beam.static(1)
            plan = libdose.Plan(frame_of_reference_uid="1.2.3", beams=[beam])
            def started(part, stage):
                if part > 0.01:
                    print("started", flush=True)
            try:
                libdose.calculate(plan, water_cube(), quality="high", grid_mm=1.2, progress=started)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            """
        )
    )
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "started\n"
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert rest.splitlines()[-1] == "interrupted"


def test_errors_are_python_exceptions_with_the_message(ct, plan, structures, tmp_path):
    with pytest.raises(libdose.BadInput, match='unknown quality "best"') as error:
        libdose.calculate(plan, ct, structures, quality="best")
    assert error.value.advice == "Choose draft, standard or high"
    assert (isinstance(pickle.loads(pickle.dumps(error.value)), libdose.BadInput)
            and isinstance(error.value, ValueError))
    with pytest.raises(TypeError):
        libdose.calculate(plan, ct, structures, speed="high")
    with pytest.raises(libdose.BadInput, match="backend"):
        libdose.calculate(plan, ct, structures, backend="opencl")
    plan.beams[0].nominal_energy_mv = 8
    with pytest.raises(libdose.RefusedPlan, match="no beam model"):
        libdose.calculate(plan, ct, structures)
    plan.beams[0].nominal_energy_mv = "six"
    with pytest.raises(TypeError, match=r"Plan.beams\[0\].nominal_energy_mv is not a number"):
        libdose.calculate(plan, ct, structures)
    with pytest.raises(libdose.BadInput, match="frames of reference"):
        libdose.calculate(libdose.Plan(frame_of_reference_uid="9", beams=[libdose.Beam.static()]), ct,
                          structures)
    with pytest.raises(libdose.BadInput):
        libdose.read_dicom(tmp_path / "nothing")
    with pytest.raises(libdose.BadInput, match="not a finite number"):
        libdose.CtImage(np.full((2, 2, 2), np.nan, np.float32), (1, 1, 1), (0, 0, 0))
    with pytest.raises(libdose.BadInput):
        libdose.CtImage(np.zeros((2, 2, 2), np.float32), (1, 0, 1), (0, 0, 0))


def test_model_of_the_centre_is_used_and_refused_elsewhere(ct, plan, structures, coarse):
    other = libdose.BeamModel.load("generic-10MV")
    with pytest.raises(libdose.RefusedPlan, match="generic-10MV is for 10 MV"):
        libdose.Engine(model=other).calculate(plan, ct, structures)
    six = pickle.loads(pickle.dumps(libdose.BeamModel.load("generic-6MV")))
    by_object = libdose.Engine(quality="draft", grid_mm=5, model=[other, six]).calculate(plan, ct, structures)
    assert np.array_equal(by_object.array, coarse.calculate(plan, ct, structures).array)
    assert by_object.provenance["model_hashes"] == {"generic-6MV": six.content_hash}


def test_densities_and_dose_to_water_count(ct, plan, structures):
    settings = dict(quality="draft", grid_mm=5)
    water = libdose.calculate(plan, ct, structures, **settings)
    lung = libdose.calculate(plan, ct, structures, densities={"PTV": 0.2}, **settings)
    bone = libdose.calculate(plan, ct, structures, materials={"PTV": "bone_cortical"}, dose_to="water",
                             **settings)
    assert lung.at((0, 80, 0)) > 1.02 * water.at((0, 80, 0))
    assert bone.dose_to == "water" and bone.at((0, 0, 0)) != water.at((0, 0, 0))
    density = libdose.Engine(grid_mm=5, densities={"PTV": 0.2}).density(plan, ct, structures)
    centre = tuple(n // 2 for n in density.array.shape)
    assert density.array[centre] == pytest.approx(0.2, rel=1e-5)


def test_an_engine_travels_without_its_open_devices():
    engine = libdose.Engine(grid_mm=5, densities={"PTV": 0.2})
    copy = pickle.loads(pickle.dumps(engine))
    assert copy == engine and copy._devices is not engine._devices
    assert dataclasses.replace(engine, grid_mm=4)._devices is not engine._devices
    assert "_devices" not in repr(engine)
