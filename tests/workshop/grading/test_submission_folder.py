"""Which files of a folder or a zip file are submissions, of which student, for which lesson."""

import io
import os
import stat
import zipfile

import pytest

from lessons.workshop.course.lesson_index import find
from lessons.workshop.grading import archive, submission_folder
from lessons.workshop.grading.submission_folder import open_submissions

STOP, FRAMES = find("stop"), find("frames")
GUESS = "class Guess(SyncConsumer):\n    pass\n"


def write(folder, *names, text=GUESS):
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def zipped(*names, text=GUESS):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as opened:
        for name in names:
            opened.writestr(name, text)
    return content.getvalue()


def found(path, *asked):
    """The submissions as (student, lesson, path), and the reasons by path."""
    with open_submissions(path, asked) as folder:
        submissions = [(it.student, it.lesson.slug, it.path) for it in folder.submissions]
        return submissions, {one.path: one.reason for one in folder.left_out}


@pytest.mark.parametrize(
    "name, student",
    [
        ("ada_03_stop.py", "ada"),
        ("03_stop_ada.py", "ada"),
        ("ada_99_stop.py", "ada"),  # the number that the lesson had once
        ("lovelaceada_12345_67890_03_stop.py", "lovelaceada_12345_67890"),
        ("Lesson 3 Ada.py", "Ada"),
        ("ada/03_stop.py", "ada"),
        ("ada/stop.py", "ada"),
        ("ada/work/03_stop.py", "ada"),
        ("Ada Lovelace_77_assignsubmission_file_/anything.py", None),
        ("03_stop/ada.py", "ada"),
        ("ada.py", "ada"),
        ("03_stop.py", "class of 2026"),
        ("work/03_stop.py", "class of 2026"),
    ],
)
def test_names_of_files_and_folders_give_student_and_lesson(tmp_path, name, student):
    folder = tmp_path / "class of 2026"
    write(folder, name)
    expected = student or "Ada Lovelace_77_assignsubmission_file_"
    assert found(folder) == ([(expected, "stop", name)], {})


def test_a_work_folder_belongs_to_the_student_whose_folder_it_is_in(tmp_path):
    write(tmp_path / "ada" / "work", "03_stop.py", "02_frames.py")
    submissions, _ = found(tmp_path / "ada" / "work")
    assert [one[:2] for one in submissions] == [("ada", "frames"), ("ada", "stop")]


def test_the_class_in_the_code_gives_the_lesson_and_the_name_goes_first(tmp_path):
    write(tmp_path, "ada.py", "ben_02_frames.py")
    assert [one[:2] for one in found(tmp_path)[0]] == [("ada", "stop"), ("ben", "frames")]


def test_a_class_of_two_lessons_needs_a_name_or_a_question_for_one(tmp_path):
    write(tmp_path, "ada.py", text="class Ticker(AsyncConsumer):\n    pass\n")
    reason = "its class belongs to several lessons: name it 20_liveblog.py or 22_replay.py"
    assert found(tmp_path) == ([], {"ada.py": reason})
    assert found(tmp_path, find("replay")) == ([("ada", "replay", "ada.py")], {})


def test_nothing_is_dropped_silently(tmp_path):
    write(tmp_path, "ada/03_stop.py", "ada/notes.txt", ".git/config", "ben/02_frames.py")
    os.mkfifo(tmp_path / "ada" / "pipe.py")
    (tmp_path / "ada" / "solution.py").symlink_to(STOP.solution)
    (tmp_path / "eve").symlink_to(STOP.folder)
    submissions, left_out = found(tmp_path, STOP)
    assert submissions == [("ada", "stop", "ada/03_stop.py")]
    assert left_out == {
        ".git": "hidden",
        "ada/notes.txt": "not a Python file",
        "ada/pipe.py": "a pipe or a device",
        "ada/solution.py": "a symbolic link: ask for the file itself",
        "eve": "a symbolic link: ask for the file itself",
        "ben/02_frames.py": "for lesson 2 frames, which was not asked for",
    }


def test_a_zip_file_of_the_class_with_one_of_a_student_inside(tmp_path):
    file = tmp_path / "export.zip"
    with zipfile.ZipFile(file, "w") as opened:
        opened.writestr("submissions/ada/03_stop.py", GUESS)
        opened.writestr("submissions/ben.zip", zipped("work/03_stop.py", "work/notes.txt"))
        opened.writestr("submissions/__MACOSX/._03_stop.py", "")
    submissions, left_out = found(file)
    assert [one[:2] for one in submissions] == [("ada", "stop"), ("ben", "stop")]
    assert left_out["submissions/__MACOSX/._03_stop.py"] == "hidden"
    assert left_out["submissions/ben/work/notes.txt"] == "not a Python file"


@pytest.mark.parametrize(
    "name",
    ["../03_stop.py", "/tmp/03_stop.py", "a/../../03_stop.py", "..\\03_stop.py", "C:\\03_stop.py"],
)
def test_an_archive_writes_nothing_outside(tmp_path, name):
    (tmp_path / "class" / "in").mkdir(parents=True)
    (tmp_path / "class" / "in" / "eve.zip").write_bytes(zipped(name))
    before = sorted(tmp_path.rglob("*"))
    submissions, left_out = found(tmp_path / "class")
    assert submissions == []
    assert [*left_out.values()] == ["its path leads out of the archive"]
    assert sorted(tmp_path.rglob("*")) == before


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    entry = zipfile.ZipInfo("03_stop.py")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "eve.zip", "w") as opened:
        opened.writestr(entry, str(STOP.solution))
    reason = "a link, or another entry that is not a file"
    assert found(tmp_path) == ([], {"eve/03_stop.py": reason})


def test_an_archive_that_holds_too_much_or_is_damaged_spoils_only_itself(tmp_path, monkeypatch):
    small = archive.Limits(entries=3, total=10_000, file=6_000, size=1_000)
    monkeypatch.setattr(submission_folder, "OF_A_STUDENT", small)
    names = [f"{number}.py" for number in range(4)]
    (tmp_path / "many.zip").write_bytes(zipped(*names, text=""))
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as opened:
        for name in names[:3]:
            opened.writestr(name, "#" * 100_000)
    (tmp_path / "large.zip").write_bytes(zipped("03_stop.py", text="#" * 2_000))
    (tmp_path / "damaged.zip").write_bytes(b"PK\3\4 and no more")
    # "é" sets the flag of UTF-8. Latin-1 bytes replace it in both headers, or in one.
    named, latin = zipped("é.py"), "é.".encode("latin-1")
    (tmp_path / "latin.zip").write_bytes(named.replace("é".encode(), latin))
    (tmp_path / "half.zip").write_bytes(named.replace("é".encode(), latin, 1))
    write(tmp_path, "ada_03_stop.py")
    submissions, left_out = found(tmp_path)
    assert [one[0] for one in submissions] == ["ada"]
    for name in ("damaged.zip", "latin.zip"):
        assert left_out[name].startswith("It is not a zip file that can be read")
    assert left_out["half/é.py"].startswith("cannot be read from the archive")
    assert {name: left_out[name] for name in ("many.zip", "bomb.zip", "large.zip")} == {
        "many.zip": "It holds more than 3 files.",
        "bomb.zip": "It holds more than 0 MiB.",
        "large.zip": "It is larger than 0 MiB.",
    }
