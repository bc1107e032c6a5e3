"""`manage.py bench`: measures on this machine, prints tables, keeps the figures as JSON."""

from django.core.management.base import BaseCommand, CommandError

from lessons.bench.registry import BENCHMARKS
from lessons.bench.report import Lacking, Options
from lessons.core import catalogue

ALL = "all"


class Command(BaseCommand):
    help = "Measure on this machine. " + " ".join(
        f"{one.name}: {one.says}." for one in BENCHMARKS.values()
    )
    requires_system_checks = ()

    def add_arguments(self, parser):
        together = ", ".join(one.name for one in BENCHMARKS.values() if one.in_all)
        parser.add_argument("what", choices=[*BENCHMARKS, ALL], help=f"all: {together}; one report")
        parser.add_argument(
            "--lesson",
            help="number or slug; verdict: whose check (default: 3), "
            "soak: whose worked example (default: push)",
        )
        parser.add_argument("--rounds", type=int, help="default: 15, and 3 for soak")
        parser.add_argument(
            "--seconds",
            type=float,
            help="echo, page: of one measurement (0.15); chat: of talk (60)",
        )
        parser.add_argument("--connections", type=int, help="soak, chat: at once (1000; 200)")
        parser.add_argument(
            "--profile", action="store_true", help="echo: where an AsyncConsumer's time goes"
        )
        parser.add_argument(
            "--quick", action="store_true", help="less of everything: two minutes for all"
        )

    def handle(self, *, what, profile=False, **options):
        asked = Options(**{name: options[name] for name in Options.__dataclass_fields__})
        if any(number is not None and number <= 0 for number in (asked.rounds, asked.seconds)):
            raise CommandError("--rounds must be 1 or more, --seconds more than 0.", returncode=2)
        try:
            if what == ALL:
                self._all(asked)
            elif what == "echo" and profile:
                self._profile()
            else:
                self._one(BENCHMARKS[what], asked)
        except (Lacking, catalogue.UnknownLesson) as error:
            raise CommandError(str(error), returncode=2) from None

    def _one(self, benchmark, asked):
        report = benchmark.run(asked)
        self.stdout.write(report.table)
        self.stdout.write(f"Kept in {report.keep(benchmark.name)}")
        if report.fault:
            raise CommandError(report.fault, returncode=1)

    def _all(self, asked):
        from lessons.bench import everything

        def tell(name, words):
            self.stdout.write(f"\n== {name}\n{words}")

        files, faults = everything.measure(asked, tell)
        self.stdout.write("\n" + "\n".join(f"Kept in {file}" for file in files))
        if faults:
            raise CommandError(" ".join(faults), returncode=1)

    def _profile(self):
        from lessons.bench import profiling

        for kind, microseconds in profiling.costs().items():
            self.stdout.write(f"{kind:<38}{microseconds:>8.1f} µs an event")
        self.stdout.write(f"\n{profiling.profile()}")
