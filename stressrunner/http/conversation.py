"""A transport as one user agent sees it: cookies are kept, and redirects are followed."""

from stressrunner.http.cookies import CookieJar, cookie_names
from stressrunner.http.exchange import Exchange, Failure, FailureKind, Request, Transport
from stressrunner.http.failures import response_timeout
from stressrunner.http.origin import Origin, locate
from stressrunner.http.redirects import location_of, redirected

__all__ = ["MAX_REDIRECTS", "Conversation"]

MAX_REDIRECTS = 10  #: hops of one request; more than that is taken for a loop


class Conversation:
    """The requests that belong together, such as those of an iteration; a transport itself.

    While no cookie is set and nothing is redirected, it costs a look at the names of the response's headers.
    """

    __slots__ = ("_base", "_jar", "_transport")

    def __init__(self, transport: Transport, base: Origin, jar: CookieJar | None) -> None:
        """`base` is the origin that paths belong to; without a jar no cookies are kept."""
        self._transport = transport
        self._base = base
        self._jar = jar

    async def exchange(self, request: Request) -> Exchange:
        """Send a request and follow where it leads, if it says so; all of that is one exchange.

        Its times are from the first request to the last response, which its status, headers and body are; sizes and
        connection times are added up. A hop that could not be sent, such as one to a host that is not allowed, leaves the
        redirect to it with the failure.
        """
        jar = self._jar
        exchange = await self._transport.exchange(self._with_cookies(request, jar) if jar else request)
        if jar is not None:
            self._keep_cookies(jar, request, exchange)
        if request.follow_redirects and location_of(exchange):
            return await self._follow(request, exchange)
        return exchange

    def _keep_cookies(self, jar: CookieJar, request: Request, exchange: Exchange) -> None:
        for name, _ in exchange.headers:
            if len(name) == 10 and name.lower() == "set-cookie":
                jar.store(exchange.headers, *locate(request.target, self._base))
                break

    def _with_cookies(self, request: Request, jar: CookieJar) -> Request:
        """Add the jar's cookies to a request; those it has itself are stronger."""
        given = next((value for name, value in request.headers if name.lower() == "cookie"), "")
        try:
            kept = jar.line(*locate(request.target, self._base), cookie_names(given))
        except ValueError:
            return request  # whose target makes no sense: the transport says so
        if not kept:
            return request
        headers = tuple(line for line in request.headers if line[0].lower() != "cookie")
        return request._replace(headers=(*headers, ("Cookie", f"{given}; {kept}" if given else kept)))

    async def _follow(self, request: Request, first: Exchange) -> Exchange:
        """Go where the first response leads, within the time that the request has."""
        deadline_ns = first.acquired_ns + int(request.timeout_s * 1e9)
        whole, hop = first, request
        while location := location_of(whole):
            left_s = (deadline_ns - whole.completed_ns) / 1e9
            failure = self._obstacle(whole, left_s, request.timeout_s)
            if failure is None:
                try:
                    hop = redirected(hop, whole.status, location, self._base)
                except ValueError as error:
                    failure = Failure(FailureKind.REDIRECTS, f"a redirect cannot be followed: {error}")
            if failure is not None:
                return whole._replace(failure=failure)
            exchange = await self.exchange(hop._replace(timeout_s=left_s, follow_redirects=False))
            if exchange.failure == response_timeout(left_s):
                exchange = exchange._replace(failure=response_timeout(request.timeout_s))
            if exchange.sent_ns is None and exchange.failure is not None:
                # What is shown is what was sent, which is not what could not be.
                return whole._replace(failure=exchange.failure, completed_ns=exchange.completed_ns)
            whole = _joined(whole, exchange)
        return whole

    @staticmethod
    def _obstacle(whole: Exchange, left_s: float, timeout_s: float) -> Failure | None:
        if whole.redirects == MAX_REDIRECTS:
            return Failure(FailureKind.REDIRECTS, f"more than {MAX_REDIRECTS} redirects")
        return response_timeout(timeout_s) if left_s <= 0 else None


def _joined(before: Exchange, after: Exchange) -> Exchange:
    """Return two exchanges, of which the first led to the second, as one."""
    opened = [ns for ns in (before.connect_ns, after.connect_ns) if ns is not None]
    return after._replace(
        acquired_ns=before.acquired_ns,
        sent_ns=before.sent_ns,
        connect_ns=sum(opened) if opened else None,
        bytes_sent=before.bytes_sent + after.bytes_sent,
        bytes_received=before.bytes_received + after.bytes_received,
        resent=before.resent or after.resent,
        redirects=before.redirects + 1,
    )
