"""What ministack answers otherwise than the local cloud: each known difference, on a function of its own.

usage: opinion.py MINISTACK
"""
import json
import pathlib
import sys
from fnmatch import fnmatchcase

from proof import filled, proven
from session import Session

REGION = "eu-west-1"
ours = Session(region=REGION)
ministack = Session(
    sys.argv[1], judged=False, region=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
)
KNOWN = json.loads((pathlib.Path(__file__).parent / "ministack.json").read_text(encoding="utf-8"))
wrong = []
for number, entry in enumerate(KNOWN):
    name, proof = f"p{number}", entry["proof"]
    for whose, session in (("ours", ours), ("ministack", ministack)):
        found, expected = proven(session, proof, name), filled(proof[whose], name)
        # No answer has the brackets of a character class.
        if not fnmatchcase(found, expected.replace("[", "[[]")):
            wrong.append(f"{entry['id']}: {whose}: {found}, not {expected}")
print(f"{len(KNOWN)} known differences, {len(wrong)} wrong")
for line in dict.fromkeys(wrong + ours.problems):
    print("WRONG", line)
sys.exit(bool(wrong or ours.problems))
