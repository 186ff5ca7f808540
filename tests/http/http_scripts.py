"""Scripts for scripted servers that several tests play."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answer(*responses):
    """Script: one response per request of a connection, then the connection is closed."""

    def script(peer):
        for response in responses:
            if peer.request():
                peer.send(response)

    return script


def without_http2(peer):
    """Script: a server of HTTP/1.1 that is spoken to in HTTP/2."""
    if peer.sock.recv(65536):
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


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
