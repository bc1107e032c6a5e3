"""`manage.py bench`: measures on this machine, prints tables, saves the figures as JSON."""

import math
import os
import sys

from django.core.management.base import BaseCommand, CommandError

from lessons.workshop.course import lesson_index
from lessons.workshop.measure.registry import BENCHMARKS
from lessons.workshop.measure.report import MissingRequirement, Options
from lessons.workshop.setup.virtual_environment import INTERRUPTED

ALL = "all"


class Command(BaseCommand):
    help = "Measure on this machine. " + " ".join(
        f"{one.name}: {one.description}." for one in BENCHMARKS.values()
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        parser.add_argument("what", choices=[*BENCHMARKS, ALL], help="all: one report on each")
        parser.add_argument(
            "--lesson",
            help="number or slug; verdict: whose check (default: 3)",
        )
        parser.add_argument(
            "--rounds",
            type=int,
            help="how often each is measured (15)",
        )
        parser.add_argument(
            "--seconds",
            type=float,
            help="echo, page: time of one measurement (0.15)",
        )
        parser.add_argument(
            "--profile", action="store_true", help="echo: where an AsyncConsumer's time goes"
        )
        parser.add_argument(
            "--quick", action="store_true", help="measure less; `all` then takes two minutes"
        )

    def handle(self, *, what, profile=False, **options):
        options = Options(**{name: options[name] for name in Options.__dataclass_fields__})
        numbers = (options.rounds, options.seconds)
        # NaN is not more than 0 either.
        if any(number is not None and not 0 < number < math.inf for number in numbers):
            raise CommandError(
                "--rounds must be 1 or more, --seconds more than 0.",
                returncode=2,
            )
        os.environ.pop("DATABASE_URL", None)  # the servers that it starts have SQLite files
        try:
            if what == ALL:
                self._run_all(options)
            elif what == "echo" and profile:
                self._profile()
            else:
                self._run_one(BENCHMARKS[what], options)
        except (MissingRequirement, lesson_index.UnknownLesson) as error:
            raise CommandError(str(error), returncode=2) from None
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    def _run_one(self, benchmark, options):
        report = benchmark.run(options)
        self.stdout.write(report.table)
        if options.is_whole:
            self.stdout.write(f"Saved in {report.save(benchmark.name)}")
        else:
            self.stdout.write("Not saved: the pages show only a run without options.")
        if report.fault:
            raise CommandError(report.fault, returncode=1)

    def _run_all(self, options):
        from lessons.workshop.measure.run_all import run_all

        def on_result(name, table):
            self.stdout.write(f"\n== {name}\n{table}")

        files, faults = run_all(options, on_result)
        self.stdout.write("\n" + "\n".join(f"Saved in {file}" for file in files))
        if faults:
            raise CommandError(" ".join(faults), returncode=1)

    def _profile(self):
        from lessons.workshop.measure import profile

        for kind, microseconds in profile.costs().items():
            self.stdout.write(f"{kind:<38}{microseconds:>8.1f} µs an event")
        self.stdout.write(f"\n{profile.profile()}")
