"""Writes cases as vectors/README.md describes them: one object to a file, ROOM/FORMAT.SLUG.json."""
import glob
import json
import os
import re


def case(name, data, ok, reason="", output=b""):
    data = data.encode() if isinstance(data, str) else data
    return {"name": name, "input_hex": data.hex(), "ok": ok, "reason": reason, "output_hex": output.hex()}


def slug(name):
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def write(folder, kind, cases):
    """Writes the cases of one format, in place of those that are there."""
    files = {f"{kind}.{slug(one['name'])}.json": one for one in cases}
    wrong = [one["name"] for one in cases if not 1 <= len(slug(one["name"])) <= 60]
    if wrong or len(files) != len(cases):
        raise ValueError(f"{kind}: cases need names that differ, with 1 to 60 letters, digits and '-': {wrong}")
    idle = [one["name"] for one in cases if not one["ok"] and not one["reason"]]
    if idle:
        raise ValueError(f"{kind}: a refusal without a reason proves nothing: {idle}")
    for path in glob.glob(os.path.join(glob.escape(folder), kind + ".*.json")):
        os.remove(path)
    for name, one in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(json.dumps(one, indent=1) + "\n")
