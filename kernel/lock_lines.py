"""Writes, for each Python version named, the lines of a lock file that apply to it on this machine, without their conditions."""

import pathlib
import sys

from packaging.requirements import Requirement

lock, folder, *versions = sys.argv[1:]
text = pathlib.Path(lock).read_text(encoding="utf-8")
lines = [line for line in text.replace("\\\n", " ").splitlines() if line and line[0] not in "# "]
for version in versions:
    here = {"python_full_version": version, "python_version": ".".join(version.split(".")[:2])}
    chosen = []
    for line in lines:
        wanted, *hashes = line.split(" --hash=")
        requirement = Requirement(wanted)
        if requirement.marker is None or requirement.marker.evaluate(here):
            requirement.marker = None
            chosen.append(" --hash=".join([str(requirement), *(h.strip() for h in hashes)]))
    pathlib.Path(folder, version + ".txt").write_text("\n".join(chosen) + "\n", encoding="utf-8")
