"""Lesson 2: the classic wrong versions of the stamp."""

from channels.consumer import SyncConsumer
from channels.exceptions import StopConsumer


class Counter(SyncConsumer):
    """What the exercise gives, and the count; each version below adds its websocket_receive."""

    def websocket_connect(self, event):
        self.count = 0
        self.send({"type": "websocket.accept"})

    def websocket_disconnect(self, event):
        raise StopConsumer()


class ReadsTextOnEveryFrame(Counter):
    """Believes that every frame has a text, empty on a binary one."""

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
    """Believes that a text frame has its bytes too, since text travels as bytes."""

    diagnosis = "bytes-on-text"

    def websocket_receive(self, event):
        self.count += 1
        data = f"{self.count} ".encode() + event["bytes"]
        if event.get("text") is not None:
            self.send({"type": "websocket.send", "text": data.decode()})
        else:
            self.send({"type": "websocket.send", "bytes": data})


class FillsBothKeys(Counter):
    """Believes that a reply offers both forms, and that the client takes the one it wants."""

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
    """Believes that a dict is turned into JSON on its way out."""

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
    """Believes that a str under "bytes" is encoded on its way out."""

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
    """Asks whether the text is true, and an empty one is not."""

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
    """Asks whether the bytes are true, and empty ones are not."""

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
    """Takes a key that is there for a key that holds something; other servers send None in it."""

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
    """Believes that everything goes out as bytes, since everything travels as bytes."""

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
    """Keeps the way back to the client on the class, where the next client overwrites it."""

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
    """Believes that self.send takes the payload, as the generic consumers' send does."""

    diagnosis = "generic-method"

    def websocket_receive(self, event):
        self.count += 1
        text, data = event.get("text"), event.get("bytes")
        if text is not None:
            self.send(text_data=f"{self.count} {text}")
        else:
            self.send(bytes_data=f"{self.count} ".encode() + data)
