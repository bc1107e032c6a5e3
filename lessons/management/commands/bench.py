"""`manage.py bench`: measures on this machine, prints tables, saves the figures as JSON."""

import math
import os
import sys

from django.core.management.base import BaseCommand, CommandError

from lessons.bench.registry import BENCHMARKS
from lessons.bench.report import MissingRequirement, Options
from lessons.core import catalogue
from lessons.core.bootstrap import INTERRUPTED

ALL = "all"


class Command(BaseCommand):
    help = "Measure on this machine. " + " ".join(
        f"{one.name}: {one.description}." for one in BENCHMARKS.values()
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        in_all = ", ".join(one.name for one in BENCHMARKS.values() if one.in_all)
        parser.add_argument(
            "what", choices=[*BENCHMARKS, ALL], help=f"all: {in_all}, in one report"
        )
        parser.add_argument(
            "--lesson",
            help="number or slug; verdict: whose check (default: 3), "
            "chat: whose worked example the soak connects to (default: push)",
        )
        parser.add_argument(
            "--rounds",
            type=int,
            help="verdict, echo, fanout, page: 15; chat: waves of the soak (3); "
            "storm: kills of a server (3)",
        )
        parser.add_argument(
            "--seconds",
            type=float,
            help="echo, page: time of one measurement (0.15); chat: how long members talk (60); "
            "room: how long students send verdicts (180)",
        )
        parser.add_argument(
            "--connections",
            type=int,
            help="chat: clients at once (200; in a wave of the soak 1000); storm: members (400); "
            "room: students (300)",
        )
        parser.add_argument(
            "--profile", action="store_true", help="echo: where an AsyncConsumer's time goes"
        )
        parser.add_argument(
            "--quick", action="store_true", help="measure less; `all` then takes two minutes"
        )

    def handle(self, *, what, profile=False, **options):
        options = Options(**{name: options[name] for name in Options.__dataclass_fields__})
        numbers = (options.rounds, options.seconds, options.connections)
        # NaN is not more than 0 either.
        if any(number is not None and not 0 < number < math.inf for number in numbers):
            raise CommandError(
                "--rounds and --connections must be 1 or more, --seconds more than 0.",
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
        except (MissingRequirement, catalogue.UnknownLesson) as error:
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
        from lessons.bench.run_all import run_all

        def on_result(name, table):
            self.stdout.write(f"\n== {name}\n{table}")

        files, faults = run_all(options, on_result)
        self.stdout.write("\n" + "\n".join(f"Saved in {file}" for file in files))
        if faults:
            raise CommandError(" ".join(faults), returncode=1)

    def _profile(self):
        from lessons.bench import profile

        for kind, microseconds in profile.costs().items():
            self.stdout.write(f"{kind:<38}{microseconds:>8.1f} µs an event")
        self.stdout.write(f"\n{profile.profile()}")
