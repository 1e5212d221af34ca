"""The protocols that are shipped keep to the schema that is shipped."""
import json
import pathlib

import pytest

jsonschema = pytest.importorskip("jsonschema")

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "libdose" / "data" / "protocols"
SCHEMA = json.loads((FOLDER / "protocol.schema.json").read_text())
PROTOCOLS = sorted(p for p in FOLDER.glob("*.json") if not p.name.endswith(".schema.json"))


def is_valid(protocol):
    if not hasattr(jsonschema, "Draft202012Validator"):
        pytest.skip("jsonschema does not know draft 2020-12")
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(protocol)


@pytest.mark.parametrize("file", PROTOCOLS, ids=lambda file: file.stem)
def test_shipped_protocols_are_valid(file):
    assert is_valid(json.loads(file.read_text()))


def test_what_the_schema_refuses():
    text = (FOLDER / "default.json").read_text()
    unknown = json.loads(text)
    unknown["general"]["goal"] = []
    no_source = json.loads(text)
    del no_source["general"]["mu"]["source"]
    empty = json.loads(text)
    empty["sites"]["stereotactic"]["gamma"] = []
    for wrong in (unknown, no_source, empty):
        assert not is_valid(wrong)
