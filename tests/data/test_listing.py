"""Which photos are listed, how they are labelled, and what is said when they cannot be."""

import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from headstart.data.listing import list_photos, with_test_folder
from headstart.errors import ArgumentError, PhotosError


def make(root, *names):
    for name in names:
        file = Path(root, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"photo")
    return root


def labels_of(listing):
    names = [listing.class_names[number] for number in listing.labels]
    return dict(zip(listing.paths, names, strict=True))


def test_a_folder_of_class_folders_is_listed_in_order_with_every_file_below(tmp_path):
    make(tmp_path, "dogs/b.jpg", "dogs/deeper/still/a.PNG", "cats/1.jpg", "cats/no_suffix")
    found = list_photos(tmp_path)
    assert found.paths == ("cats/1.jpg", "cats/no_suffix", "dogs/b.jpg", "dogs/deeper/still/a.PNG")
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.labels.dtype.name == "int32"
    assert found.class_names == ("cats", "dogs")
    assert found.splits == (None,) * 4
    assert len(found) == 4


@pytest.mark.parametrize(
    ("names", "sides"),
    [
        (("train", "val", "test"), ("train", "validation", "test")),
        (("Training", "VALIDATION", "Testing"), ("train", "validation", "test")),
        (("training_set", "valid", "test_set"), ("train", "validation", "test")),
    ],
)
def test_folders_named_like_splits_are_splits(tmp_path, names, sides):
    for name in names:
        make(tmp_path, f"{name}/cats/1.jpg", f"{name}/dogs/1.jpg")
    found = list_photos(tmp_path)
    by_folder = {p.split("/")[0]: s for p, s in zip(found.paths, found.splits, strict=True)}
    assert by_folder == dict(zip(names, sides, strict=True))
    assert found.class_names == ("cats", "dogs")


@pytest.mark.parametrize("wrap", ["PetImages", "archive/PetImages", "a/b/c/d"])
def test_folders_that_only_wrap_are_passed_through(tmp_path, wrap):
    make(tmp_path, f"{wrap}/Cat/0.jpg", f"{wrap}/Dog/0.jpg", "readme[1].txt", "docs/licence.pdf")
    found = list_photos(tmp_path)
    assert found.paths == (f"{wrap}/Cat/0.jpg", f"{wrap}/Dog/0.jpg")
    assert found.class_names == ("Cat", "Dog")


def test_wrapping_folders_inside_split_folders_are_passed_through(tmp_path):
    make(tmp_path, *(f"{s}/{s}/{c}/1.jpg" for s in ("training_set", "test_set") for c in "ab"))
    found = list_photos(tmp_path)
    assert found.class_names == ("a", "b")
    assert found.splits == ("test", "test", "train", "train")


def test_a_class_named_train_beside_other_classes_is_a_class(tmp_path):
    make(tmp_path, "train/1.jpg", "train/2.jpg", "bus/1.jpg", "car/1.jpg")
    found = list_photos(tmp_path)
    assert found.class_names == ("bus", "car", "train")
    assert set(found.splits) == {None}


def test_photos_beside_train_and_test_folders_are_set_aside(tmp_path):
    make(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "test/a/1.jpg", "extra/9.jpg", "loose.jpg")
    found = list_photos(tmp_path)
    aside = {item.path: item.reason for item in found.set_aside}
    assert set(aside) == {"extra/9.jpg", "loose.jpg"}
    assert aside["loose.jpg"] == "lies beside the train and test folders, in none of them"


def test_an_unlabelled_test_folder_is_set_aside_and_train_is_used(tmp_path):
    make(tmp_path, "train/a/1.jpg", "train/b/1.jpg", "test/1.jpg", "test/2.jpg")
    found = list_photos(tmp_path)
    assert set(found.splits) == {"train"}
    assert found.set_aside[0].reason == "lies directly in the folder 'test', without a class folder"


def test_foreign_files_are_set_aside_with_their_reasons(tmp_path):
    make(tmp_path, "a/1.jpg", "b/1.jpg", "a/Thumbs.db", "a/.DS_Store", "b/notes.txt", "b/x.mp4")
    make(tmp_path, "__MACOSX/a/._1.jpg", ".git/x.jpg", "a/.ipynb_checkpoints/1.jpg", "LICENSE")
    found = list_photos(tmp_path)
    assert found.paths == ("a/1.jpg", "b/1.jpg")
    assert {item.path: item.reason for item in found.set_aside} == {
        ".git": "a hidden or system folder",
        "LICENSE": "not an image file",
        "__MACOSX": "a hidden or system folder",
        "a/.DS_Store": "a hidden or system file",
        "a/.ipynb_checkpoints": "a hidden or system folder",
        "a/Thumbs.db": "a hidden or system file",
        "b/notes.txt": "not an image file",
        "b/x.mp4": "not an image file",
    }


def test_an_empty_class_folder_keeps_its_name(tmp_path):
    make(tmp_path, "a/1.jpg", "b/1.jpg", "d/Thumbs.db")
    (tmp_path / "c").mkdir()
    assert list_photos(tmp_path).class_names == ("a", "b", "c", "d")


def test_names_with_spaces_quotes_and_unicode_are_kept(tmp_path):
    names = ('Chien d\'été/été 1, "a".jpg', "猫/ネコ\n2.jpg", "two words/;.jpg")
    make(tmp_path, *names)
    found = list_photos(tmp_path)
    assert sorted(found.paths) == sorted(names)
    assert all((found.root / path).is_file() for path in found.paths)


def test_an_accent_written_in_two_ways_is_one_class(tmp_path):
    make(tmp_path, "train/caf\u00e9/1.jpg", "train/x/1.jpg", "test/cafe\u0301/1.jpg")
    assert list_photos(tmp_path).class_names == ("caf\u00e9", "x")


def test_names_that_are_not_utf8_are_set_aside_in_print(tmp_path):
    make(tmp_path, "a/1.jpg", "b/1.jpg")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/a/caf\xe9.jpg")).write_bytes(b"x")
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).mkdir()
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    found = list_photos(tmp_path)
    assert [item.path for item in found.set_aside] == ["\\xff", "a/caf\\xe9.jpg"]
    assert found.set_aside[1].reason == "the file's name is not valid UTF-8; rename it"


def test_links_inside_are_photos_and_links_outside_are_set_aside(tmp_path):
    outside = make(tmp_path / "outside", "o.jpg")
    root = make(tmp_path / "root", "a/1.jpg", "b/1.jpg")
    (root / "b/in.jpg").symlink_to(root / "a/1.jpg")
    (root / "b/out.jpg").symlink_to(outside / "o.jpg")
    (root / "b/nowhere.jpg").symlink_to(root / "gone.jpg")
    (root / "a/loop").symlink_to(root)
    found = list_photos(root)
    assert found.paths == ("a/1.jpg", "b/1.jpg", "b/in.jpg")
    reasons = {item.path: item.reason for item in found.set_aside}
    assert reasons["a/loop"].startswith("a link to a")
    assert reasons["b/nowhere.jpg"] == "a link that leads nowhere"
    assert reasons["b/out.jpg"].startswith("a link to a place outside the folder")


def test_a_pipe_is_set_aside_and_not_waited_for(tmp_path):
    make(tmp_path, "a/1.jpg", "b/1.jpg")
    os.mkfifo(tmp_path / "a/pipe.jpg")
    assert list_photos(tmp_path).set_aside[0].reason.startswith("not a regular file")


def test_classes_come_from_names_with_an_expression(tmp_path):
    make(tmp_path, "cat.0.jpg", "dog.0.jpg", "sub/dog.1.jpg", "bird.jpg")
    found = list_photos(tmp_path, label_from_name=r"^(cat|dog)\.")
    assert labels_of(found) == {"cat.0.jpg": "cat", "dog.0.jpg": "dog", "sub/dog.1.jpg": "dog"}
    assert found.set_aside[0].path == "bird.jpg"
    assert found.set_aside[0].reason.startswith("the name does not match --label-from-name")


def test_the_group_called_label_wins_and_splits_are_respected(tmp_path):
    make(tmp_path, "train/1_cat.jpg", "train/1_dog.jpg", "test/2_cat.jpg")
    found = list_photos(tmp_path, label_from_name=r"(\d)_(?P<label>[a-z]+)")
    assert found.class_names == ("cat", "dog")
    assert found.splits == ("test", "train", "train")


def test_an_expression_that_cannot_work_is_refused(tmp_path):
    make(tmp_path, "cat.0.jpg")
    with pytest.raises(ArgumentError, match=r"label_from_name='cat' has no group; put parentheses"):
        list_photos(tmp_path, label_from_name="cat")
    with pytest.raises(ArgumentError, match="is not a valid regular expression"):
        list_photos(tmp_path, label_from_name="(")
    with pytest.raises(PhotosError, match=r"matches no file name; the names look like cat\.0\.jpg"):
        list_photos(tmp_path, label_from_name="^(x)")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (
            ("cat.0.jpg", "cat.1.jpg", "dog.0.jpg", "dog.1.jpg"),
            r"--label-from-name '^([a-z]+)\.' (2 classes: cat, dog)",
        ),
        (
            ("big_cat_1.png", "big_cat_2.png", "dog_11.png", "dog_12.png"),
            r"--label-from-name '^(.+?)[._ -]*\d+\.' (2 classes: big_cat, dog)",
        ),
        (("IMG_1.jpg", "IMG_2.jpg"), "with --label-from-name REGEX"),
    ],
)
def test_a_flat_folder_is_refused_with_the_option_that_would_work(tmp_path, names, said):
    make(tmp_path, *names)
    with pytest.raises(PhotosError) as error:
        list_photos(tmp_path)
    assert f"{len(names)} photos lie directly in the folder itself" in str(error.value)
    assert said in str(error.value)


def test_kaggles_two_unpacked_heaps_are_not_taken_for_two_classes(tmp_path):
    make(tmp_path, *(f"train/{c}.{n}.jpg" for c in ("cat", "dog") for n in range(3)))
    make(tmp_path, "test1/1.jpg", "test1/2.jpg")
    with pytest.raises(PhotosError, match=r"lie directly in the folder 'train'.*2 classes: cat, d"):
        list_photos(tmp_path)


def test_a_class_that_train_lacks_is_an_error_with_the_nearest_name(tmp_path):
    make(tmp_path, "train/Cats/1.jpg", "train/dogs/1.jpg", "test/cats/1.jpg", "test/dogs/1.jpg")
    with pytest.raises(PhotosError, match=r"class 'cats' is only outside train.*mean Cats\?"):
        list_photos(tmp_path)


def test_a_source_that_is_none_is_explained(tmp_path):
    make(tmp_path, "photo.jpg", "empty/x/notes.txt")
    with pytest.raises(PhotosError, match=r"photo\.jpg' is not a source of photos. Expected a f"):
        list_photos(tmp_path / "photo.jpg")
    with pytest.raises(PhotosError, match=r"phot\.jpg' does not exist. Did you mean photo\.jpg"):
        list_photos(tmp_path / "phot.jpg")
    with pytest.raises(PhotosError, match=r"No photo found .*set aside \(1: not an image file\)"):
        list_photos(tmp_path / "empty")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_an_archive_is_unpacked_once_and_used_again(tmp_path, kind):
    make(tmp_path / "in", "PetImages/Cat/1.jpg", "PetImages/Dog/1.jpg")
    archive, to = tmp_path / f"pets.{kind}", tmp_path / "cache/abc"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w") as file:
            for name in ("PetImages/Cat/1.jpg", "PetImages/Dog/1.jpg"):
                file.write(tmp_path / "in" / name, name)
    else:
        with tarfile.open(archive, "w:gz") as file:
            file.add(tmp_path / "in/PetImages", "PetImages")
    with pytest.raises(ArgumentError, match=r"extract_to=None, but .* is an archive"):
        list_photos(archive)
    found = list_photos(archive, extract_to=to)
    before = (to / found.paths[0]).stat().st_mtime_ns
    assert list_photos(archive, extract_to=to).class_names == ("Cat", "Dog")
    assert (to / found.paths[0]).stat().st_mtime_ns == before


def table(tmp_path, text, encoding="utf-8"):
    file = make(tmp_path, "a.jpg", "sub/b c.jpg", "d.jpg") / "photos.csv"
    file.write_text(text, encoding=encoding)
    return file


def test_a_table_names_photos_labels_and_splits(tmp_path):
    text = (
        'path,LABEL,Split,more\na.jpg,cat,VAL,1\n"sub/b c.jpg","big, dog",train,2\nd.jpg,cat,,3\n'
    )
    found = list_photos(table(tmp_path, text, "utf-8-sig"))
    assert found.paths == ("a.jpg", "d.jpg", "sub/b c.jpg")
    assert found.class_names == ("big, dog", "cat")
    assert found.splits == ("validation", None, "train")


def test_a_table_says_how_much_a_photo_counts(tmp_path):
    found = list_photos(table(tmp_path, "path,label,weight\na.jpg,x,0.5\nd.jpg,y,\n"))
    assert found.weights.tolist() == [0.5, 1.0]
    assert list_photos(table(tmp_path, "path,label\na.jpg,x\nd.jpg,y\n")).weights is None


def test_missing_and_repeated_files_of_a_table_are_set_aside(tmp_path):
    found = list_photos(table(tmp_path, "path,label\na.jpg,x\ngone.jpg,x\nd.jpg,y\na.jpg,x\n"))
    assert found.paths == ("a.jpg", "d.jpg")
    assert [(item.path, item.reason) for item in found.set_aside] == [
        ("a.jpg", "listed twice (lines 2 and 5); used once"),
        ("gone.jpg", "no such file (line 3)"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("file,label\na.jpg,x\n", "line 1: got the columns 'file,label'.*column 'path' is missing"),
        ("path;label\na.jpg;x\n", "parted by semicolons; save the file with commas"),
        ("path,label\na.jpg,\n", "line 2, column 'label': the value is empty"),
        ("path,label\na.jpg,x\nd.jpg\n", "line 3: got 1 columns, expected at least 2"),
        ("path,label,split\na.jpg,x,tset\n", "line 2, column 'split': got 'tset'.*mean test"),
        ("path,label\na.jpg,x\na.jpg,y\n", "line 3, column 'label': 'a.jpg' is 'y' here and 'x'"),
        ("path,label,weight\na.jpg,x,-1\n", "line 2, column 'weight': got '-1', expected a number"),
        ("path,label,weight\na.jpg,x,0\nd.jpg,y,1\n", "Every photo of class 'x' has weight 0"),
        ("path,label,label\n", "the column 'label' is there twice"),
        ("", "line 1: got the columns ''"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused_by_line_and_column(tmp_path, text, said):
    with pytest.raises(PhotosError, match=said):
        list_photos(table(tmp_path, text))


def test_a_table_that_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(PhotosError, match="is not UTF-8 text"):
        list_photos(table(tmp_path, "path,label\na.jpg,café\n", "latin-1"))


def test_a_test_folder_beside_becomes_the_test_split_under_one_root(tmp_path):
    make(tmp_path, "photos/a/1.jpg", "photos/b/1.jpg", "exam/a/9.jpg")
    both = with_test_folder(list_photos(tmp_path / "photos"), list_photos(tmp_path / "exam"))
    assert both.root == tmp_path.resolve()
    assert both.paths == ("exam/a/9.jpg", "photos/a/1.jpg", "photos/b/1.jpg")
    assert both.splits == ("test", None, None)
    assert labels_of(both)["exam/a/9.jpg"] == "a"
    assert all((both.root / path).is_file() for path in both.paths)


def test_weights_stay_with_their_photos_when_a_test_folder_comes_in(tmp_path):
    make(tmp_path, "exam/x/9.jpg")
    listing = list_photos(table(tmp_path, "path,label,weight\na.jpg,x,3\nd.jpg,y,1\n"))
    both = with_test_folder(listing, list_photos(tmp_path / "exam"))
    assert dict(zip(both.paths, both.weights, strict=True))["a.jpg"] == 3


def test_a_test_folder_inside_the_photos_is_taken_once(tmp_path):
    make(tmp_path, *(f"{s}/{c}/1.jpg" for s in ("train", "test") for c in "ab"))
    both = with_test_folder(list_photos(tmp_path), list_photos(tmp_path / "test"))
    assert both.paths == ("test/a/1.jpg", "test/b/1.jpg", "train/a/1.jpg", "train/b/1.jpg")
    assert both.splits == ("test", "test", "train", "train")


def test_a_test_folder_with_other_classes_or_a_second_test_is_refused(tmp_path):
    make(tmp_path, "p/cats/1.jpg", "p/dogs/1.jpg", "q/Cat/1.jpg", "q/dogs/1.jpg")
    with pytest.raises(ArgumentError, match=r"class 'Cat' is there but not in .*mean cats\?"):
        with_test_folder(list_photos(tmp_path / "p"), list_photos(tmp_path / "q"))
    make(tmp_path, *(f"r/{s}/{c}/1.jpg" for s in ("train", "test") for c in ("cats", "dogs")))
    with pytest.raises(ArgumentError, match=r"has 2 test photos of its own\. Leave --test"):
        with_test_folder(list_photos(tmp_path / "r"), list_photos(tmp_path / "p"))


def test_ten_thousand_classes_are_listed(tmp_path):
    for number in range(10_000):
        (tmp_path / f"class {number}").mkdir()
        (tmp_path / f"class {number}/1.jpg").touch()
    found = list_photos(tmp_path)
    assert len(found) == len(found.class_names) == 10_000
    assert found.labels.tolist() == list(range(10_000))
