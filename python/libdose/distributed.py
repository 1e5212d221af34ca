"""Many plans, or the beamlets of one, over the workers of a Dask cluster.

from dask.distributed import Client from libdose import distributed client = Client("tcp://scheduler:8786")
files = distributed.calculate_plans(client, ["/data/patient-1", "/data/patient-2"], out="/data/doses",
algorithm="collapsed-cone") matrix = distributed.influence(client, plan, ct, structures,
file="/data/influence.h5", beamlet_mm=5)

Results are the same bits as those of one machine: a task that is lost with its worker is done again by
another. Files are written under a temporary name and renamed, on a folder that client and workers share. Beam
models travel to each worker once, by their hash, and are checked there, so that no worker calculates with
another model than the client has.
"""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from ._libdose import BeamModel, CtImage
from .case import Path, read_dicom
from .engine import Engine
from .errors import BadInput
from .influence import DoseInfluence
from .records import Plan, StructureSet

if TYPE_CHECKING:
    from distributed import Client, Future

_models: Dict[str, BeamModel] = {}
"""Of this process, by hash."""


def _models_of(setting: Any) -> List[BeamModel]:
    if setting is None:
        return [BeamModel.load(name) for name in BeamModel.names()]
    if isinstance(setting, BeamModel):
        return [setting]
    if isinstance(setting, (list, tuple)):
        return list(setting)
    return [BeamModel.load(os.fspath(setting))]


def _send(client: "Client", value: Any, name: str) -> "Future":
    """A copy of `value` for the workers. Several hold it, so that it outlives one of them."""
    import dask

    return client.scatter({f"libdose-{name}-{dask.base.tokenize(value)}": value}, broadcast=True).popitem()[1]


def _send_models(client: "Client", setting: Any) -> List[Tuple[str, "Future"]]:
    return [(model.content_hash, _send(client, pickle.dumps(model), "model-" + model.content_hash[:16]))
            for model in _models_of(setting)]


def _engine(settings: Dict[str, Any], hashes: Sequence[str], models: Sequence[bytes]) -> Engine:
    """The engine of a task, with the models that the client has and the threads of this worker."""
    for content_hash, packed in zip(hashes, models):
        if content_hash in _models:
            continue
        model = pickle.loads(packed)
        if model.content_hash != content_hash:
            raise BadInput(f"the beam model {model.name} that came has another hash than the one that "
                           "was sent", content_hash)
        _models[content_hash] = model
    engine = Engine(**settings)
    threads = engine.threads or _worker_threads()
    return replace(engine, model=[_models[content_hash] for content_hash in hashes], threads=threads)


def _worker_threads() -> int:
    from distributed import get_worker

    try:
        return int(get_worker().state.nthreads)
    except ValueError:  # not in a worker
        return 0


def _calculate_file(source: str, plan_uid: str, out: str, settings: Dict[str, Any], hashes: Sequence[str],
                    models: Sequence[bytes]) -> str:
    case = read_dicom(source, plan=plan_uid)
    dose = _engine(settings, hashes, models).calculate(case.plans[0], case.ct, case.structures)
    file = os.path.join(out, f"{plan_uid}.h5")
    dose.write_hdf5(file)
    return file


def calculate_plans(client: "Client", sources: Sequence[Path], *, out: Path, retries: int = 3,
                    **settings: Any) -> Dict[str, "Future"]:
    """Calculates every plan below each of the paths (one patient each) into out/<SOP Instance UID>.h5.

    Returns futures of the files' names by the UID of the plan: gather them, or use them as they become done
    (distributed.as_completed). One that fails raises the library's error. settings: those of Engine; threads
    0 stands for the worker's.
    """
    from . import _libdose

    os.makedirs(out, exist_ok=True)
    model = settings.pop("model", None)
    sent = _send_models(client, model)
    hashes, models = [h for h, _ in sent], [future for _, future in sent]
    tasks: Dict[str, "Future"] = {}
    for source in sources:
        path = os.path.abspath(source)
        plans = [entry[2] for entry in _libdose.index_dicom([path])[0] if entry[1] == "RTPLAN"]
        if not plans:
            raise BadInput("there is no plan", path)
        for uid in plans:
            tasks[uid] = client.submit(_calculate_file, path, uid, os.path.abspath(out), settings, hashes,
                                       models, retries=retries, pure=False)
    return tasks


def _influence_part(
    plan: Plan,
    ct: CtImage,
    structures: Optional[StructureSet],
    part: Tuple[int, int],
    file: str,
    beamlets: Dict[str, Any],
    settings: Dict[str, Any],
    hashes: Sequence[str],
    models: Sequence[bytes],
) -> str:
    matrix = _engine(settings, hashes, models).influence(plan, ct, structures, part=part, **beamlets)
    matrix.write(file)
    return file


def _parts(count: int, beamlets_per_task: int, folder: str) -> Iterator[Tuple[Tuple[int, int], str]]:
    """First beamlet and end of each part, and its file."""
    for first in range(0, count, beamlets_per_task):
        part = (first, min(first + beamlets_per_task, count))
        yield part, os.path.join(folder, f"{part[0]:07d}-{part[1]:07d}.h5")


def influence(
    client: "Client",
    plan: Plan,
    ct: CtImage,
    structures: Optional[StructureSet] = None,
    *,
    file: Union[str, "os.PathLike[str]"],
    beamlets_per_task: int = 64,
    beamlet_mm: float = 5,
    target: str = "",
    margin_mm: float = 5,
    cutoff: float = 3e-4,
    retries: int = 3,
    **settings: Any,
) -> DoseInfluence:
    """The influence matrix of a plan, calculated in parts by the workers and joined in `file`.

    Parts that are there already (`file`.parts) from a run that was cut off are taken over when they fit.

    The pencil beam prepares every geometry once for each task that touches it: let a task hold many beamlets.
    """
    import shutil

    if beamlets_per_task < 1:
        raise ValueError("a task needs at least one beamlet")
    if "engine" not in settings:
        settings.setdefault("algorithm", "pencil-beam")
    model = settings.pop("model", None)
    chosen = _models_of(model)
    seen: Dict[str, Any] = dict(beamlet_mm=beamlet_mm, target=target, margin_mm=margin_mm)
    count = Engine(**settings, model=chosen).count_beamlets(plan, ct, structures, **seen)
    sent = _send_models(client, chosen)
    hashes, models = [h for h, _ in sent], [future for _, future in sent]
    plan_there, ct_there, structures_there = (_send(client, value, name) for value, name in (
        (plan, "plan"), (ct, "ct"), (structures, "structures")))
    import dask

    key = dask.base.tokenize(plan, ct, structures, {k: str(v) for k, v in settings.items()}, seen, cutoff,
                             hashes)[:12]
    folder = f"{os.path.abspath(file)}.parts-{key}"
    os.makedirs(folder, exist_ok=True)

    def submitted(part: Tuple[int, int], name: str) -> Any:
        """The task of a part."""
        return client.submit(_influence_part, plan_there, ct_there, structures_there, part, name,
                             dict(seen, cutoff=cutoff), settings, hashes, models, retries=retries, pure=False)

    tasks = []
    for part, name in _parts(count, beamlets_per_task, folder):
        tasks.append(name if os.path.exists(name) else submitted(part, name))
    files = client.gather(tasks)
    matrix = DoseInfluence.join([DoseInfluence.read(name) for name in files], file)
    shutil.rmtree(folder)
    return matrix
