"""Predictions: shuffled for each page, graded by a recording, checked by verify."""

import pytest

from lessons.workshop.authoring.verify import faults_of_predictions
from lessons.workshop.course.lesson_index import find
from lessons.workshop.judge.study.predictions import predictions, shuffled

GROUP_SEND = 'layer 1 ← group_send  "lobby": jukebox.song  title: "hello"'
AT_1, AT_2 = (
    [
        f'layer {number} → jukebox.song  title: "hello"',
        f'client {number} ← websocket.send  text: "now playing: hello"',
    ]
    for number in (1, 2)
)
SAID = 'client 1 → websocket.receive  text: "hello"'


def of(slug, number):
    lesson = find(slug)
    return predictions(lesson)[number - 1].played(lesson)


def in_place(asked, given, never=()):
    labels = [card.label for card in asked.shown]
    order, left_out = ([labels.index(label) for label in it] for it in (given, never))
    rest = {*range(len(labels))}.difference(order, left_out)
    right = asked.grade(order, [*left_out, *rest])
    return tuple([right[number] for number in numbers] for numbers in (order, left_out))


# Grading


def test_two_members_may_receive_a_message_in_either_order():
    asked = of("group", 2)
    for first, second in ((AT_1, AT_2), (AT_2, AT_1)):
        assert in_place(asked, [SAID, GROUP_SEND, *first, *second]) == ([True] * 6, [])
        mixed = [first[0], second[0], second[1], first[1]]
        assert in_place(asked, [SAID, GROUP_SEND, *mixed]) == ([True] * 6, [])


def test_an_event_before_its_cause_is_wrong_and_so_is_the_cause():
    asked = of("group", 2)
    given = [SAID, *AT_1, GROUP_SEND, *AT_2]
    assert in_place(asked, given) == ([True, False, False, False, True, True], [])


def test_only_decoys_belong_to_what_never_happens():
    asked = of("stop", 2)
    *right, finished, one, other = (card.label for card in asked.cards)
    assert in_place(asked, [*right, finished], [one, other]) == ([True] * 4, [True, True])
    assert in_place(asked, [*right, one], [finished, other]) == (
        [True, True, True, False],
        [False, True],
    )


def test_what_follows_an_event_that_was_left_out_is_not_wrong_too():
    asked = of("stop", 2)
    connect, *between, finished, one, other = (card.label for card in asked.cards)
    given, never = [connect, *between[:-1], one, finished], [between[-1], other]
    marks = [True] * len(between) + [False, True]
    assert in_place(asked, given, never) == (marks, [False, True])


def test_shuffles_in_the_same_way_and_never_keeps_the_order():
    for seed in map(str, range(50)):
        assert shuffled([1, 2, 3], seed) != [1, 2, 3]
        assert shuffled([1, 2, 3], seed) == shuffled([1, 2, 3], seed)


# On the page


@pytest.fixture
def page(client, own_feed):
    """`page("stop")`: ask(number, **given) of a lesson's page."""

    def open_page(slug):
        url = f"/lessons/{find(slug).key}/"

        def ask(number, end="", status=200, **given):
            response = client.get(f"{url}predict/{number}/{end}", {"feed": own_feed, **given})
            assert response.status_code == status
            return response.json()

        return ask

    return open_page


@pytest.mark.django_db
def test_grades_each_card_of_an_order(page):
    ask = page("stop")
    dealt = ask(2)["cards"]
    assert ask(2)["cards"] == dealt
    right = [card.label for card in of("stop", 2).cards]
    places = [dealt.index(label) for label in right]
    answer = ask(2, "answer/", given=places[:4], never=places[4:])
    assert answer["is_right"]
    assert answer["order"] == right[:4]
    assert answer["recording"]["events"][-1]["message"] == {"type": "finished"}
    assert answer["target"] == "sync_demo.consumers.Operator"
    answer = ask(2, "answer/", given=places)
    assert not answer["is_right"]
    assert [answer["right"][place] for place in places] == [True] * 4 + [False] * 2


@pytest.mark.django_db
def test_rejects_unknown_questions_and_incomplete_answers(page):
    ask = page("stop")
    assert "no question 9" in ask(9, status=400)["error"]
    assert "exactly one place" in ask(2, "answer/", status=400, given=[0, 0])["error"]
    assert ask(2, "answer/", status=400, given=["x"])["error"]


# Verify

ONE = """
[[prediction]]
question = "q"
because = "b"
steps = {steps}
kind = "{kind}"
"""


def with_predictions(lesson, *entries):
    lesson.predictions.write_text("".join(entries))
    return [*faults_of_predictions(lesson)]


def one(kind, *steps, more=""):
    return ONE.format(kind=kind, steps=list(steps)) + more


def test_verify_reports_invalid_questions(course):
    found = with_predictions(
        course[0],
        one("order", "connect", more='lanes = ["layer"]\ndecoys = ["client ← websocket.accept"]'),
        one("receives", "connect", "text a"),
        one("order", "connect", "sleep 1"),
        one("receives", "connect", "2 connect", "text a", "2 text a"),
    )
    assert [fault.partition(": write ")[0] for fault in found] == [
        "prediction 1: a decoy does happen: client ← websocket.accept",
        "prediction 1: has 0 events to put in order; ask for 3 to 12",
        "prediction 2: needs at least two frames or two clients",
        "prediction 3: cannot be played: The step 'sleep 1' is unknown",
        "prediction 4: every client receives every frame, or none: add a decoy, or a client that "
        "receives nothing",
    ]


@pytest.mark.parametrize(
    "text, fault",
    [
        ("", "0 predictions; write 2 to 4"),
        ("[[prediction]", "predict.toml: "),
        (one("riddle"), "kind is 'riddle'; use one of"),
        (one("order") + "answer = 'x'", "unexpected keyword argument 'answer'"),
    ],
)
def test_verify_reports_unreadable_predictions(course, text, fault):
    (found,) = with_predictions(course[0], text)
    assert fault in found
