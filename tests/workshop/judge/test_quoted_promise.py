"""The promise that a finding quotes: of its diagnosis, or of the method that expected more."""

import pytest

from tests.support.courses import CHECK


@pytest.mark.parametrize(
    ("old", "new", "promise"),
    [
        ('event["text"]})', '"other"})', "Text comes back."),  # another message
        ('self.send({"type": "websocket.close"})', "pass", "`bye` closes."),  # nothing
        ("raise StopConsumer", "pass", ""),  # no method promises an end
        ("raise StopConsumer", 'if event["code"] != 1000: raise StopConsumer', ""),  # nor here
        ('"bye":', "1 / 0:", "The lamp stays on."),  # the diagnosis has its own sentence
    ],
)
def test_a_finding_quotes_the_promise_of_what_was_expected(lesson, judge_lamp, old, new, promise):
    text = CHECK.replace('        """Text comes back, and "bye" closes"""\n', "")
    text = text.replace("client.close()", "self.close(client)")
    text = text.replace("client.send(text)", "self.repeat(client, text)")
    methods = '''
    promise_of = {"exception": "The lamp stays on."}

    def close(self, client):
        """`bye` closes."""
        client.close()

    def repeat(self, client, text):
        """Text comes back."""
        client.send(text)

'''
    lesson.check.write_text(text.replace("\n\ndef test_repeats", f"{methods}\ndef test_repeats"))
    [finding, *_] = judge_lamp(old, new).findings
    assert finding.promise == promise
