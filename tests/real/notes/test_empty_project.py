"""What `manage.py` does in an empty project: which server it starts, and which file it deletes."""

import hashlib
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = """
import os
from pathlib import Path

BASE_DIR = Path(__file__).parent
DEBUG = True
SECRET_KEY = "not a secret"
INSTALLED_APPS = os.environ["APPS"].split()
ROOT_URLCONF = "urls"
STATIC_URL = "static/"
ASGI_APPLICATION = "asgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "db.sqlite3",
        "TEST": {"NAME": BASE_DIR / os.environ.get("TEST_NAME", "test.sqlite3")},
    }
}
"""
TESTS = """
from django.test import TestCase

class DatabaseTest(TestCase):
    def test_nothing(self):
        pass
"""
FILES = {
    "settings.py": SETTINGS,
    "urls.py": "urlpatterns = []\n",
    "asgi.py": "from django.core.asgi import get_asgi_application\n"
    "application = get_asgi_application()\n",
    "tests.py": TESTS,
}
ASGI, WSGI = "Starting ASGI/Daphne version", "Starting development server at"
STATICFILES, WHITENOISE = "django.contrib.staticfiles", "whitenoise.runserver_nostatic"
# The command of whitenoise 6.12. It is a copy, because nothing else here needs the package.
COPY = Path(__file__).with_name("whitenoise_runserver.txt")
COPY_SHA256 = "4adf325bc36c6bb0cab209acbcb1585bee62b6bb3cc73be965e6c0fcd0615499"


@pytest.fixture
def project(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def whitenoise(project):
    source = COPY.read_bytes().partition(b"\n-----\n")[2]
    assert hashlib.sha256(source).hexdigest() == COPY_SHA256
    folder = project / "whitenoise" / "runserver_nostatic" / "management" / "commands"
    folder.mkdir(parents=True)
    (folder / "runserver.py").write_bytes(source)
    for one in [folder, *folder.parents][:4]:
        (one / "__init__.py").touch()


def manage(project, *command, apps, **environment):
    """Start a command of the project."""
    environment |= {"APPS": " ".join(apps), "DJANGO_SETTINGS_MODULE": "settings"}
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "django", *command],
        cwd=project,
        env=os.environ | environment | {"PYTHONPATH": str(project)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def starting_line(project, *apps):
    """The line with which runserver names its server."""
    command = "runserver", "--noreload", "--skip-checks", "0"
    with manage(project, *command, apps=apps) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("Starting"):
                process.kill()
                return line
        raise AssertionError("".join(lines))


def test_the_first_line_of_runserver_names_daphne(project):
    assert starting_line(project, "daphne", STATICFILES).startswith(ASGI)
    assert starting_line(project, STATICFILES).startswith(WSGI)


def test_channels_without_daphne_in_the_apps_gives_a_wsgi_runserver(project):
    assert starting_line(project, "channels", STATICFILES).startswith(WSGI)


@pytest.mark.usefixtures("whitenoise")
def test_whitenoise_extends_the_runserver_of_the_next_app(project):
    assert starting_line(project, WHITENOISE, "daphne", STATICFILES).startswith(ASGI)
    assert starting_line(project, WHITENOISE, STATICFILES, "daphne").startswith(WSGI)


@pytest.mark.parametrize("test_name, is_deleted", [("db.sqlite3", True), ("test.sqlite3", False)])
def test_a_test_database_with_the_name_of_the_real_one_deletes_it(project, test_name, is_deleted):
    file = project / "db.sqlite3"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE important (text)")
    database.close()
    with manage(project, "test", "--noinput", apps=(), TEST_NAME=test_name) as process:
        output = process.stdout.read()
    assert "Ran 1 test" in output
    assert "OK" in output
    assert file.exists() is not is_deleted
