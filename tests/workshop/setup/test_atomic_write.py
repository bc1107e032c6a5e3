"""Files that several processes write: each is always whole."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from lessons.workshop.setup import atomic_write


def test_of_two_that_create_a_file_at_once_one_wins_and_the_file_is_whole(tmp_path):
    file = tmp_path / "key"

    def rename_too_late(new, target):
        with ThreadPoolExecutor(1) as other:
            other.submit(atomic_write.create, file, b"theirs").result()
        atomic_write._rename_without_overwriting(new, target)

    with pytest.raises(FileExistsError):
        atomic_write.write(file, b"our longer key", rename=rename_too_late)
    assert file.read_bytes() == b"theirs"
    assert [*tmp_path.iterdir()] == [file]
