"""What the start can tell without a process: what is required, and what is missing."""

import ast
import sys

import pytest
from django.conf import settings

from lessons.workshop.setup import virtual_environment
from tests.support.programs.bare_project import FILES


def test_reads_requirements_without_hashes_comments_and_continuations(monkeypatch, tmp_path):
    monkeypatch.setattr(virtual_environment, "REQUIREMENTS", tmp_path / "requirements.txt")
    virtual_environment.REQUIREMENTS.write_text(
        "# by uv\na==1 \\\n    --hash=sha256:0 \\\n    # via b\nc-d==2 ; sys_platform == 'x' \\\n"
    )
    assert virtual_environment.locked_names() == ["a", "c-d ; sys_platform == 'x'"]


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_says_what_to_install_for_a_python_without_venv(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    cure = r"(python3\.\d+-venv|https://www\.python\.org)$"
    with pytest.raises(virtual_environment.CannotStart, match=f"no {module}.*{cure}"):
        virtual_environment.create_venv()


def test_reports_a_python_that_is_too_old():
    with pytest.raises(virtual_environment.CannotStart, match=r"Python 3\.10 is too old.* 3\.11"):
        virtual_environment.require_new_python((3, 10, 13))
    virtual_environment.require_new_python((3, 11, 0))


@pytest.mark.parametrize("name", FILES)
def test_an_old_python_can_read_the_modules_that_report_it(name):
    ast.parse((settings.BASE_DIR / name).read_text(), feature_version=(3, 6))
