"""The files of a CI server and of containers, as data."""

from pathlib import Path

from tests.support.required_programs import skip_or_fail


def load_yaml(file: Path):
    """The content of a YAML file. Skip or fail the test where PyYAML is not installed."""
    try:
        import yaml
    except ImportError:
        skip_or_fail("There is no PyYAML: pip install --require-hashes -r .ci/extras.txt")
    return yaml.safe_load(file.read_text(encoding="utf-8"))
