"""Plans by hand: what is refused as in DICOM, and fields that reach beyond the patient."""

import numpy as np
import pytest

import libdose


def beam(angles=(0, 0), directions=("none", "none"), jaw_x=(-20, 20), jaw_y=(-20, 20), **more):
    points = [
        libdose.ControlPoint(gantry_deg=angle, jaw_x=jaw_x, jaw_y=jaw_y, cumulative_weight=weight)
        for angle, weight in zip(angles, np.linspace(0, 1, len(angles)))
    ]
    return libdose.Beam(1, "arc", meterset_mu=100, control_points=points, gantry_rotation=list(directions),
                        **more)


def plan_of(*beams):
    return libdose.Plan("by hand", frame_of_reference_uid="1.2.3", beams=list(beams))


@pytest.mark.parametrize(
    "angles, directions, words",
    [
        ((0, 360), ("clockwise", "none"), "a full turn or none"),
        ((0, 0), ("clockwise", "none"), "a full turn or none"),
        ((180, 180), ("counter-clockwise", "none"), "a full turn or none"),
        ((0, 90), ("none", "none"), "in no given direction"),
    ],
)
def test_arcs_of_which_the_way_is_not_known_are_refused(ct, structures, coarse, angles, directions, words):
    with pytest.raises(libdose.RefusedPlan, match=words):
        coarse.calculate(plan_of(beam(angles, directions)), ct, structures)


@pytest.mark.parametrize("angles, directions", [((0, 359.9), ("clockwise", "none")),
                                                ((0, 180, 360), ("clockwise", "clockwise", "none"))])
def test_full_turns_with_a_known_way_give_the_same_on_all_sides(ct, structures, coarse, angles, directions):
    dose = coarse.calculate(plan_of(beam(angles, directions)), ct, structures)
    around = [dose.at(at) for at in ((0, -90, 0), (90, 0, 0), (0, 90, 0), (-90, 0, 0))]
    # The cube is the same from all four sides; the sub-arcs of 2 degrees are not, and neither are the voxels
    # of 5 mm.
    assert np.ptp(around) < 0.03 * np.mean(around)


def test_a_field_that_nothing_limits_is_refused(ct, structures, coarse):
    leaves = libdose.MultileafCollimator("MLCX", "x", list(np.arange(-200, 201, 10.0)))
    open_leaves = libdose.LeafPositions([-20.0] * 40, [20.0] * 40)
    for jaws in ({"jaw_x": (-20, 20)}, {}):
        points = [libdose.ControlPoint(leaves=[open_leaves], cumulative_weight=w, **jaws) for w in (0, 1)]
        unlimited = libdose.Beam(1, "open", meterset_mu=100, collimators=[leaves], control_points=points,
                                 gantry_rotation=["none", "none"])
        with pytest.raises(libdose.RefusedPlan, match="not limited in both directions"):
            coarse.calculate(plan_of(unlimited), ct, structures)


@pytest.mark.parametrize("jaw_x, jaw_y",
                         [((-200, 200), (-200, 200)), ((-200, 70), (-50, 50)), ((-50, 50), (-200, 70))])
def test_the_grid_covers_the_body_below_a_wide_field(ct, structures, coarse, jaw_x, jaw_y):
    dose = coarse.calculate(plan_of(beam(jaw_x=jaw_x, jaw_y=jaw_y)), ct, structures)
    # Far face of the cube, 1120 mm from the source, at half the lower jaw or the cube's edge; z of the
    # patient is y of the jaws.
    x, z = max(-115, 0.9 * 1.12 * jaw_x[0]), max(-115, 0.9 * 1.12 * jaw_y[0])
    assert dose.at((x, 0, 0)) > 0.5 * dose.at((0, 0, 0)) > 0
    assert dose.at((0, 0, z)) > 0.5 * dose.at((0, 0, 0))


def test_a_beam_that_misses_is_named(ct, structures, coarse):
    away = libdose.Beam.static(2, isocentre_mm=(0, 0, 500))
    away.name = "B"
    assert "beam 2 'B' misses the patient" in coarse.calculate(plan_of(beam(), away), ct, structures).notes
    with pytest.raises(libdose.BadInput, match="beam 2 'B' misses the patient"):
        coarse.calculate(plan_of(away), ct, structures)


def test_a_source_inside_the_patient_is_refused(ct, structures, coarse):
    with pytest.raises(libdose.BadInput, match="the source lies inside the patient"):
        coarse.calculate(plan_of(libdose.Beam.static(1, isocentre_mm=(0, 950, 0))), ct, structures)


def test_negative_beamlet_weights_are_refused(ct, structures):
    engine = libdose.Engine(engine="pencil-beam", quality="draft", grid_mm=10)
    field = plan_of(beam())
    matrix = engine.influence(field, ct, structures, beamlet_mm=20)
    weights = np.ones(matrix.shape[1])
    weights[0] = -1
    with pytest.raises(ValueError, match="at least 0"):
        matrix.dose(weights)
    with pytest.raises(libdose.BadInput, match="negative"):
        engine.calculate_beamlets(field, ct, structures, weights, beamlet_mm=20)


def test_the_structure_set_of_the_plan_has_to_be_there(phantom, tmp_path):
    for file in phantom.folder.iterdir():
        if not file.name.startswith("RS"):
            (tmp_path / file.name).symlink_to(file)
    with pytest.raises(libdose.BadInput, match="not among the files"):
        libdose.read_dicom(list(tmp_path.iterdir()), plan="four-field")
    case = libdose.read_dicom(list(tmp_path.iterdir()), plan="four-field", without_structures=True)
    assert case.structures is None and len(case.plans) == 1
    assert libdose.read_dicom(phantom.folder, plan="four-field", without_structures=True).structures is None
