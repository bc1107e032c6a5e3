"""Which files of a folder or a zip file are submissions, of which student, for which lesson."""

import io
import os
import stat
import zipfile

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.grading import submissions as module
from lessons.workshop.grading.submissions import UnreadableFolder, find_submissions

STOP, FRAMES = find("stop"), find("frames")
UNNAMED = "names no lesson: name it as in work/, as 03_stop.py"


def write(folder, *names, text=""):
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def zipped(*names, text="", method=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as opened:
        for name in names:
            opened.writestr(name, text)
    return content.getvalue()


def found(path, *asked):
    """The submissions as (student, lesson, path), and the reasons by path."""
    submissions, left_out = find_submissions(path, asked)
    names = [(it.student, it.lesson.slug, it.path) for it in submissions]
    return names, {one.path: one.reason for one in left_out}


@pytest.mark.parametrize(
    "name, student",
    [
        ("ada_03_stop.py", "ada"),
        ("03_stop_ada.py", "ada"),
        ("Ada_03_Stop.py", "Ada"),
        ("lovelaceada_12345_67890_03_stop.py", "lovelaceada_12345_67890"),
        ("ada/03_stop.py", "ada"),
        ("ada/work/03_stop.py", "ada"),
        ("export/ada/03_stop.py", "ada"),
        ("03_stop.py", "class of 2026"),
        ("work/03_stop.py", "class of 2026"),
    ],
)
def test_names_of_files_and_folders_give_student_and_lesson(tmp_path, name, student):
    folder = tmp_path / "class of 2026"
    write(folder, name)
    assert found(folder) == ([(student, "stop", name)], {})


def test_a_name_that_cannot_be_printed_or_decoded_is_shown_with_escapes(tmp_path):
    write(tmp_path, os.fsdecode(b"two\nlines\xff_03_stop.py"))
    assert found(tmp_path) == (
        [("two\\nlines\\udcff", "stop", "two\\nlines\\udcff_03_stop.py")],
        {},
    )


def test_a_work_folder_belongs_to_the_student_whose_folder_it_is_in(tmp_path):
    write(tmp_path / "ada" / "work", "03_stop.py", "02_frames.py")
    submissions, _ = found(tmp_path / "ada" / "work")
    assert [one[:2] for one in submissions] == [("ada", "frames"), ("ada", "stop")]


def test_a_file_without_a_lesson_is_left_out_and_one_of_another_lesson_is_ignored(tmp_path):
    unnamed = ["ada.py", "ben/anything.py", "03_stopwatch.py", "103_stop.py"]
    write(tmp_path, *unnamed, "cleo/03_stop.py", "dan/02_frames.py")
    submissions, left_out = found(tmp_path, STOP)
    assert [one[0] for one in submissions] == ["cleo"]
    assert left_out == dict.fromkeys(unnamed, UNNAMED)


def test_two_files_of_a_student_for_one_lesson_are_both_found_under_their_paths(tmp_path):
    write(tmp_path, "ada/03_stop.py", "ada/work/03_stop.py")
    assert [one[0] for one in found(tmp_path)[0]] == [
        "ada (ada/03_stop.py)",
        "ada (ada/work/03_stop.py)",
    ]


def test_nothing_that_a_student_made_is_dropped_silently(tmp_path):
    write(tmp_path, "ada/03_stop.py", "ada/notes.txt", ".git/config", "ada/__pycache__/a.pyc")
    write(tmp_path, "large_03_stop.py", text="#" * (1024**2 + 1))
    os.mkfifo(tmp_path / "ada" / "pipe.py")
    (tmp_path / "ada" / "solution.py").symlink_to(STOP.solution)
    (tmp_path / "eve").symlink_to(STOP.folder)
    submissions, left_out = found(tmp_path, STOP)
    assert submissions == [("ada", "stop", "ada/03_stop.py")]
    assert left_out == {
        "ada/notes.txt": "not a Python file",
        "ada/pipe.py": "a pipe or a device",
        "ada/solution.py": "a symbolic link: ask for the file itself",
        "eve": "a symbolic link: ask for the file itself",
        "large_03_stop.py": "larger than 1 MiB",
    }


def test_a_zip_file_of_the_class_is_read_like_its_folder(tmp_path):
    file = tmp_path / "export.zip"
    names = ("ada/03_stop.py", "ben/work/03_stop.py", "ben/notes.txt", "__MACOSX/._03_stop.py")
    file.write_bytes(zipped(*names, "cleo.zip", "c\\dan\\03_stop.py"))
    assert found(file) == (
        [
            ("ada", "stop", "ada/03_stop.py"),
            ("ben", "stop", "ben/work/03_stop.py"),
            ("dan", "stop", "c/dan/03_stop.py"),
        ],
        {"ben/notes.txt": "not a Python file", "cleo.zip": "a zip file in the class: unpack it"},
    )


@pytest.mark.parametrize("name", ["../ada/03_stop.py", "/ada/03_stop.py", "C:\\ada\\03_stop.py"])
def test_a_zip_file_writes_nothing(tmp_path, name):
    (tmp_path / "eve.zip").write_bytes(zipped(name))
    find_submissions(tmp_path / "eve.zip")
    assert [*tmp_path.rglob("*")] == [tmp_path / "eve.zip"]


def test_a_link_in_a_zip_file_is_the_path_that_it_names(tmp_path):
    entry = zipfile.ZipInfo("eve/03_stop.py")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as opened:
        opened.writestr(entry, str(STOP.solution))
    [submission], _ = find_submissions(tmp_path / "class.zip")
    assert submission.content == str(STOP.solution).encode()


def test_of_a_file_in_a_zip_file_no_more_is_read_than_a_submission_may_have(tmp_path):
    bomb = zipped("eve/03_stop.py", text="#" * 20_000_000, method=zipfile.ZIP_DEFLATED)
    (tmp_path / "class.zip").write_bytes(bomb)
    assert found(tmp_path / "class.zip") == ([], {"eve/03_stop.py": "larger than 1 MiB"})


DEFLATED = zipped("03_stop.py", text="#" * 1_000, method=zipfile.ZIP_DEFLATED)


@pytest.mark.parametrize(
    "content",
    [
        b"PK\3\4 and no more",
        DEFLATED.replace((1_000).to_bytes(4, "little"), (10).to_bytes(4, "little")),
        zipped("é.py").replace("é".encode(), "é.".encode("latin-1")),  # with the flag of UTF-8
        zipped("03_stop.py", method=zipfile.ZIP_LZMA),
    ],
    ids=["damaged", "lying", "latin", "lzma"],
)
def test_a_damaged_zip_file_is_refused(tmp_path, content):
    (tmp_path / "class.zip").write_bytes(content)
    with pytest.raises(UnreadableFolder, match="There is no folder and no zip file"):
        find_submissions(tmp_path / "class.zip")


@pytest.mark.parametrize(
    "limit, value, is_folder",
    [("MAX_FILES", 2, True), ("MAX_FILES", 2, False), ("MAX_TOTAL", 20, False)],
)
def test_refuses_what_holds_too_much(tmp_path, monkeypatch, limit, value, is_folder):
    monkeypatch.setattr(module, limit, value)
    names = [f"{name}_03_stop.py" for name in ("ada", "ben", "cleo")]
    write(tmp_path / "class", *names, text="#" * 10)
    (tmp_path / "class.zip").write_bytes(zipped(*names, text="#" * 10))
    with pytest.raises(UnreadableFolder, match="It holds more than"):
        found(tmp_path / ("class" if is_folder else "class.zip"))
