"""Names of settings that have changed are read by both names."""

import dataclasses
import pickle

import pytest

import libdose
from libdose import measurements


def test_algorithm_and_grouping_have_synonyms():
    by_name = libdose.Engine(algorithm="pencil-beam", grouping="shared")
    by_synonym = libdose.Engine(engine="pencil-beam", transport="shared")
    assert by_name == by_synonym
    for engine in (by_name, by_synonym, pickle.loads(pickle.dumps(by_synonym))):
        assert engine.algorithm == engine.engine == "pencil-beam"
        assert engine.grouping == engine.transport == "shared"
    assert libdose.Engine("pencil-beam").algorithm == "pencil-beam"
    assert libdose.Engine().engine == "collapsed-cone" and libdose.Engine().transport == "auto"


def test_a_choice_is_made_once():
    with pytest.raises(libdose.BadInput, match="algorithm and engine are both given") as raised:
        libdose.Engine(algorithm="pencil-beam", engine="pencil-beam")
    assert raised.value.where == "engine" and "synonym" in raised.value.advice
    with pytest.raises(libdose.BadInput, match="grouping and transport are both given"):
        libdose.Engine(grouping="auto", transport="one")


def test_replace_takes_either_name():
    engine = libdose.Engine(algorithm="pencil-beam", grid_mm=4)
    for changed in (dataclasses.replace(engine, algorithm="collapsed-cone"),
                    dataclasses.replace(engine, engine="collapsed-cone")):
        assert changed.algorithm == changed.engine == "collapsed-cone" and changed.grid_mm == 4
    assert dataclasses.replace(engine, quality="draft").algorithm == "pencil-beam"


@pytest.mark.parametrize("word", ["shared", "one", "per-geometry", "each"])
def test_old_words_are_read(word, plan, ct, structures):
    engine = libdose.Engine(algorithm="pencil-beam", grouping=word, quality="draft", grid_mm=20)
    engine.density(plan, ct, structures)
    with pytest.raises(libdose.BadInput, match="auto, shared or per-geometry"):
        dataclasses.replace(engine, grouping=word + "s").density(plan, ct, structures)


def test_axes_of_profiles():
    scan = ([-50.0, 0.0, 50.0], [0.5, 1.0, 0.5])
    setting = dict(unit="mm", field_mm=(100, 100), ssd_mm=900, depth_mm=100)
    for old, new in (("crossline", "crossplane"), ("inline", "inplane")):
        curves = [measurements.profile(scan, axis=axis, **setting) for axis in (old, new)]
        assert curves[0].comments == curves[1].comments and f"axis: {new}" in curves[0].comments
