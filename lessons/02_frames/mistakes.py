"""Lesson 2: the classic wrong versions of the stamp."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Counter(SyncConsumer):
    """The rest of the exercise, with a count. Each version below adds its websocket_receive."""

    def websocket_connect(self, event):
        self.count = 0
        self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class ReadsTextOnEveryFrame(Counter):
    """Believes that every frame has a text, and that a binary one has an empty text."""

    diagnosis = "text-on-binary"

    def websocket_receive(self, event):
        self.count += 1
        if event["text"]:
            self.send({"type": "websocket.send", "text": f"{self.count} {event['text']}"})
        else:
            self.send(
                {"type": "websocket.send", "bytes": f"{self.count} ".encode() + event["bytes"]}
            )


class ReadsBytesOnEveryFrame(Counter):
    """Believes that a text frame has bytes too, because text is sent as bytes."""

    diagnosis = "bytes-on-text"

    def websocket_receive(self, event):
        self.count += 1
        data = f"{self.count} ".encode() + event["bytes"]
        if event.get("text") is not None:
            self.send({"type": "websocket.send", "text": data.decode()})
        else:
            self.send({"type": "websocket.send", "bytes": data})


class FillsBothKeys(Counter):
    """Believes that a reply may have both keys, and that the client chooses one."""

    diagnosis = "both-keys"

    def websocket_receive(self, event):
        self.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            data = text.encode()
        reply = f"{self.count} ".encode() + data
        text = reply.decode(errors="replace")
        self.send({"type": "websocket.send", "text": text, "bytes": reply})


class SendsADict(Counter):
    """Believes that a dict becomes JSON when it is sent."""

    diagnosis = "payload-not-text"

    def websocket_receive(self, event):
        self.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            reply = {"number": self.count, "text": text}
            self.send({"type": "websocket.send", "text": reply})
        else:
            self.send({"type": "websocket.send", "bytes": f"{self.count} ".encode() + data})


class SendsTextAsBytes(Counter):
    """Believes that a str under "bytes" is encoded when it is sent."""

    diagnosis = "payload-not-bytes"

    def websocket_receive(self, event):
        self.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            self.send({"type": "websocket.send", "text": f"{self.count} {text}"})
        else:
            reply = f"{self.count} {data.decode(errors='replace')}"
            self.send({"type": "websocket.send", "bytes": reply})


class TakesEmptyForMissing(Counter):
    """Asks `if text:`. An empty text counts as false."""

    diagnosis = "empty-text-missed"

    def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text:
            self.count += 1
            self.send({"type": "websocket.send", "text": f"{self.count} {text}"})
        elif data is not None:
            self.count += 1
            self.send({"type": "websocket.send", "bytes": f"{self.count} ".encode() + data})


class TakesNoBytesForMissing(Counter):
    """Asks `elif data:`. Empty bytes count as false."""

    diagnosis = "empty-bytes-missed"

    def websocket_receive(self, event):
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            self.count += 1
            self.send({"type": "websocket.send", "text": f"{self.count} {text}"})
        elif data:
            self.count += 1
            self.send({"type": "websocket.send", "bytes": f"{self.count} ".encode() + data})


class AsksWhichKeyIsThere(Counter):
    """Asks whether the key exists. Other servers send the unused key as None."""

    diagnosis = "none-as-text"

    def websocket_receive(self, event):
        self.count += 1
        if "text" in event:
            self.send({"type": "websocket.send", "text": f"{self.count} {event['text']}"})
        else:
            self.send(
                {"type": "websocket.send", "bytes": f"{self.count} ".encode() + event["bytes"]}
            )


class DecodesBytes(Counter):
    """Believes that all bytes are text."""

    diagnosis = "bytes-became-text"

    def websocket_receive(self, event):
        self.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is None:
            text = data.decode()
        self.send({"type": "websocket.send", "text": f"{self.count} {text}"})


class EncodesText(Counter):
    """Believes that every reply must be bytes, because everything is sent as bytes."""

    diagnosis = "text-became-bytes"

    def websocket_receive(self, event):
        self.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            data = text.encode()
        self.send({"type": "websocket.send", "bytes": f"{self.count} ".encode() + data})


class CountsForEveryone(Counter):
    """Keeps the count on the class, which all connections share."""

    diagnosis = "wrong-connection"
    count = 0

    def websocket_connect(self, event):
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        CountsForEveryone.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            self.send({"type": "websocket.send", "text": f"{self.count} {text}"})
        else:
            self.send({"type": "websocket.send", "bytes": f"{self.count} ".encode() + data})


class AnswersTheNewestClient(Counter):
    """Keeps a send method on the class. The next client replaces it."""

    diagnosis = "wrong-connection"

    def websocket_connect(self, event):
        self.count = 0
        AnswersTheNewestClient.answer = self.send
        self.send({"type": "websocket.accept"})

    def websocket_receive(self, event):
        self.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            self.answer({"type": "websocket.send", "text": f"{self.count} {text}"})
        else:
            self.answer({"type": "websocket.send", "bytes": f"{self.count} ".encode() + data})


class SendsTheTextAlone(Counter):
    """Believes that self.send takes the text, as in the generic consumers."""

    diagnosis = "generic-method"

    def websocket_receive(self, event):
        self.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            self.send(text_data=f"{self.count} {text}")
        else:
            self.send(bytes_data=f"{self.count} ".encode() + data)
