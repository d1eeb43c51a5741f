"""The aws CLI in the place of boto3: the same calls, as command lines, in one process."""
import base64
import contextlib
import io
import json
import os
import re
import tempfile

from awscli.clidriver import create_clidriver
from botocore import xform_name

from session import Session

# Arguments that are given as a file, and their position.
FILES = {"ZipFile": "--zip-file", "Payload": "--payload", "Body": "--body", "SecretBinary": "--secret-binary"}
# These write what they get into a file.
WRITERS = {"Invoke": "Payload", "GetObject": "Body"}
# The CLI has no command for it.
MISSING = {"InvokeWithResponseStream"}


class CommandLine(Session):
    """Calls by the CLI, whose raw answers are judged like those of boto3."""

    def __init__(self):
        super().__init__()
        self.driver = create_clidriver()
        self.driver.session.register("before-parse.*.*", self.before_parse)
        self.files = tempfile.TemporaryDirectory()

    def call(self, service, operation, **arguments):
        if operation in MISSING:
            return super().call(service, operation, **arguments)
        self.last = None
        out, err, code = self.run(self.command(service, operation, arguments))
        if code == 0:
            answer = json.loads(out) if out.strip() else {}
            if "SecretBinary" in answer:
                answer["SecretBinary"] = base64.b64decode(answer["SecretBinary"])
            if operation in WRITERS:
                answer[WRITERS[operation]] = open(self.file(), "rb")
            return answer, (self.last.status, None, "")
        told = re.search(r"An error occurred \(([^)]*)\)[^:]*: (.*)", err)
        # What the CLI itself refuses never comes here.
        return None, (self.last.status, *told.groups()) if told else (0, None, err)

    def pages(self, service, operation, key, **arguments):
        out, err, code = self.run([*self.command(service, operation, arguments), "--page-size", "2"])
        assert code == 0, err
        return json.loads(out).get(key, [])

    def command(self, service, operation, arguments):
        """The words behind `aws`."""
        words = ["s3api" if service == "s3" else service, xform_name(operation, "-")]
        for name, value in arguments.items():
            if isinstance(value, dict) and "ZipFile" in value:
                name, value = "ZipFile", value["ZipFile"]
            words += self.option(name, value)
        return [*words, self.file()] if operation in WRITERS else words

    def option(self, name, value):
        option = "--" + xform_name(name, "-")
        if name in FILES:
            path = self.file(name)
            with open(path, "wb") as file:
                file.write(value if isinstance(value, bytes) else value.encode())
            return [FILES[name], path if name == "Body" else f"fileb://{path}"]
        if isinstance(value, bool):
            return [option if value else option.replace("--", "--no-", 1)]
        return [option, value if isinstance(value, str) else json.dumps(value)]

    def file(self, name="answer"):
        return os.path.join(self.files.name, name)

    def run(self, words):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = self.driver.main([*words, "--output", "json"])
            except SystemExit as refusal:
                code = refusal.code
        return out.getvalue(), err.getvalue(), code
