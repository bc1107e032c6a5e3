"""The mode: what the environment may say, and what is refused because it would not be safe."""

import stat

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection

from lessons.workshop.setup.network_access import LOCAL_KEY, LOOPBACK, Access, Mode, SettingsError
from lessons.workshop.student import demo_accounts
from tests.support.modes import KEY, SHARED


def refusal(environment, folder) -> str:
    with pytest.raises(SettingsError) as refused:
        Access.read(environment, folder)
    return str(refused.value)


@pytest.mark.parametrize(
    "environment", [{}, {"DJANGO_MODE": " Local "}, {"DJANGO_ALLOWED_HOSTS": "localhost,"}]
)
def test_is_local_by_default(tmp_path, environment):
    assert Access.read(environment, tmp_path) == Access(Mode.LOCAL, LOOPBACK, LOCAL_KEY, False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"DJANGO_MODE": "production"}, "Set it to local or shared or room."),
        ({"DJANGO_HTTPS": "8443"}, "'8443'. Let a proxy end TLS"),
        (
            {"DJANGO_MODE": "local", "DJANGO_ALLOWED_HOSTS": "localhost, a.test"},
            "DJANGO_ALLOWED_HOSTS names a.test, but the mode local serves",
        ),
        *(
            ({"DJANGO_MODE": mode, "DJANGO_ALLOWED_HOSTS": names}, 'must not contain "*"')
            for mode in ("local", "shared", "room")
            for names in ("*", "a.test,*", "*.test", ".", " * ")
        ),
    ],
)
def test_refuses_an_unknown_value_and_every_wildcard_with_the_cure(tmp_path, environment, reason):
    assert reason in refusal({**SHARED, **environment}, tmp_path)


@pytest.mark.django_db(transaction=True)
def test_refuses_to_start_while_no_query_can_check_the_passwords(monkeypatch, tmp_path):
    (tmp_path / "text.sqlite3").write_text("something else" * 100)
    monkeypatch.setitem(connection.settings_dict, "NAME", tmp_path / "text.sqlite3")
    with pytest.raises(SettingsError, match="database fails: file is not a database"):
        demo_accounts.require_safe_accounts()


WEAK = ["too short", LOCAL_KEY, "a" * 60, "abcd" * 15, f"django-insecure-{KEY}", KEY[:49]]


@pytest.mark.parametrize("mode", ["shared", "room"])
@pytest.mark.parametrize("key", WEAK)
def test_refuses_a_key_that_is_easy_to_guess(tmp_path, mode, key):
    environment = {**SHARED, "DJANGO_MODE": mode, "DJANGO_SECRET_KEY": key}
    reason = refusal(environment, tmp_path)
    assert reason.startswith("DJANGO_SECRET_KEY is too easy to guess")
    assert "Create one with: python3 -c" in reason
    assert key not in reason


def test_a_shared_workshop_and_a_room_each_make_a_key_once_for_their_user_alone(tmp_path):
    keys = set()
    for mode, file in (("shared", "secret_key"), ("room", "room_key")):
        environment = {"DJANGO_MODE": mode, "DJANGO_ALLOWED_HOSTS": "a.test, b.test"}
        access = Access.read(environment, tmp_path)
        assert access.allowed_hosts == [*LOOPBACK, "a.test", "b.test"]
        assert len(access.secret_key) >= 50
        assert Access.read(environment, tmp_path).secret_key == access.secret_key
        assert stat.S_IMODE((tmp_path / file).stat().st_mode) == 0o600
        keys |= {access.secret_key, Access.read(environment, tmp_path / "other").secret_key}
    assert len(keys) == 4


@pytest.mark.parametrize("https", ["proxy", " Proxy "])
def test_knows_that_a_proxy_ends_tls(tmp_path, https):
    assert Access.read({**SHARED, "DJANGO_HTTPS": https}, tmp_path).is_behind_proxy


# Accounts


@pytest.fixture
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.django_db(transaction=True)
def test_both_accounts_have_the_passwords_of_the_mode(settings, quick_hashes):
    for mode in (Mode.LOCAL, Mode.LOCAL, Mode.SHARED):
        settings.MODE = mode
        demo_accounts.create_accounts()
        users = {user.username: user for user in User.objects.all()}
        is_staff = {name: user.is_staff for name, user in users.items()}
        assert is_staff == {"student": False, "instructor": True}
        for name, user in users.items():
            assert user.check_password(name) is (mode is Mode.LOCAL)
            assert user.check_password(demo_accounts.password_of(name))
    assert sorted(group.name for group in Group.objects.all()) == ["editors", "guests"]
    first = demo_accounts.password_of("student")
    assert (len(first), first == demo_accounts.password_of("instructor")) == (12, False)
    settings.SECRET_KEY = KEY
    assert demo_accounts.password_of("student") != first


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "name, fields",
    [("student", {}), ("instructor", {"is_superuser": True}), ("root", {"is_staff": True})],
)
def test_refuses_an_account_whose_password_everybody_can_guess(quick_hashes, name, fields):
    user = User.objects.create_user(name, password=name, **fields)
    with pytest.raises(SettingsError, match=f"manage.py changepassword {name}"):
        demo_accounts.require_safe_accounts()
    user.set_password("another")
    user.save()
    demo_accounts.require_safe_accounts()


@pytest.mark.django_db(transaction=True)
def test_accepts_an_account_that_cannot_sign_in_or_has_few_rights(quick_hashes):
    User.objects.create_user("instructor", password="instructor", is_active=False)
    User.objects.create_user("ann", password="ann")  # neither ours nor powerful
    demo_accounts.require_safe_accounts()
