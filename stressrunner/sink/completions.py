"""The shapes of OpenAI's chat completions, as far as a stand-in needs them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Completion", "InvalidRequest", "Question", "error_body", "read_question"]


class InvalidRequest(ValueError):
    """A request that a model cannot be asked; its text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks."""

    model: str
    text: str  #: what users said since the assistant's last turn; what lies before was processed earlier
    words: int  #: of the whole conversation
    is_streamed: bool = False
    wants_usage: bool = False  #: at the end of the stream


def read_question(raw: bytes) -> Question:
    """Read the body of `POST /v1/chat/completions`.

    Raises:
        InvalidRequest: it is no such body.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidRequest("the body is not JSON") from None
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise InvalidRequest("'messages' has to be a list of objects that is not empty")
    options = body.get("stream_options")
    return Question(
        model=str(body.get("model", "")),
        text="\n".join(_newest(messages)),
        words=sum(len(_text_of(message).split()) for message in messages),
        is_streamed=body.get("stream") is True,
        wants_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _newest(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what users said after the assistant's last turn, in order."""
    texts: list[str] = []
    for message in messages:
        if message.get("role") == "assistant":
            texts = []
        elif message.get("role") == "user":
            texts.append(_text_of(message))
    return texts


def _text_of(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def error_body(message: str, kind: str) -> dict[str, Any]:
    """Return an error as clients of the API expect it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": None}}


@dataclass(frozen=True, slots=True)
class Completion:
    """The answer to a question, whole or as a stream.

    It does not repeat what was asked, so that a history which keeps the model's answers shows each token where
    the user's message is and nowhere else.
    """

    id: str
    created_s: int  #: since 1970
    question: Question

    @property
    def text(self) -> str:
        """What the model says."""
        return f"Understood {len(self.question.text.split())} words."

    def whole(self) -> dict[str, Any]:
        """Return the answer in one piece."""
        message = {"role": "assistant", "content": self.text}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self._usage()}

    def events(self) -> Iterator[str]:
        """Yield the answer word by word, as server-sent events."""
        yield self._chunk({"role": "assistant", "content": ""})
        for i, word in enumerate(self.text.split()):
            yield self._chunk({"content": f" {word}" if i else word})
        yield self._chunk({}, "stop")
        if self.question.wants_usage:
            yield _event({**self._head("chat.completion.chunk"), "choices": [], "usage": self._usage()})
        yield "data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, str], finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return _event({**self._head("chat.completion.chunk"), "choices": [choice]})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created_s, "model": self.question.model}

    def _usage(self) -> dict[str, int]:
        # A word is a token to the simulated model.
        read, written = self.question.words, len(self.text.split())
        return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"
