# Contours made in Python go by the rule of every other source: docs/reference/structures.md. Volumes are
# derived by hand.
import libdose
import numpy as np
import pytest


def square(x0, x1, z, y0=-20, y1=20):
    return np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]], float)


PLANES = np.arange(-17.5, 20, 5.0)  # eight planes of 5 mm


def structure(make, **more):
    return libdose.Structure(1, "T", contours=[c for z in PLANES for c in make(z)], **more)


def volume_cm3(one):
    dose = libdose.Dose(np.ones((30, 40, 40), np.float32), (4, 4, 4), (-78, -78, -58))
    return libdose.dvh(dose, one).volume_cm3


def test_copy_hole_and_overlap():
    assert (volume_cm3(structure(lambda z: [square(-20, 20, z), np.roll(square(-20, 20, z), 1, axis=0)]))
            == pytest.approx(64, rel=1e-4))
    assert volume_cm3(structure(lambda z: [square(-20, 20, z),
                                           square(-10, 10, z, -10, 10)])) == pytest.approx(48, rel=1e-4)
    assert volume_cm3(structure(lambda z: [square(-20, 20, z),
                                           square(10, 50, z)])) == pytest.approx(112, rel=1e-4)


def test_xor():
    assert volume_cm3(structure(lambda z: [square(-20, 20, z), square(10, 50, z)],
                                xor_contours=True)) == pytest.approx(96, rel=1e-4)


def test_name_that_two_structures_have():
    one, two = structure(lambda z: [square(-20, 20, z)]), structure(lambda z: [square(-10, 10, z)])
    empty = libdose.Structure(3, "T")
    assert libdose.StructureSet(structures=[empty, one])["T"] is one
    with pytest.raises(KeyError, match="2 structures have the name"):
        libdose.StructureSet(structures=[one, two])["T"]
