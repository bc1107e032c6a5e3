"""`manage.py doctor`: what works here, what is missing, and what to type.

manage.py starts it before Django. So it works without .venv, with settings that refuse to load,
and with a Python that is too old. It starts two processes with the Python of the project: one runs
project_checks, the other lets the judge judge. The checks of this machine run at the same time.

It prints no secret, and it changes nothing.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from lessons.workshop.setup import external_programs, virtual_environment
from lessons.workshop.terminal.doctor import report, system_checks
from lessons.workshop.terminal.doctor.commands import MANAGE
from lessons.workshop.terminal.doctor.report import OK, WRONG, Row

HELP = "Say what works here, what is missing, and what to type."
PROCESS_TIMEOUT = 30  # seconds; the checks and the verdict take one second, unless much else runs
OPTIONAL_PROGRAMS = (
    external_programs.CHROMIUM,
    external_programs.NODE,
    external_programs.NGINX,
    external_programs.POSTGRESQL,
)
# An unsolved exercise of the course. It is red, whatever the student has done.
EXERCISE = "lessons/01_accept/exercise.py"
JUDGE = ["manage.py", "lesson", "check", "1", "--target", EXERCISE, "--json"]


def main(arguments) -> int:
    """Run the command with these arguments. Returns its exit code."""
    parser = argparse.ArgumentParser(prog="manage.py doctor", description=HELP)
    parser.add_argument("--no-color", action="store_true", help="plain text")
    add_options(parser)
    options = parser.parse_args(arguments)
    return run_doctor(sys.stdout, options.port, options.json, options.no_color)


def add_options(parser) -> None:
    """The options that manage.py and Django's own list of commands share."""
    parser.add_argument("--port", type=int, default=8000, help="of the workshop (8000)")
    parser.add_argument("--json", action="store_true", help="the report for a program")


def run_doctor(file, port: int, as_json: bool, plain: bool) -> int:
    """Examine, print the report, and return 0 if all works that is needed, otherwise 1.

    `file` is None if stdout is closed. Return 1 too if the report cannot be written.
    """
    rows = examine(port)
    if file is None:
        return 1
    if as_json:
        text = report.as_json(rows)
    else:
        text = report.as_text(rows, file, not plain and report.wants_colours(file))
    try:
        file.write(text)
        file.flush()
    except BrokenPipeError:  # the reader has ended, as in `manage.py doctor | head -1`
        _discard(file)
    except OSError as error:  # such as a full disk
        _discard(file)
        sys.stderr.write(f"The report cannot be written: {error.strerror}.\n")
        return 1
    return 0 if report.works(rows) else 1


def _discard(file) -> None:
    """Send what the file still holds to the null device. Otherwise Python reports it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())


def examine(port: int):
    """All rows, in the order of the report."""
    python = system_checks.project_python()
    first = [system_checks.python, system_checks.environment]
    last = [
        partial(system_checks.folder, "work"),
        partial(system_checks.folder, ".workshop"),
        *([] if _is_deployed() else [partial(system_checks.port, port)]),
        system_checks.proxy,
        system_checks.system,
        *(partial(system_checks.program, one) for one in OPTIONAL_PROGRAMS),
        system_checks.sandbox,
    ]
    with ThreadPoolExecutor(max_workers=16) as pool:
        project = pool.submit(project_rows, python)
        judge = pool.submit(judge_row, python)
        before, after = ([pool.submit(check) for check in checks] for checks in (first, last))
        rows = [one.result() for one in before] + project.result()
        if report.works(project.result()[:1]):  # its packages are there
            rows += judge.result()
        return rows + [one.result() for one in after]


def _is_deployed() -> bool:
    """Whether the server is Daphne behind a proxy, at a port that this project does not know."""
    return os.environ.get("DJANGO_MODE", "").strip().lower() == "deployed"


def project_rows(python):
    """The rows of project_checks; none without an environment that could run it."""
    if python is None:
        return []
    try:
        command = [python, "-m", "lessons.workshop.terminal.doctor.project_checks"]
        done = _run(command, os.environ)
    except subprocess.TimeoutExpired:
        return [Row("Settings", WRONG, f"The checks took more than {PROCESS_TIMEOUT} s.")]
    except OSError as error:
        return [Row("Packages", WRONG, f"{python} does not start: {error.strerror}.")]
    try:
        return [Row(*row) for row in json.loads(done.stdout.decode())]
    except (ValueError, TypeError):
        reason = system_checks.last_line(done.stderr.decode(errors="replace"))
        return [Row("Packages", WRONG, f"The checks of the project fail: {reason}")]


def judge_row(python):
    """Whether the judge finds that an unsolved exercise is red, whatever the settings are."""
    if python is None:
        return []
    names = ("REDIS_URL", "DATABASE_URL")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in names and not name.startswith("DJANGO_")
    }
    started = time.monotonic()
    try:
        done = _run([python, *JUDGE], kept)
        verdict = json.loads(done.stdout.decode())
        is_red = any(one["finding"] for one in verdict["outcomes"]) and not verdict["problem"]
        reason = "Lesson 1's unsolved exercise is not red, and it must be."
    except subprocess.TimeoutExpired:
        is_red, reason = False, f"No verdict came for {PROCESS_TIMEOUT} s."
    except OSError as error:
        is_red, reason = False, f"{python} does not start: {error.strerror}."
    except (ValueError, KeyError):
        is_red, reason = False, system_checks.last_line(done.stderr.decode(errors="replace"))
    if not is_red:
        return [Row("Judge", WRONG, reason, cure=f"{MANAGE} lesson check 1")]
    took = f"{verdict['seconds'] * 1000:.0f} ms; with its start {time.monotonic() - started:.1f} s"
    return [Row("Judge", OK, f"Lesson 1's unsolved exercise is red, as it must be: {took}.")]


def _run(command, environment):
    """Run a command in the project's folder, without input. Its output is bytes."""
    return subprocess.run(  # noqa: UP022 - Python 3.6 has no capture_output
        command,
        cwd=str(virtual_environment.PROJECT),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=PROCESS_TIMEOUT,
    )
