"""Remote files, from a server of our own and from fsspec's file system in memory."""

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fsspec.implementations.memory import MemoryFileSystem

from forecast.errors import DataError, UsageError
from forecast.options import ReadOptions
from forecast.tables import read_panel

CSV = b"ds,y\n" + b"".join(b"2024-01-%02d,%d\n" % (day, day) for day in range(1, 20))


class Handler(BaseHTTPRequestHandler):
    """Answer with a table, or with what can go wrong."""

    def do_GET(self) -> None:
        """Send the file of this name."""
        name = self.path.partition("?")[0]
        if name in ("/401", "/403", "/500"):
            self.send_error(int(name[1:]))
        elif name == "/page":
            self._send(b"<!DOCTYPE html><html>Log in</html>")
        elif name == "/gone.csv":
            self.send_error(404)
        elif name == "/short.csv":
            self._send(CSV, len(CSV) + 100)
        elif name == "/changing.csv":
            self.server.count += 1  # type: ignore[attr-defined]
            self._send(CSV + b"2024-01-20,%d\n" % self.server.count, etag=f'"{self.server.count}"')  # type: ignore[attr-defined]
        elif name == "/private.csv" and self.headers.get("Authorization") != "Basic bWU6c2VjcmV0":
            self.send_error(401)
        else:
            self._send(gzip.compress(CSV) if name.endswith(".gz") else CSV)

    do_HEAD = do_GET  # noqa: N815

    def _send(self, body: bytes, length: int | None = None, etag: str = '"1"') -> None:
        """Send a body, and a length that may be wrong."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("ETag", etag)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Serve on a free port; return its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        serving.count = 0  # type: ignore[attr-defined]
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()
        thread.join()


def refusal(path: str) -> str:
    with pytest.raises(DataError) as caught:
        read_panel(path, ReadOptions())
    return str(caught.value)


@pytest.mark.parametrize("name", ["sales.csv", "sales.csv.gz", "sales.csv?key=secret", "export"])
def test_a_file_of_a_server_is_a_table(server: str, name: str) -> None:
    reading = read_panel(f"{server}/{name}", ReadOptions())
    assert reading.panel.target.tolist() == list(range(1, 20))
    assert reading.source["path"] == f"{server}/{name.replace('key=secret', '***')}"


def test_a_login_is_used_and_not_kept(server: str) -> None:
    reading = read_panel(f"{server.replace('//', '//me:secret@')}/private.csv", ReadOptions())
    assert reading.source["rows"] == 19
    assert reading.source["path"] == f"{server.replace('//', '//***@')}/private.csv"


def test_a_file_that_is_not_there_is_refused(server: str) -> None:
    assert refusal(f"{server}/gone.csv?key=secret") == (
        f"{server}/gone.csv?***: there is no such file.\nCheck the address."
    )


@pytest.mark.parametrize("code", ["401", "403", "500"])
def test_a_server_that_refuses_is_named_with_its_answer(server: str, code: str) -> None:
    message = refusal(f"{server}/{code}?key=secret")
    assert message.startswith(f"{server}/{code}?***: it cannot be read: {code}, message=")
    assert message.endswith("\nCheck the address, and the login it needs.")
    assert "secret" not in message


def test_a_server_that_is_not_there_is_refused() -> None:
    message = refusal("http://me:secret@127.0.0.1:1/sales.csv")
    assert message.startswith("http://***@127.0.0.1:1/sales.csv: it cannot be read: Cannot connect to host 127.0.0.1:1")


def test_a_page_instead_of_a_table_is_refused(server: str) -> None:
    assert refusal(f"{server}/page").startswith(f"{server}/page: this is an HTML or XML page, not a table.\n")


def test_a_file_without_its_end_is_refused(server: str) -> None:
    assert "it cannot be read: " in refusal(f"{server}/short.csv")


def test_a_file_that_changes_while_it_is_read_is_refused(server: str) -> None:
    assert refusal(f"{server}/changing.csv") == (
        f"{server}/changing.csv: the file changed while it was read.\n"
        "Wait until it is complete, or write it elsewhere and rename it."
    )


def test_a_file_of_more_bytes_than_allowed_is_refused(server: str) -> None:
    with pytest.raises(DataError, match=r"it holds more than 100 bytes\."):
        read_panel(f"{server}/sales.csv", ReadOptions(max_input_bytes=100))


def test_an_address_without_a_match_is_refused() -> None:
    MemoryFileSystem().pipe("/remote/a.csv", CSV)
    assert read_panel("memory://remote/*.csv", ReadOptions()).source["rows"] == 19
    assert refusal("memory://remote/*.txt") == "memory://remote/*.txt: no file matches.\nCheck the address."
    assert refusal("memory://remote/") == "memory://remote/: no file matches.\nCheck the address."


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "gopher://host/sales.csv",
            "gopher://host/sales.csv: Protocol not known: gopher.\nUse an address such as https://HOST/sales.csv.",
        ),
        (
            "smb://me:secret@store/sales.csv",
            'smb://me:***@store/sales.csv: SMB requires "smbprotocol" or "smbprotocol[kerberos]" installed.\n'
            "Install the package for this kind of address.",
        ),
    ],
)
def test_an_address_of_a_kind_that_nothing_here_knows_is_refused(path: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_panel(path, ReadOptions())
    assert str(caught.value) == message


def test_without_fsspec_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['fsspec'] = None\n"
        "from forecast import ReadOptions, read_panel\n"
        "try: read_panel('https://host/a.csv', ReadOptions())\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == (
        "UsageError https://host/a.csv: remote files need fsspec, which is not installed.\n"
        "Install it with: pip install 'forecast-lstm[remote]'\n"
    )
