"""What can be said before a calculation: verdicts on a plan, memory, names of what there is."""

import pytest

import libdose


def test_a_beam_without_a_model_is_refused_and_the_others_are_honoured(plan):
    plan.beams[1].nominal_energy_mv = 7
    first, second = libdose.Engine().admit(plan)
    assert first.verdict == "honoured" and first.beam == 1 and "generic-6MV" in first.reason
    assert second.verdict == "refused" and second.beam == 2 and "7 MV" in second.reason
    assert all(entry.verdict == "refused" for entry in libdose.Engine(model="generic-15MV").admit(plan))


def test_leaves_that_no_design_fits_are_refused_unless_they_are_sharp(plan):
    beam = plan.beams[0]
    beam.collimators = [libdose.MultileafCollimator(leaf_boundaries_mm=(-37, 1, 39))]
    for point in beam.control_points:
        point.leaves = [libdose.LeafPositions((-20, -20), (20, 20))]
    assert libdose.Engine().admit(plan)[0].verdict == "refused"
    assert libdose.Engine(leaf_ends="sharp").admit(plan)[0].verdict == "honoured"
    with pytest.raises(libdose.BadInput, match="no-such-leaves"):
        libdose.Engine(leaves="no-such-leaves").admit(plan)


def test_every_attribute_of_a_plan_file_has_a_verdict(phantom):
    index, _ = libdose._libdose.index_dicom([phantom.folder])
    file = next(entry[0] for entry in index if entry[1] == "RTPLAN" and entry[5] == "four-field")
    entries = libdose.gate_plan(file)
    assert {entry.verdict for entry in entries} <= {"honoured", "harmless"}
    # NominalBeamEnergy (300a,0114) of the control points, as DICOM PS3.3 C.8.8.14 has it.
    energies = [entry for entry in entries if entry.tag == "(300a,0114)"]
    assert energies and all(e.name == "NominalBeamEnergy" and e.verdict == "honoured" for e in energies)


def test_a_finer_grid_takes_more_memory(plan, ct, structures):
    coarse = libdose.Engine(grid_mm=5).estimate_memory(plan, ct, structures)
    fine = libdose.Engine(grid_mm=2).estimate_memory(plan, ct, structures)
    # At most (5 / 2)^3 = 15.6 times as many voxels.
    assert 2 * coarse.needed_bytes < fine.needed_bytes < 16 * coarse.needed_bytes
    assert coarse.available_bytes > 0


def test_lists_hold_what_comes_with_libdose():
    assert "generic-6MV" in libdose.beam_models() and libdose.BeamModel.names() == libdose.beam_models()
    assert "varian-millennium-120" in libdose.leaf_designs() and "tungsten" not in libdose.leaf_designs()
    assert "elekta-ibeam" in libdose.couches() and "water" in libdose.hu_curves()
    assert isinstance(libdose.cuda_devices(), list)
