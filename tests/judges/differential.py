"""The same script of calls on the local cloud and on moto; whatever is answered differently is known or wrong.

usage: differential.py MOTO COUNT
"""
import fnmatch
import json
import pathlib
import sys
from collections import Counter

from calls import CURRENT, STALE, Script, everything
from proof import ABSENT, outcome, proven
from session import Session

moto_endpoint, count = sys.argv[1], int(sys.argv[2])
ours = Session()
moto = Session(moto_endpoint, judged=False, aws_access_key_id="testing", aws_secret_access_key="testing")
KNOWN = json.loads((pathlib.Path(__file__).parent / "moto.json").read_text(encoding="utf-8"))
# What every cloud makes up for itself.
MADE_UP = {
    "CreateDate", "RoleId", "LastModified", "RevisionId", "creationTime", "CreationTime", "LastModifiedTime",
    "FunctionUrl", "Location", "RoleLastUsed", "PolicyId", "UpdateDate",
}
met, differences, agreed, alone, total = Counter(), [], 0, 0, 0


def stable(value, key=None):
    """An answer without what differs by nature, in an order of its own."""
    if key in MADE_UP:
        return "made up"
    if key in ("Policy", "Statement") and isinstance(value, str):
        return stable(json.loads(value))
    if isinstance(value, dict):
        return {name: stable(item, name) for name, item in value.items() if name != "ResponseMetadata"}
    if isinstance(value, list):
        return sorted((stable(item) for item in value), key=name_of)
    return value


def name_of(item):
    """What an item of a list is sorted by."""
    keys = ("FunctionArn", "AliasArn", "RoleName", "PolicyName", "VersionId", "logGroupName", "Key", "Sid")
    found = [item[key] for key in keys if key in item] if isinstance(item, dict) else []
    return found[0] if found else json.dumps(item, sort_keys=True)


def compare(left, right, path=""):
    """Every place where two answers differ."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted(set(left) | set(right)):
            yield from compare(left.get(name, ABSENT), right.get(name, ABSENT), f"{path}.{name}".strip("."))
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for one, other in zip(left, right):
            yield from compare(one, other, f"{path}[]")
    elif left != right:
        yield path, left, right


def matches(pattern, value):
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    # The brackets of a path are no character classes.
    return fnmatch.fnmatchcase(text, pattern.replace("[]", "[[]]"))


def known(kind, operation, **found):
    for entry in KNOWN:
        if kind not in entry or not any(matches(pattern, operation) for pattern in entry["operations"]):
            continue
        if all(matches(entry[kind].get(key, "*"), value) for key, value in found.items()):
            met[entry["id"]] += 1
            return entry
    return None


def revised(session, operation, arguments):
    """The arguments with this cloud's own revision in them."""
    if arguments.get("RevisionId") != CURRENT:
        return arguments
    keys = {key: arguments[key] for key in ("FunctionName", "Name", "Qualifier") if key in arguments}
    answer, _ = session.call("lambda", "GetAlias" if "Name" in keys else "GetFunctionConfiguration", **keys)
    return {**arguments, "RevisionId": (answer or {}).get("RevisionId", STALE)}


def both(service, operation, **arguments):
    """One call on both; what it answers here."""
    global agreed, total, alone
    total += 1
    name, before, forgiven = f"{service}.{operation}", len(differences), sum(met.values())
    here, here_told = ours.call(service, operation, **revised(ours, operation, arguments))
    if any(
        known("apart", name, ours=outcome(here_told), message=here_told[2], argument=argument)
        for argument in [*arguments, ""]
    ):
        alone += 1
        return here
    there, there_told = moto.call(service, operation, **revised(moto, operation, arguments))
    if outcome(here_told) != outcome(there_told):
        if not known("outcome", name, ours=outcome(here_told), moto=outcome(there_told), message=here_told[2]):
            differences.append(f"{name} {shown(arguments)}: here {here_told}, moto {there_told}")
    elif here is not None:
        for path, left, right in compare(stable(here), stable(there)):
            if not known("answer", name, path=path, ours=left, moto=right):
                differences.append(f"{name} {shown(arguments)}: {path}: here {left!r}, moto {right!r}")
    agreed += len(differences) == before and sum(met.values()) == forgiven
    return here


def shown(arguments):
    return {key: value if key not in ("Code", "ZipFile") else "…" for key, value in arguments.items()}


for service, operation, arguments in Script().calls(count):
    both(service, operation, **arguments)
script = total
everything(both)
refused = sum(1 for answers in ours.seen.values() for status, error in answers if error)
print(f"{script} calls and {total - script} of the final state: {agreed} alike, {alone} not for moto, "
      f"{total - agreed - alone} known to differ; {refused} refused here")
there = Session(moto_endpoint, judged=False, region="eu-west-1", aws_access_key_id="testing",
                aws_secret_access_key="testing")
here = Session(region="eu-west-1")
for number, entry in enumerate(KNOWN):
    print(f"{entry['id']}: {met[entry['id']]}")
    if "proof" in entry:
        found = {"ours": proven(here, entry["proof"], f"p{number}"), "moto": proven(there, entry["proof"], f"p{number}")}
        expected = {key: entry["proof"][key] for key in found}
        if found != expected:
            differences.append(f"the proof of {entry['id']!r}: {found}, not {expected}")
    elif not met[entry["id"]]:
        differences.append(f"{entry['id']!r} was never met, and has no proof")
for difference in differences[:60]:
    print("DIFFERENT", difference)
for problem in dict.fromkeys(ours.problems + here.problems):
    print("WRONG", problem)
print(len(differences), "differences")
sys.exit(bool(differences or ours.problems or here.problems))
