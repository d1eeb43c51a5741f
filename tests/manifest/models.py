"""Prints what AWS's API models, in botocore, and the life of its runtimes, in cfn-lint, say, as JSON."""

import gzip
import importlib.metadata
import importlib.util
import json
from pathlib import Path

KEPT = ["type", "min", "max", "pattern", "enum", "documentation"]


def directory(package):
    return Path(importlib.util.find_spec(package).submodule_search_locations[0])


def shapes(path):
    model = directory("botocore") / "data" / path / "service-2.json.gz"
    found = json.loads(gzip.decompress(model.read_bytes()))["shapes"]
    return {name: said(shape) for name, shape in found.items()}


def said(shape):
    kept = {key: shape[key] for key in KEPT if key in shape}
    members = shape.get("members", {})
    return kept | {"about": {name: member.get("documentation", "") for name, member in members.items()}}


lifecycle = directory("cfnlint") / "data/AdditionalSpecs/LmbdRuntimeLifecycle.json"
print(
    json.dumps(
        {
            "versions": {name: importlib.metadata.version(name) for name in ["botocore", "cfn-lint"]},
            "lambda": shapes("lambda/2015-03-31"),
            "iam": shapes("iam/2010-05-08"),
            "logs": shapes("logs/2014-03-28"),
            "lifecycle": json.loads(lifecycle.read_text()),
        }
    )
)
