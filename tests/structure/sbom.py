#!/usr/bin/env python3
"""The bill of materials is SPDX 2.3 and names every library that the programs need, and no other.

usage: sbom.py SOURCE_ROOT SBOM PROGRAM...
"""
import json
import pathlib
import re
import subprocess
import sys
from rooms import case, end

try:
    document = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
except ValueError as error:
    case(False, "it is JSON", [str(error)])
    end()
packages = document.get("packages", [])
identifiers = [document.get("SPDXID")] + [each.get("SPDXID") for each in packages]

wrong = [f"{key}: {document.get(key)!r}" for key, pattern in {
    "spdxVersion": r"SPDX-2\.3", "dataLicense": r"CC0-1\.0", "SPDXID": "SPDXRef-DOCUMENT", "name": r"\S+",
    "documentNamespace": r"https://[^#\s]+"}.items() if not re.fullmatch(pattern, str(document.get(key)))]
creation = document.get("creationInfo", {})
if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", str(creation.get("created"))) or not creation.get("creators"):
    wrong.append(f"creationInfo: {creation!r}")
case(not wrong, "the document says what it is", wrong)

wrong = [str(each) for each in packages if not each.get("name") or not re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", str(each.get("SPDXID")))
         or not each.get("downloadLocation") or not re.match(r"\d", str(each.get("versionInfo")).rsplit(" ", 1)[-1])]
case(len(packages) > 5 and not wrong and len(set(identifiers)) == len(identifiers), "every package has a name, a version and an identifier",
     wrong or identifiers)

relations = [(each.get("spdxElementId"), each.get("relationshipType"), each.get("relatedSpdxElement"))
             for each in document.get("relationships", [])]
wrong = [str(each) for each in relations if each[0] not in identifiers or each[2] not in identifiers]
own = [each[2] for each in relations if each[:2] == ("SPDXRef-DOCUMENT", "DESCRIBES")]
case(len(own) == 1 and not wrong, "relations are between what is there", wrong or own)

linked = {each[2] for each in relations if each[:2] == (own[0] if own else None, "DYNAMIC_LINK")}
named = {each.get("packageFileName") for each in packages if each.get("SPDXID") in linked}
needed = set()
for program in sys.argv[3:]:
    dynamic = subprocess.run(["readelf", "-d", program], check=True, capture_output=True, text=True).stdout
    needed |= set(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic))
case(len(needed) > 5 and needed <= named, "every library that a program needs is named", sorted(needed - named))
case(not named - needed, "and no other", sorted(map(str, named - needed)))
end()
