"""The instructor's pages: no student reads them."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.course.plans import plans

pytestmark = pytest.mark.django_db

PAGES = [reverse("plans"), reverse("teach", args=[lessons()[0].key])]


@pytest.fixture
def student(client):
    client.force_login(User.objects.create_user("ada"))
    return client


@pytest.fixture
def instructor(client):
    client.force_login(User.objects.create_user("grace", is_staff=True))
    return client


@pytest.mark.parametrize("page", PAGES)
def test_sends_a_stranger_to_the_login(client, page):
    assert client.get(page).headers["location"] == f"{reverse('login')}?next={page}"


@pytest.mark.parametrize("page", PAGES)
def test_refuses_a_student_with_403(student, page):
    assert student.get(page).status_code == 403


@pytest.mark.parametrize(("page", "text"), [(PAGES[0], plans()[0].title), (PAGES[1], "Usual mis")])
def test_shows_the_page_to_an_instructor(instructor, page, text):
    assert text in instructor.get(page).content.decode()


def part(client):
    page = reverse("teach", args=[lessons()[0].key])
    return client.get(page, headers={"x-part": "teach"})


def test_the_tab_of_a_lesson_gets_the_text_alone(instructor):
    answer = part(instructor)
    assert answer.status_code == 200
    assert answer.content.decode().startswith('<article class="prose">')


def test_the_tab_asks_a_stranger_and_a_student_to_sign_in(client):
    for _ in range(2):
        answer = part(client)
        assert answer.status_code == 403
        login = f"{reverse('login')}?next={reverse('lesson', args=[lessons()[0].key])}"
        assert f'<a href="{login}">Sign in</a>' in answer.content.decode()
        client.force_login(User.objects.get_or_create(username="ada")[0])
