"""`manage.py bench`: measures on this machine, prints a table, keeps the figures as JSON."""

import json
import platform

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lessons import catalogue


class Command(BaseCommand):
    help = (
        "Measure on this machine. verdict: how long a student waits for a verdict. "
        "echo: what one event costs, by what handles it. "
        "fanout: what one group_send to many costs, by channel layer. "
        "soak: what a server still holds when many connections have gone."
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("what", choices=["verdict", "echo", "fanout", "soak"])
        parser.add_argument(
            "--lesson",
            help="number or slug; verdict: whose check (default: 3), "
            "soak: whose worked example (default: push)",
        )
        parser.add_argument("--rounds", type=int, help="default: 15, and 3 for soak")
        parser.add_argument(
            "--seconds", type=float, default=0.15, help="echo: of one measurement (default: 0.15)"
        )
        parser.add_argument(
            "--connections", type=int, default=1000, help="soak: at once (default: 1000)"
        )
        parser.add_argument(
            "--profile", action="store_true", help="echo: where an AsyncConsumer's time goes"
        )

    def handle(self, *, what, rounds, seconds, **options):
        if (rounds is not None and rounds < 1) or seconds <= 0:
            raise CommandError("--rounds must be 1 or more, --seconds more than 0.", returncode=2)
        if what == "verdict":
            self._verdict(self._lesson(options["lesson"] or "3"), rounds or 15)
        elif what == "soak":
            lesson = self._lesson(options["lesson"] or "push")
            self._soak(lesson, options["connections"], rounds or 3)
        elif what == "fanout":
            self._fanout(rounds or 15)
        elif options["profile"]:
            self._profile()
        else:
            self._echo(rounds or 15, seconds)

    def _lesson(self, name):
        try:
            return catalogue.find(name)
        except catalogue.UnknownLesson as error:
            raise CommandError(str(error), returncode=2) from None

    def _verdict(self, lesson, rounds):
        from lessons.bench.verdict import measure, table

        rows = table(measure(lesson, rounds))
        self.stdout.write(f"{'':<28}{'median':>9}{'min':>9}{'max':>9}{'ratio':>8}")
        for row in rows:
            self.stdout.write(
                f"{row['what']:<28}{row['median_ms']:>6.0f} ms{row['min_ms']:>6.0f} ms"
                f"{row['max_ms']:>6.0f} ms{row['ratio']:>8.2f}"
            )
        self._keep("verdict", {"lesson": lesson.key, "rounds": rounds, "rows": rows})

    def _echo(self, rounds, seconds):
        from lessons.bench import chart, echo, echo_table

        figures = echo.measure(rounds, seconds)
        rows, facts = echo_table.rows_of(figures), echo_table.facts_of(figures)
        table = echo_table.table_of(rows, facts)
        self.stdout.write(table)
        self._keep("echo", {"rounds": rounds, "seconds": seconds, "facts": facts, "rows": rows})
        self._write("echo.txt", table + "\n")
        title = f"Echoes a second of {echo.MANY} clients, as a share of a bare function on Daphne"
        self._write("echo.svg", chart.bars(title, rows))

    def _fanout(self, rounds):
        from lessons.bench import chart, fanout, fanout_table
        from lessons.redis_server import NoRedis

        try:
            rows = fanout_table.rows_of(fanout.measure(rounds))
        except NoRedis as error:
            raise CommandError(str(error), returncode=2) from None
        table = fanout_table.table_of(rows)
        self.stdout.write(table)
        self._keep("fanout", {"rounds": rounds, "rows": rows})
        self._write("fanout.txt", table + "\n")
        title = "Milliseconds from one group_send to its last delivery"
        series = fanout_table.series_of(rows)
        self._write("fanout.svg", chart.lines(title, series, "WebSocket clients in the room"))

    def _soak(self, lesson, connections, waves):
        from lessons.bench import soak

        rows = soak.measure(lesson.demo, connections, waves)
        self.stdout.write(f"{'':<24}{'tasks':>8}{'threads':>9}{'groups':>8}{'memory':>11}")
        for row in rows:
            self.stdout.write(
                f"{row['when']:<24}{row['tasks']:>8}{row['threads']:>9}{row['groups']:>8}"
                f"{row['memory_mb']:>8.1f} MB"
            )
        self._keep("soak", {"lesson": lesson.key, "connections": connections, "rows": rows})
        if not soak.is_clean(rows):
            raise CommandError("Something was left behind.", returncode=1)

    def _profile(self):
        from lessons.bench import profiling

        for kind, microseconds in profiling.costs().items():
            self.stdout.write(f"{kind:<38}{microseconds:>8.1f} µs an event")
        self.stdout.write(f"\n{profiling.profile()}")

    def _keep(self, what, figures):
        figures = {"python": platform.python_version(), **figures}
        file = self._write(f"{what}.json", json.dumps(figures, indent=2) + "\n")
        self.stdout.write(f"Kept in {file}")

    def _write(self, name, text):
        folder = settings.STATE_DIR / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
        return folder / name
