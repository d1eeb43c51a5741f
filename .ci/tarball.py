"""Packs a directory: `tarball.py DIRECTORY FILE`. The same files give the same bytes, on every machine."""

import gzip
import os
import sys
import tarfile


def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """The member without what differs between machines."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
    return member


directory, file = sys.argv[1:]
with open(file, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
    with tarfile.open(fileobj=packed, mode="w") as tarball:
        # `add` sorts what is in a directory.
        tarball.add(directory, os.path.basename(directory), filter=plain)
