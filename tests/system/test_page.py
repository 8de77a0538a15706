"""The web page: its files over HTTP, and the page itself in headless Chromium."""
import http.client

import pytest

from node import Node


@pytest.fixture(scope="module")
def node():
    with Node() as running:
        yield running


def ask(node, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", node.http_port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


@pytest.mark.sanitized
def test_files(node):
    page, body = ask(node, "/")
    assert page.status == 200 and page.getheader("Content-Type") == "text/html; charset=utf-8" and b"<title>Conclave</title>" in body
    policy = page.getheader("Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe" not in policy and page.getheader("X-Content-Type-Options") == "nosniff"
    script, code = ask(node, "/main.js?x")
    assert script.status == 200 and script.getheader("Content-Type").startswith("text/javascript") and b"import" in code
    head, nothing = ask(node, "/main.js", "HEAD")
    assert head.status == 200 and nothing == b"" and int(head.getheader("Content-Length")) == len(code)
    again, nothing = ask(node, "/main.js", **{"If-None-Match": script.getheader("ETag")})
    assert again.status == 304 and nothing == b""
    assert ask(node, "/none.js")[0].status == 404
    assert ask(node, "/", "POST")[0].status == 404
    assert ask(node, "/", Host="attacker.example")[0].status == 421


def test_files_need_no_token_but_the_api_does(tmp_path):
    token = tmp_path / "token"
    token.write_text("s3cret-of-this-test\n")
    token.chmod(0o600)
    with Node({"http": {"token_file": str(token)}}, start=False) as node:
        node.write_config()
        node.start_dp()
        node.start_cp()
        assert ask(node, "/")[0].status == 200 and ask(node, "/api.js")[0].status == 200
        assert ask(node, "/v1/conferences")[0].status == 401
        assert ask(node, "/v1/conferences", Authorization="Bearer s3cret-of-this-test")[0].status == 200
