"""How servers are trusted, and how this side identifies itself."""

import ssl
from os import PathLike

__all__ = ["client_context"]


def client_context(
    *,
    verify: bool = True,
    ca_file: str | PathLike[str] | None = None,
    certificate: str | PathLike[str] | None = None,
    key: str | PathLike[str] | None = None,
    http2: bool = False,
) -> ssl.SSLContext:
    """Return the TLS settings of a run, built once, because that takes milliseconds.

    Servers are checked against the system's authorities, or those in `ca_file` (PEM) alone; with
    `verify=False` not at all. `certificate` and `key` (PEM; the key may be in the same file) are shown to
    servers that ask for them. With `http2` servers are asked for that first.

    Raises:
        OSError: a file cannot be read.
        ssl.SSLError: a file has no usable certificate or key, or the key is encrypted.
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 else ["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        # With a password, even an empty one, OpenSSL does not ask the terminal for that of an encrypted key.
        context.load_cert_chain(certificate, key, password="")
    return context
