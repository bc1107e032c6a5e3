"""One command starts the workshop, one runs the tests."""

import os
import re
import shutil
import socket
import urllib.error
import urllib.request
from contextlib import nullcontext
from types import SimpleNamespace

import psutil
import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from lessons.workshop.course import demo_accounts
from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge import pytest_plugin
from lessons.workshop.management.commands import test
from lessons.workshop.setup import virtual_environment
from lessons.workshop.setup.access_token import token
from lessons.workshop.setup.external_programs import NODE
from lessons.workshop.setup.network_access import Mode
from lessons.workshop.terminal import workshop
from tests.support.programs.processes import run
from tests.support.programs.running_program import wait_until
from tests.support.programs.workshop_program import TEST_TIMEOUT, Workshop
from tests.support.required_programs import find_program

posix = pytest.mark.skipif(os.name == "nt", reason="sends Ctrl-C to a process group")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A fresh clone of the project, without this student's database."""
    root = tmp_path_factory.mktemp("workshop") / "clone"
    unwanted = shutil.ignore_patterns("__pycache__", ".*", "tests")
    shutil.copytree(settings.BASE_DIR, root, ignore=unwanted)
    return root


def status_of(url):
    with urllib.request.urlopen(url, timeout=TEST_TIMEOUT) as answer:
        return answer.status


@posix
def test_workshop_serves_the_page_until_ctrl_c(clone):
    with Workshop(clone, "--no-reload") as started:
        url = started.address()
        assert url.startswith("http://127.0.0.1:")
        assert status_of(url) == 200
        assert "Sign in as student or instructor; the password is the name." in started.output
        assert started.interrupt() == 0
        assert "Traceback" not in started.output


@posix
def test_workshop_reloads_code_survives_a_syntax_error_and_leaves_no_process(clone):
    consumers = clone / "sync_demo" / "consumers.py"
    right = consumers.read_text()
    with Workshop(clone) as started:
        url = started.address()
        save_until(consumers, f"{right}\nthis is a syntax error\n", started, "SyntaxError")
        # The page that is open finds the server again where it was.
        save_until(consumers, f"{right}\n# and now it is\n", started, f"Workshop ready at {url}")
        own = psutil.Process(started.process.pid)
        # The server and the judge remain; a process in which the judge plays ends by itself.
        wait_until(lambda: len(own.children(recursive=True)) == 2)
        processes = own.children(recursive=True)
        started.interrupt()
        assert psutil.wait_procs(processes, TEST_TIMEOUT)[1] == []
    consumers.write_text(right)


def save_until(file, text, started, words):
    """Save until the reloader notices: it misses a save before its second look."""
    for patience in (1.5, 3, 6, 12, 24):
        file.write_text(text)
        if started.wait_for_line(f"{file.name} changed, reloading.", patience):
            break
    assert started.wait_for_line(words), f"never said {words!r}:\n{started.output}"


@pytest.fixture
def served(monkeypatch, settings):
    """The commands that `workshop` calls; they do not run."""
    calls = []
    monkeypatch.setattr(workshop, "call_command", lambda *names, **options: calls.append(names))
    monkeypatch.setattr(workshop, "prepare_database", lambda write: None)
    monkeypatch.setattr(workshop, "create_copies", list)
    monkeypatch.setattr(workshop, "connect_to_judge", lambda write: nullcontext())
    return calls


def start(**options):
    call_command("workshop", reload=False, **{"port": 0, **options})


def test_workshop_reports_a_taken_port_in_one_line(served):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"^Port {port} is taken.*--port {port + 1}$"):
            start(port=port)
    assert served == []


def test_other_site_reports_a_taken_port_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"^Port {port} is taken"):
            call_command("other_site", port=port)


@pytest.mark.parametrize("port", [-1, 99999])
def test_other_site_rejects_a_port_that_does_not_exist(port):
    with pytest.raises(CommandError, match=f"no port {port}") as refused:
        call_command("other_site", port=port)
    assert refused.value.returncode == 2


def test_workshop_rejects_a_port_number_that_is_too_large(served):
    with pytest.raises(CommandError, match="no port 70000") as refused:
        start(port=70000)
    assert refused.value.returncode == 2


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "a.test"])
def test_does_not_serve_other_machines_without_a_token(served, host):
    with pytest.raises(
        CommandError, match=f"manage.py workshop --share .* --host {host}$"
    ) as refused:
        start(host=host)
    assert refused.value.returncode == 2
    assert served == []


def test_runserver_does_not_serve_them_either(served):
    with pytest.raises(CommandError, match=r"manage\.py workshop --share"):
        call_command("runserver", "0.0.0.0:0")


def test_a_shared_workshop_serves_other_machines(served, settings):
    settings.MODE = Mode.SHARED
    start(host="0.0.0.0")
    [[command, address]] = served
    assert (command, address.rpartition(":")[0]) == ("runserver", "0.0.0.0")


def test_a_deployed_server_has_no_workshop(served, settings):
    settings.WORKSHOP = False
    with pytest.raises(CommandError, match=r"daphne -p 8001 lessons.asgi:application$"):
        start()
    assert served == []


@pytest.mark.parametrize(
    "mode, names, https, address",
    [
        (Mode.LOCAL, [], "", "http://localhost:8000/"),
        (Mode.SHARED, [], "", "http://localhost:8000/?token="),
        (Mode.SHARED, ["a.test", "b.test"], "", "http://a.test:8000/?token="),
        (Mode.SHARED, ["a.test"], "proxy", "https://a.test/?token="),
        (Mode.SHARED, ["a.test"], "8000", "https://a.test:8000/?token="),
    ],
)
def test_the_printed_address_leads_a_browser_to_the_page(settings, mode, names, https, address):
    settings.MODE, settings.HTTPS = mode, https
    settings.ALLOWED_HOSTS = [*settings.LOOPBACK, *names]
    expected = f"{address}{token()}" if mode is Mode.SHARED else address
    assert workshop.page_at("0.0.0.0", 8000) == expected


@posix
def test_share_puts_the_workshop_behind_a_token(clone):
    with Workshop(clone, "--no-reload", "--share", "a.test") as started:
        url = started.address()
        assert url.startswith("http://a.test:")
        port, query = re.search(r":([0-9]+)/(\?token=[0-9a-f]{32})$", url).groups()
        own = f"http://127.0.0.1:{port}/"
        with pytest.raises(urllib.error.HTTPError) as refused:
            status_of(own)
        with refused.value as answer:
            assert answer.status == 403
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with browser.open(own + query, timeout=TEST_TIMEOUT) as answer:
            assert (answer.status, answer.url) == (200, own)
        assert re.search(r"student \(password [0-9a-f]{12}\)", started.output)
        assert started.interrupt() == 0


@pytest.mark.django_db(transaction=True)
def test_creates_an_account_for_the_student_and_one_for_the_instructor(django_user_model, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # for the speed
    for _ in range(2):
        demo_accounts.create_accounts()
    users = {user.username: user for user in django_user_model.objects.all()}
    assert set(users) == {"student", "instructor"}
    assert sorted(group.name for group in Group.objects.all()) == ["editors", "guests"]
    assert all(user.check_password(name) for name, user in users.items())
    assert [users[name].is_staff for name in ("student", "instructor")] == [False, True]


def test_workshop_warns_of_changed_requirements(served, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(virtual_environment, "is_inside", lambda: True)
    monkeypatch.setattr(virtual_environment, "STAMP", tmp_path / "stamp")
    start()
    assert capsys.readouterr().err == ""
    virtual_environment.STAMP.write_text("of another requirements.txt")
    start()
    assert "requirements.txt has changed" in capsys.readouterr().err


def test_pytest_lesson_runs_its_tests_and_its_checks():
    collected = run(
        ["-m", "pytest", "--lesson", "stop", "--collect-only", "-q"], cwd=settings.BASE_DIR
    )
    files = {line.partition("::")[0] for line in collected.stdout.splitlines() if "::" in line}
    assert files == {"tests/sync_demo/test_03_stop.py", "lessons/03_stop/check.py"}


@pytest.mark.parametrize(
    "options, processes, timeout",
    [
        ({}, os.cpu_count() + 1, pytest_plugin.TEST_TIMEOUT),
        ({"timeout": 5}, os.cpu_count() + 1, 5),
        ({"numprocesses": 0}, 0, None),
        ({"keyword": "stop"}, None, None),
        ({"lf": True}, None, None),
    ],
)
def test_the_whole_suite_has_all_cores_and_a_timeout_and_a_few_tests_do_not(
    options, processes, timeout
):
    usual = {"lesson": None, "target": None, "numprocesses": None, "timeout": None}
    option = SimpleNamespace(**usual | options)
    config = SimpleNamespace(
        option=option,
        getoption=lambda name, default: getattr(option, name, default),
        args_source=pytest.Config.ArgsSource.TESTPATHS,
        ArgsSource=pytest.Config.ArgsSource,
    )
    next(pytest_plugin.pytest_cmdline_main(config))
    assert (option.numprocesses, option.timeout) == (processes, timeout)


@pytest.mark.parametrize("paths, is_right", [([], False), (["lessons/03_stop"], True)])
def test_a_target_needs_a_lesson(paths, is_right):
    options = ["--target", "solution", "--collect-only", "-q", *paths]
    done = run(["manage.py", "test", *options], cwd=settings.BASE_DIR)
    assert done.returncode == (0 if is_right else 2)
    assert ("--target needs a lesson: --lesson N, or" in done.stderr) is not is_right


def test_an_unknown_lesson_is_wrong_usage():
    answer = run(["manage.py", "test", "--lesson", "99"], cwd=settings.BASE_DIR)
    assert answer.returncode == 2
    assert "There is no lesson '99'" in answer.stderr


@pytest.mark.parametrize("form", [["--target", "{}/ada.py"], ["--target=ada.py"]])
def test_a_target_may_be_a_file_outside_of_the_project(tmp_path, form):
    shutil.copy(find("stop").solution, tmp_path / "ada.py")
    target = [part.format(tmp_path) for part in form]
    command = [str(settings.BASE_DIR / "manage.py"), "test", "--lesson", "stop", *target]
    done = run([*command, "-q", "-k", "check.py"], cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert " passed" in done.stdout


def test_an_unknown_target_is_wrong_usage():
    command = ["manage.py", "test", "--lesson", "stop", "--target", "no_such.py"]
    done = run(command, cwd=settings.BASE_DIR)
    assert done.returncode == 2
    assert "There is no file 'no_such.py'" in done.stderr


@pytest.mark.parametrize(
    "outcome, code",
    [
        ("OK", 0),
        ("TESTS_FAILED", 1),
        ("INTERRUPTED", 1),
        ("INTERNAL_ERROR", 1),
        ("USAGE_ERROR", 2),
        ("NO_TESTS_COLLECTED", 2),
    ],
)
def test_the_exit_code_is_green_red_or_wrong_usage(outcome, code):
    assert test.exit_code(pytest.ExitCode[outcome]) == code


def test_a_missing_program_skips_a_test_or_fails_it_if_required(monkeypatch):
    monkeypatch.delenv("REQUIRE_PARTS", raising=False)
    lacking = NODE._replace(commands=("no-such-part",))
    with pytest.raises(pytest.skip.Exception, match=re.escape(lacking.missing())):
        find_program(lacking)
    monkeypatch.setenv("REQUIRE_PARTS", "1")
    with pytest.raises(pytest.fail.Exception, match=re.escape(lacking.missing())):
        find_program(lacking)
