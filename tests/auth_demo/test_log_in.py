"""The login page: the views of Django with the templates of the demo."""

import pytest

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_logs_in_and_out_with_the_views_of_django(client, django_user_model):
    django_user_model.objects.create_user("ada", password="lovelace")
    assert "You are not logged in." in client.get("/auth/").content.decode()
    form = client.get("/auth/login/").content.decode()
    assert 'name="csrfmiddlewaretoken"' in form
    wrong = client.post("/auth/login/", {"username": "ada", "password": "byron"})
    assert (wrong.status_code, "correct username" in wrong.content.decode()) == (200, True)
    person = {"username": "ada", "password": "lovelace"}
    assert client.post("/auth/login/", person).headers["location"] == "/auth/"
    assert "You are ada." in client.get("/auth/").content.decode()
    assert client.post("/auth/logout/").headers["location"] == "/auth/login/"
    assert "You are not logged in." in client.get("/auth/").content.decode()


def test_a_login_never_redirects_to_another_site(client, django_user_model):
    django_user_model.objects.create_user("ada", password="lovelace")
    person = {"username": "ada", "password": "lovelace", "next": "https://evil.example/"}
    assert client.post("/auth/login/", person).headers["location"] == "/auth/"
