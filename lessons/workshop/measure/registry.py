"""The list of benchmarks. Each has a module of the same name with `run(options) -> Report`."""

from dataclasses import dataclass
from importlib import import_module

from lessons.workshop.measure.report import MissingRequirement, Options, Report
from lessons.workshop.setup.redis_server import RedisUnavailable


@dataclass(frozen=True)
class Benchmark:
    name: str
    description: str  # what it measures, in a few words

    def run(self, options: Options) -> Report:
        """Import what the benchmark needs only now, then measure."""
        try:
            return import_module(f"lessons.workshop.measure.{self.name}").run(options)
        except RedisUnavailable as error:
            raise MissingRequirement(str(error)) from None


BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in [
        Benchmark("verdict", "how long a student waits for a verdict"),
        Benchmark("echo", "echoes a second, by what handles an event"),
        Benchmark("fanout", "what one group_send to many clients costs, by channel layer"),
        Benchmark("page", "what a lesson's page costs the server, the browser and its socket"),
    ]
}
