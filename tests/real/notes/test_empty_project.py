"""Which server `manage.py runserver` starts in an empty project."""

import os
import subprocess
import sys

import pytest

FILES = {
    "settings.py": (
        "import os\n"
        "DEBUG, SECRET_KEY, ROOT_URLCONF = True, 'not a secret', 'urls'\n"
        "INSTALLED_APPS, STATIC_URL = os.environ['APPS'].split(), 'static/'\n"
        "ASGI_APPLICATION = 'asgi.application'\n"
    ),
    "urls.py": "urlpatterns = []\n",
    "asgi.py": (
        "from django.core.asgi import get_asgi_application\napplication = get_asgi_application()\n"
    ),
}
ASGI, WSGI = "Starting ASGI/Daphne version", "Starting development server at"


def first_line_of_runserver(project, apps):
    for name, text in FILES.items():
        (project / name).write_text(text)
    environment = {"APPS": apps, "DJANGO_SETTINGS_MODULE": "settings", "PYTHONPATH": str(project)}
    command = ["-u", "-m", "django", "runserver", "--noreload", "--skip-checks", "0"]
    with subprocess.Popen(
        [sys.executable, *command],
        cwd=project,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = iter(process.stdout.readline, "")
        line = next((one for one in lines if one.startswith("Starting")), "")
        process.kill()
    return line


@pytest.mark.parametrize(
    ("apps", "start"),
    [
        ("daphne django.contrib.staticfiles", ASGI),
        ("django.contrib.staticfiles", WSGI),
        ("channels django.contrib.staticfiles", WSGI),
    ],
)
def test_the_first_line_of_runserver_names_daphne_if_its_app_is_installed(tmp_path, apps, start):
    assert first_line_of_runserver(tmp_path, apps).startswith(start)
