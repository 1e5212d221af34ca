"""Photon dose calculation for radiotherapy: collapsed cone and pencil beam. Not a medical device.

    import libdose
    case = libdose.read_dicom("thorax/")
    dose = libdose.calculate(case.plans[0], case.ct, case.structures)

Arrays are [z, y, x]; spacing_mm and origin_mm are (x, y, z) in DICOM patient coordinates (LPS), mm.
"""

import os as _os

# DCMTK looks for its dictionary when the extension is loaded; a wheel carries one.
_dictionary = _os.path.join(_os.path.dirname(__file__), "share", "dcmtk", "dicom.dic")
if "DCMDICTPATH" not in _os.environ and _os.path.isfile(_dictionary):
    _os.environ["DCMDICTPATH"] = _dictionary

from ._libdose import (
    BeamFluence,
    BeamModel,
    CtImage,
    DensityGrid,
    Dose,
    DoseVolumeHistogram,
    GammaResult,
    beam_models,
    couches,
    cuda_devices,
    hu_curves,
    leaf_designs,
)
from ._libdose import version as __version__
from .analysis import dvh, gamma, mask, sum_doses
from .case import Case, gate_plan, read_dicom
from .checking import Check, check, protocol_sites, protocols
from .engine import Engine, MemoryEstimate, calculate, influence
from .errors import BadInput, Error, InternalError, RefusedPlan
from .images import (
    ct_from_pydicom,
    ct_from_sitk,
    dose_from_sitk,
    dose_to_pydicom,
    plan_from_pydicom,
    structures_from_pydicom,
    to_sitk,
)
from .influence import DoseInfluence
from .prepared import FluenceRaster, PreparedPatient, beam_axes
from .records import (
    Beam,
    BeamBolus,
    Block,
    CombinedStructure,
    ControlPoint,
    GateEntry,
    LeafPositions,
    MultileafCollimator,
    Plan,
    Structure,
    StructureSet,
    Wedge,
)

__all__ = [
    "BadInput",
    "Beam",
    "BeamBolus",
    "BeamFluence",
    "BeamModel",
    "Block",
    "Case",
    "Check",
    "CombinedStructure",
    "ControlPoint",
    "CtImage",
    "DensityGrid",
    "Dose",
    "DoseInfluence",
    "DoseVolumeHistogram",
    "Engine",
    "Error",
    "FluenceRaster",
    "GammaResult",
    "GateEntry",
    "InternalError",
    "LeafPositions",
    "MemoryEstimate",
    "MultileafCollimator",
    "Plan",
    "PreparedPatient",
    "RefusedPlan",
    "Structure",
    "StructureSet",
    "Wedge",
    "__version__",
    "beam_axes",
    "beam_models",
    "calculate",
    "check",
    "couches",
    "ct_from_pydicom",
    "ct_from_sitk",
    "cuda_devices",
    "dose_from_sitk",
    "dose_to_pydicom",
    "dvh",
    "gamma",
    "gate_plan",
    "hu_curves",
    "influence",
    "leaf_designs",
    "mask",
    "plan_from_pydicom",
    "protocol_sites",
    "protocols",
    "read_dicom",
    "structures_from_pydicom",
    "sum_doses",
    "to_sitk",
]
