"""Signals to a program that a test has started and that has just ended."""

from tests.support.programs.processes import start


def test_a_signal_to_a_program_that_has_just_ended_is_ignored(tmp_path):
    program = tmp_path / "program.py"
    program.write_text("import threading\nthreading.Event().wait()\n")
    for _ in range(20):  # it ends before its exit code arrives; some rounds hit that gap
        process = start([program], cwd=tmp_path)
        process.kill()
        while process.poll() is None:
            process.terminate()
        assert process.wait() != 0
