"""A server's end of TLS, record by record, so that it can damage some."""

import contextlib
import ssl

from http_scripts import OK


class Records:
    """The server's end of TLS, record by record, so that it can damage some."""

    def __init__(self, sock, context):
        self.sock = sock
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._when_it_can(self._tls.do_handshake)

    def _when_it_can(self, act, *arguments):
        while True:
            try:
                return act(*arguments)
            except ssl.SSLWantReadError:
                self.sock.sendall(self._out.read())
                if not (received := self.sock.recv(65536)):
                    raise EOFError from None
                self._in.write(received)
            finally:
                self.sock.sendall(self._out.read())  # alerts too

    def request(self):
        """Read a request."""
        self.read()

    def read(self):
        """Read what there is, once there is something."""
        return self._when_it_can(self._tls.read, 65536)

    def write(self, octets):
        """Send octets in a record of their own."""
        self.sock.sendall(self.record(octets))

    def record(self, octets, *, damaged=False):
        """Return octets as a record."""
        self._tls.write(octets)
        record = bytearray(self._out.read())
        record[-1] ^= damaged
        return bytes(record)

    def close_notify(self):
        """Return the announcement of the end."""
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        return self._out.read()


def serving(context, third):
    """Return a script: two proper responses on each connection, and what `third` makes of the records instead of more."""

    def script(peer):
        with contextlib.suppress(ssl.SSLError, EOFError):
            records = Records(peer.sock, context)
            for _ in range(2):
                records.request()
                peer.send(records.record(OK))
            records.request()
            peer.send(third(records))

    return script
