"""Scripts for scripted servers that several tests play."""

import h2.config
import h2.connection
import h2.events

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(*responses):
    """Script: one response per request of a connection, then the connection is closed."""

    def script(peer):
        for response in responses:
            if peer.request():
                peer.send(response)

    return script


class Site:
    """Script: answers paths from a table of heads, and keeps what was asked."""

    def __init__(self, **pages):
        self.pages = {f"/{name}": head for name, head in pages.items()}
        self.asked = []

    def __call__(self, peer):
        """Serve one connection."""
        while request := peer.request():
            self.asked.append(request)
            path = request.split()[1].decode().partition("?")[0]
            body = path.encode()
            head = self.pages.get(path, "200 OK")
            peer.send(f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def header(self, number, name):
        """Return a header of the request number `number`, or None."""
        lines = self.asked[number].partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines).get(name)


class Http2Script:
    """Script: answer every request over HTTP/2 with its path, and keep what was asked; `/silent` is not answered."""

    def __init__(self):
        self.asked = []

    def __call__(self, peer):
        """Serve one connection."""
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        peer.send(connection.data_to_send())
        while received := peer.sock.recv(65536):
            for event in connection.receive_data(received):
                self.answer(connection, event)
            peer.send(connection.data_to_send())

    def answer(self, connection, event):
        """Answer a request when its head is there; the path `/gone` ends the stream instead."""
        if not isinstance(event, h2.events.RequestReceived):
            return
        head = dict(event.headers)
        self.asked.append(head)
        if head[b":path"] == b"/gone":
            connection.reset_stream(event.stream_id)
            return
        if head[b":path"] == b"/silent":
            return
        connection.send_headers(event.stream_id, [(":status", "200"), ("x-kind", "h2")])
        connection.send_data(event.stream_id, head[b":path"], end_stream=True)
