"""The API as its OpenAPI document describes it: asking, and holding every answer against the document."""
import http.client
import json
import socket
import urllib.parse

import jsonschema

METHODS = {"get", "put", "post", "patch", "delete"}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=60):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text
        self.type = (headers["Content-Type"] or "").split(";")[0]
        self.json = json.loads(text) if text and "json" in self.type else None


class Api:
    """Requests to a node's API, each answer checked against the document that the node serves."""

    def __init__(self, node, token=None, tcp=False):
        self.node, self.token, self.tcp = node, token, tcp
        self.seen = set()  # operationId and status
        self.document = self.raw("GET", "/v1/openapi.json").json
        self.operations = {operation["operationId"]: (method.upper(), path, operation)
                           for path, item in self.document["paths"].items() for method, operation in item.items() if method in METHODS}

    def raw(self, method, target, body=None, headers=None, limit=None):
        """One request as it is; body: text or octets. limit: no more of the answer than so many octets (streams)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.node.http_port, timeout=60) if self.tcp else UnixConnection(
            self.node.path("api.sock"))
        fields = {"Content-Type": "application/json"} if headers is None else dict(headers)
        if self.token:
            fields["Authorization"] = f"Bearer {self.token}"
        try:
            connection.request(method, target, body, fields)
            response = connection.getresponse()
            text = response.read1(limit) if limit else response.read()
            return Answer(response.status, response.headers, text)
        finally:
            connection.close()

    def target(self, operation_id, values, query=None):
        _, path, _ = self.operations[operation_id]
        for name, value in values.items():
            path = path.replace("{" + name + "}", urllib.parse.quote(str(value), safe=""))
        return path + ("?" + urllib.parse.urlencode(query) if query else "")

    def ask(self, operation_id, body=None, query=None, **values):
        """The operation; its answer must conform. body: what becomes JSON."""
        method, _, operation = self.operations[operation_id]
        is_stream = "text/event-stream" in operation["responses"].get("200", {}).get("content", {})
        answer = self.raw(method, self.target(operation_id, values, query), None if body is None else json.dumps(body),
                          limit=4096 if is_stream else None)
        self.check(operation_id, answer)
        return answer

    def check(self, operation_id, answer):
        responses = self.operations[operation_id][2]["responses"]
        assert str(answer.status) in responses, f"{operation_id}: {answer.status} is not documented: {answer.text!r}"
        content = responses[str(answer.status)].get("content")
        self.seen.add((operation_id, answer.status))
        if content is None:
            assert not answer.text, f"{operation_id}: {answer.status} has a body: {answer.text!r}"
            return
        assert answer.type in content, f"{operation_id}: {answer.type} is not documented"
        if "json" in answer.type:
            self.validate(content[answer.type]["schema"], answer.json, operation_id)

    def validate(self, schema, value, what):
        validator = jsonschema.Draft202012Validator({**schema, "components": self.document["components"]},
                                                    format_checker=jsonschema.FormatChecker())
        errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[-300:]}"
                  for each in validator.iter_errors(value) for e in [each, *(each.context or [])]]
        assert not errors, f"{what}: {errors}"
