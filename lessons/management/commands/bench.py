"""`manage.py bench`: measures on this machine, prints a table, keeps the figures as JSON."""

import json
import platform

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from lessons import catalogue


class Command(BaseCommand):
    help = "Measure on this machine. verdict: how long a student waits for a verdict."
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("what", choices=["verdict"])
        parser.add_argument("--lesson", default="3", help="number or slug (default: 3)")
        parser.add_argument("--rounds", type=int, default=15, help="default: 15")

    def handle(self, *, what, lesson, rounds, **options):
        from lessons.bench.verdict import measure, table

        try:
            lesson = catalogue.find(lesson)
        except catalogue.UnknownLesson as error:
            raise CommandError(str(error), returncode=2) from None
        if rounds < 1:
            raise CommandError("--rounds must be 1 or more.", returncode=2)
        rows = table(measure(lesson, rounds))
        self._print(rows)
        self._keep(what, lesson, rounds, rows)

    def _print(self, rows):
        self.stdout.write(f"{'':<28}{'median':>9}{'min':>9}{'max':>9}{'ratio':>8}")
        for row in rows:
            self.stdout.write(
                f"{row['what']:<28}{row['median_ms']:>6.0f} ms{row['min_ms']:>6.0f} ms"
                f"{row['max_ms']:>6.0f} ms{row['ratio']:>8.2f}"
            )

    def _keep(self, what, lesson, rounds, rows):
        folder = settings.STATE_DIR / "bench"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{what}.json"
        figures = {
            "lesson": lesson.key,
            "rounds": rounds,
            "python": platform.python_version(),
            "rows": rows,
        }
        file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        self.stdout.write(f"Kept in {file}")
