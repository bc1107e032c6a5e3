"""`lesson watch`: a verdict at every save.

It judges in this process. A workshop of the same folder judges the same saves for its pages.
"""

import time
from contextlib import suppress
from datetime import datetime

from lessons.workshop.course.lesson_index import Lesson
from lessons.workshop.engine.process.player_handle import warm_up
from lessons.workshop.engine.process.pool import PROCESSES
from lessons.workshop.judge.daemon.exercise_watcher import INTERVAL, ExerciseJudge
from lessons.workshop.judge.verdict import Verdict
from lessons.workshop.terminal.terminal_output import print_text, short_path
from lessons.workshop.terminal.verdict_text import print_next, print_verdict


def watch(console, lesson: Lesson) -> int:
    """Judge at every save until Ctrl-C. Returns 0 if the last verdict was green, else 1."""
    is_green = False

    def show(_key: str, report: dict) -> None:
        nonlocal is_green
        if "fault" in report:
            text = f"The checks of lesson {lesson.key} are broken, whatever the target:"
            print_text(console, f"{text}\n{report['fault']}", style="red")
        elif "verdict" in report:
            verdict = Verdict.from_json(report["verdict"])
            is_green = verdict.green
            if console.is_terminal:
                console.clear()
            print_verdict(console, lesson, verdict, time=f"{datetime.now():%H:%M:%S}")
            print_next(console, lesson, verdict)
            print_text(console, f"Watching {short_path(lesson.exercise)}. Ctrl-C ends it.", "dim")

    judge = ExerciseJudge([lesson], show)
    with suppress(KeyboardInterrupt):
        judge.judge_exercise(lesson)
        while not console.quiet:  # the reader of a pipe has ended
            warm_up(PROCESSES)
            time.sleep(INTERVAL)
            judge.look()
    return 0 if is_green else 1
