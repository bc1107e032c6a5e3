"""The instructor's pages: no student reads them."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from lessons.workshop.course.lesson_index import lessons
from lessons.workshop.course.plans import plans

pytestmark = pytest.mark.django_db

LESSON = lessons()[0].key
TEACH = reverse("teach", args=[LESSON])
PAGES = {reverse("plans"): plans()[0].title, TEACH: "Usual mis"}


@pytest.mark.parametrize(("page", "text"), PAGES.items())
def test_only_an_instructor_reads_a_page(client, page, text):
    login = f"{reverse('login')}?next={page}"
    assert client.get(page).url == login
    client.force_login(User.objects.create_user("ada"))
    assert client.get(page).url == login
    client.force_login(User.objects.create_user("grace", is_staff=True))
    assert text in client.get(page).content.decode()
