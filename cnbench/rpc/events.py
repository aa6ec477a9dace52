"""What containerd's stream of events tells of containers: that they ended, or ran out of memory."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from typing import Any

import grpc

from cnbench.rpc.containerd_messages import PACKAGE
from cnbench.rpc.messages import message
from cnbench.rpc.services import method

# Each topic that is listened to, with its message.
_TOPICS = {"/tasks/exit": "TaskExit", "/tasks/oom": "TaskOOM"}


class Events:
    """Listens from its beginning on, in a thread of its own."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._told: dict[tuple[str, str], list[tuple[int, Any]]] = defaultdict(list)
        self._news = threading.Condition()
        stream = method("Events.Subscribe")
        subscribe = channel.unary_stream(
            stream.path,
            request_serializer=stream.request.SerializeToString,
            response_deserializer=stream.response.FromString,
        )
        filters = [f'topic=="{topic}"' for topic in _TOPICS]
        events = subscribe(stream.request(filters=filters))
        threading.Thread(target=self._listen, args=(events,), daemon=True).start()

    def _listen(self, events: Any) -> None:
        for envelope in events:
            heard = time.perf_counter_ns()
            kind = message(_TOPICS[envelope.topic], PACKAGE)
            told = kind.FromString(envelope.event.value)
            with self._news:
                self._told[envelope.topic, told.container_id].append((heard, told))
                self._news.notify_all()

    def wait(self, topic: str, container: str, within: float) -> tuple[int, Any]:
        """When ``topic`` was first told of ``container`` (ns), and the message, which is forgotten.

        Raises:
            TimeoutError: it was not within so many seconds.
        """
        key = (topic, container)
        with self._news:
            if not self._news.wait_for(lambda: self._told[key], within):
                raise TimeoutError(f"no event {topic} told of {container}")
            return self._told[key].pop(0)
