"""What an archive may do, and all that it may not."""

import io
import os
import tarfile
import zipfile

import pytest

from headstart.data.archive import ArchiveLimits, archive_kind, extract_archive
from headstart.errors import ArchiveError


def make_zip(path, members, **options):
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def make_tar(path, members, mode="w"):
    with tarfile.open(path, mode) as file:
        for name, data in members:
            header = tarfile.TarInfo(name)
            header.size = len(data)
            file.addfile(header, io.BytesIO(data))
    return path


def files_below(folder):
    return {f.relative_to(folder).as_posix(): f.read_bytes() for f in folder.rglob("*.*")}


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_every_kind_is_unpacked_whatever_its_name(tmp_path, kind):
    members = [("cats/1.jpg", b"one"), ("dogs/é 2.jpg", b"two" * 9999)]
    make = make_zip if kind == "zip" else make_tar
    options = {} if kind == "zip" else {"mode": kind}
    archive = make(tmp_path / "photos.bin", members, **options)
    unpacked = extract_archive(archive, tmp_path / "out")
    assert files_below(unpacked) == dict(members)


@pytest.mark.parametrize(
    "name", ["../out.jpg", "a/../../b.jpg", "/etc/x.jpg", "C:/x.jpg", "a\\..\\b.jpg", ".."]
)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_name_that_leaves_the_folder_is_refused_and_nothing_stays(tmp_path, make, name):
    archive = make(tmp_path / "a.bin", [("ok/1.jpg", b"1"), (name, b"2")])
    with pytest.raises(ArchiveError, match="would be written outside the folder") as error:
        extract_archive(archive, tmp_path / "deep/out")
    assert repr(name) in str(error.value)
    assert list((tmp_path / "deep").iterdir()) == []


@pytest.mark.parametrize("kind", ["SYMTYPE", "LNKTYPE", "FIFOTYPE", "CHRTYPE", "BLKTYPE"])
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    with tarfile.open(tmp_path / "a.tar", "w") as file:
        header = tarfile.TarInfo("cats/evil")
        header.type, header.linkname = getattr(tarfile, kind), "/etc/passwd"
        file.addfile(header)
    with pytest.raises(ArchiveError, match="member 'cats/evil' is a link or a device"):
        extract_archive(tmp_path / "a.tar", tmp_path / "out")


def test_a_link_in_a_zip_is_refused(tmp_path):
    link = zipfile.ZipInfo("cats/evil")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    archive = make_zip(tmp_path / "a.zip", [(link, "/etc/passwd")])
    with pytest.raises(ArchiveError, match="member 'cats/evil' is a link or a device"):
        extract_archive(archive, tmp_path / "out")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (ArchiveLimits(files=1), "more than 1 members"),
        (ArchiveLimits(file_bytes=50_000), "'b.jpg' unpacks to more than 50,000 bytes"),
        (ArchiveLimits(total_bytes=150_000), "'b.jpg' brings the total over 150,000 bytes"),
        (ArchiveLimits(ratio=20, ratio_from=99_999), "over 20 times the archive's own size"),
    ],
)
def test_each_limit_counts_what_really_comes_out(tmp_path, limits, said):
    members = [("a.jpg", os.urandom(50)), ("b.jpg", bytes(200_000))]
    archive = make_zip(tmp_path / "a.zip", members, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ArchiveError, match=said):
        extract_archive(archive, tmp_path / "out", limits=limits)
    assert not (tmp_path / "out").exists()


def test_a_tar_bomb_is_stopped(tmp_path):
    archive = make_tar(tmp_path / "a.tgz", [("zeros.bmp", bytes(70 << 20))], mode="w:gz")
    with pytest.raises(ArchiveError, match="over 200 times the archive's own size"):
        extract_archive(archive, tmp_path / "out")


def test_a_tar_header_that_would_fill_the_memory_is_stopped(tmp_path):
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 1 << 30
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as file:
        file.fileobj.write(header.tobuf(tarfile.USTAR_FORMAT) + bytes(16 << 20))
    with pytest.raises(ArchiveError, match="a member or its header is longer than is allowed"):
        extract_archive(tmp_path / "a.tar.gz", tmp_path / "out")


def test_a_zip_header_that_lies_about_the_size_is_found_out(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", bytes(1000))])
    data = archive.read_bytes()
    archive.write_bytes(data.replace((1000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(ArchiveError, match="damaged"):
        extract_archive(archive, tmp_path / "out")


def test_an_encrypted_zip_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", b"secret")])
    data = bytearray(archive.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    archive.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"'a\.jpg' is encrypted; unpack the archive yourself"):
        extract_archive(archive, tmp_path / "out")


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_an_archive_that_is_cut_off_is_refused_and_nothing_stays(tmp_path, kind):
    members = [(f"{n}.jpg", os.urandom(9000)) for n in range(9)]
    make = make_zip if kind == "zip" else make_tar
    archive = make(tmp_path / "a", members, **({} if kind == "zip" else {"mode": kind}))
    whole = archive.read_bytes()
    for size in (len(whole) // 3, len(whole) // 2, 72_000):
        archive.write_bytes(whole[:size])
        with pytest.raises(ArchiveError, match="damaged"):
            extract_archive(archive, tmp_path / "in/out")
        assert list((tmp_path / "in").iterdir()) == []


@pytest.mark.parametrize("kind", ["zip", "w:gz", "w:bz2", "w:xz"])
def test_a_flipped_bit_is_found_by_the_check_sum(tmp_path, kind):
    make = make_zip if kind == "zip" else make_tar
    options = {} if kind == "zip" else {"mode": kind}
    archive = make(tmp_path / "a", [("a.jpg", os.urandom(5000))], **options)
    data = bytearray(archive.read_bytes())
    data[2500] ^= 1
    archive.write_bytes(data)
    with pytest.raises(ArchiveError, match="damaged"):
        extract_archive(archive, tmp_path / "out")


def test_a_broken_header_in_the_middle_of_a_tar_is_not_its_end(tmp_path):
    archive = make_tar(tmp_path / "a.tar", [("1.jpg", bytes(512)), ("2.jpg", bytes(512))])
    data = bytearray(archive.read_bytes())
    data[1024:1030] = b"\xff" * 6
    archive.write_bytes(data)
    with pytest.raises(ArchiveError, match="damaged"):
        extract_archive(archive, tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_one_name_twice_or_for_file_and_folder_is_refused(tmp_path, make):
    archive = make(tmp_path / "a", [("a.jpg", b"1"), ("./a.jpg", b"2")])
    with pytest.raises(ArchiveError, match="is in the archive twice"):
        extract_archive(archive, tmp_path / "out")
    archive = make(tmp_path / "b", [("a", b"1"), ("a/b.jpg", b"2")])
    with pytest.raises(ArchiveError, match="uses one name for a file and for a folder"):
        extract_archive(archive, tmp_path / "out")


def test_names_that_differ_in_case_only_are_two_files(tmp_path):
    if (tmp_path / "x").mkdir() or (tmp_path / "X").exists():
        pytest.skip("this file system does not tell upper from lower case")
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", b"1"), ("A.JPG", b"2")])
    assert len(files_below(extract_archive(archive, tmp_path / "out"))) == 2


def test_utf8_names_without_the_flag_are_read_as_macos_meant_them(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("caf!!.jpg", b"1")])
    data = archive.read_bytes().replace(b"caf!!", "café".encode())
    archive.write_bytes(data)
    assert list(files_below(extract_archive(archive, tmp_path / "out"))) == ["café.jpg"]


def test_a_complete_folder_is_used_again_and_a_killed_ones_rest_is_not(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", b"1")])
    (tmp_path / ".out.partial-999999999").mkdir()
    out = extract_archive(archive, tmp_path / "out")
    (out / "mark.txt").write_text("kept")
    assert extract_archive(archive, tmp_path / "out") == out
    assert (out / "mark.txt").exists()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.zip", "out"]


def test_other_files_are_no_archives(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"Rar!\x1a\x07")
    (tmp_path / "empty").touch()
    assert archive_kind(tmp_path / "a.zip") is None
    assert archive_kind(tmp_path / "empty") is None
    with pytest.raises(ArchiveError, match="not an archive that Headstart reads; expected zip or"):
        extract_archive(tmp_path / "a.zip", tmp_path / "out")
