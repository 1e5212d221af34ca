"""From and to SimpleITK images and pydicom datasets."""

from __future__ import annotations

import os
import tempfile
from typing import Any, Optional, Sequence, Union, cast

import numpy as np

from . import _libdose
from ._libdose import CtImage, DensityGrid, Dose, GammaResult
from .case import save
from .errors import BadInput
from .records import Plan, StructureSet


def to_sitk(volume: Union[CtImage, DensityGrid, Dose, GammaResult]) -> Any:
    """A SimpleITK image (float32, LPS, mm) with a copy of the voxels."""
    import SimpleITK

    image = SimpleITK.GetImageFromArray(np.asarray(volume.array))
    image.SetSpacing([float(s) for s in volume.spacing_mm])
    image.SetOrigin([float(o) for o in volume.origin_mm])
    return image


def _parts(image: Any) -> Any:
    import SimpleITK

    if image.GetDimension() != 3:
        raise BadInput(f"the image has {image.GetDimension()} dimensions, not 3")
    if not np.allclose(image.GetDirection(), np.eye(3).ravel(), atol=1e-6):
        raise BadInput("the image is not along the patient's axes", "direction",
                       "Resample it, or reorient it with SimpleITK.DICOMOrient(image, 'LPS')")
    array = np.ascontiguousarray(SimpleITK.GetArrayViewFromImage(image), dtype=np.float32)
    return array, image.GetSpacing(), image.GetOrigin()


def ct_from_sitk(image: Any, *, position: str = "HFS", frame_of_reference_uid: str = "") -> CtImage:
    """A CT from an image in HU whose axes are the patient's (LPS)."""
    array, spacing, origin = _parts(image)
    return CtImage(array, spacing, origin, position, frame_of_reference_uid)


def dose_from_sitk(image: Any, *, summation: str = "plan", fractions: Optional[int] = None,
                   frame_of_reference_uid: str = "", type: str = "PHYSICAL") -> Dose:
    """A dose from an image in Gy whose axes are the patient's (LPS)."""
    array, spacing, origin = _parts(image)
    return Dose(array, spacing, origin, summation, fractions, frame_of_reference_uid, type)


def ct_from_pydicom(datasets: Sequence[Any]) -> CtImage:
    """A CT from the datasets of its slices, in any order."""
    with tempfile.TemporaryDirectory(prefix="libdose-") as folder:
        files = []
        for number, dataset in enumerate(datasets):
            files.append(os.path.join(folder, f"{number:05d}.dcm"))
            save(dataset, files[-1])
        return _libdose.read_ct(files)


def structures_from_pydicom(dataset: Any) -> StructureSet:
    """Structures from an RT Structure Set."""
    with tempfile.TemporaryDirectory(prefix="libdose-") as folder:
        file = os.path.join(folder, "structures.dcm")
        save(dataset, file)
        return cast(StructureSet, _libdose.read_structures(file))


def plan_from_pydicom(dataset: Any, *, fraction_group: int = 0, accept: Sequence[str] = ()) -> Plan:
    """A plan from an RT Plan."""
    with tempfile.TemporaryDirectory(prefix="libdose-") as folder:
        file = os.path.join(folder, "plan.dcm")
        save(dataset, file)
        return cast(Plan, _libdose.read_plan(file, fraction_group, list(accept)))


def dose_to_pydicom(dose: Dose, ct: CtImage) -> Any:
    """An RT Dose as a pydicom dataset, with patient and study of the CT."""
    import pydicom

    with tempfile.TemporaryDirectory(prefix="libdose-") as folder:
        file = os.path.join(folder, "dose.dcm")
        dose.write_dicom(file, ct)
        dataset = pydicom.dcmread(file)
        dataset.PixelData  # read before the file goes
        return dataset
