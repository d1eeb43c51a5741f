"""Holds raw answers against botocore's official model: what the SDK's parser would quietly put right is an error here."""
import base64
import json
import math
import re
import xml.etree.ElementTree as ElementTree

# Codes that any operation may answer with, beside its own: the services' "Common Errors".
COMMON = {
    "ValidationException": 400, "SerializationException": 400, "UnknownOperationException": None,
    "ValidationError": 400, "InvalidAction": 400, "MissingAuthenticationTokenException": None,
    "InvalidClientTokenId": 403, "AccessDenied": 403, "UnrecognizedClientException": None, "AccessDeniedException": None,
    "RequestEntityTooLargeException": 413,
}
# Loopback URLs are shorter than the addresses that AWS makes up.
NOT_MEASURED = {"FunctionUrl"}
# What AWS answers though its own enumerations do not have it: the first is recorded in answers of UpdateFunctionCode,
# of the second IAM's reference says "This data type can only have a value of `Policy`".
BEYOND_ENUMERATION = {"LastUpdateStatusReasonCode": {"Creating"}, "PermissionsBoundaryAttachmentType": {"Policy"}}
S3 = "http://s3.amazonaws.com/doc/2006-03-01/"
# What the documents of some of S3's answers are called. Source: its API reference.
ROOTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}
ISO = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool)


class Answer:
    """One answer, and what is wrong with it."""

    def __init__(self, operation, status, headers, body):
        self.operation, self.status, self.headers, self.body = operation, status, headers, body
        self.service = operation.service_model
        self.protocol = self.service.metadata["protocol"]
        self.problems = []
        self.code = None

    def wrong(self, path, text):
        self.problems.append(f"{self.operation.name}: {path}: {text}")

    def judge(self):
        told = "x-amz-request-id" if self.protocol == "rest-xml" else "x-amzn-requestid"
        if told not in {name.lower() for name in self.headers}:
            self.wrong("headers", f"no {told}")
        if self.status >= 300:
            self.judge_error()
        else:
            expected = self.operation.http.get("responseCode", 200)
            shape = self.operation.output_shape
            members = shape.members.values() if shape is not None else ()
            # Some answers have their status as a member: several are right.
            told = any(member.serialization.get("location") == "statusCode" for member in members)
            # S3 says 204 where its model says nothing.
            silent = self.protocol == "rest-xml" and self.status == 204 and not self.body
            if self.status != expected and not told and not silent:
                self.wrong("status", f"{self.status}, not {expected}")
            {
                "rest-json": self.judge_rest, "json": self.judge_json, "query": self.judge_query,
                "rest-xml": self.judge_rest_xml,
            }[self.protocol]()
        return self.problems

    def document(self):
        try:
            return json.loads(self.body)
        except ValueError as error:
            self.wrong("body", f"no JSON: {error}: {self.body[:100]!r}")
            return None

    def judge_rest(self):
        shape = self.operation.output_shape
        if shape is None:
            if self.body:
                self.wrong("body", f"should be empty: {self.body[:100]!r}")
            return
        self.judge_headers(shape)
        if shape.serialization.get("payload"):
            return
        placed = {name for name, member in shape.members.items() if member.serialization.get("location")}
        if not self.body and placed == set(shape.members):
            return
        document = self.document()
        if document is not None:
            self.walk(document, shape, "$", placed)

    def judge_rest_xml(self):
        shape = self.operation.output_shape
        placed = {name for name, member in shape.members.items() if member.serialization.get("location")} if shape else ()
        if shape is not None:
            self.judge_headers(shape)
            if shape.serialization.get("payload"):
                return
        if shape is None or placed == set(shape.members):
            if self.body:
                self.wrong("body", f"should be empty: {self.body[:100]!r}")
            return
        try:
            root = ElementTree.fromstring(self.body)
            # The model does not name it. Source: S3's API reference.
            name = ROOTS.get(self.operation.name)
            if name and self.tag(root) != name:
                self.wrong("body", f"the root is not {name}")
            self.element(root, shape, "$")
        except ElementTree.ParseError as error:
            self.wrong("body", f"no XML: {error}")

    def judge_headers(self, shape):
        low = {name.lower(): value for name, value in self.headers.items()}
        for name, member in shape.members.items():
            if member.serialization.get("location") == "header":
                value = low.get(member.serialization.get("name", name).lower())
                if value is None and name in shape.required_members:
                    self.wrong(name, "a required header is absent")
                if value is not None and member.type_name == "integer" and not value.isdigit():
                    self.wrong(name, f"not an integer: {value!r}")

    def judge_json(self):
        kind = self.headers.get("content-type", "")
        if self.body and kind != "application/x-amz-json-1.1":
            self.wrong("content-type", kind)
        shape = self.operation.output_shape
        if shape is None:
            if self.body not in (b"", b"{}"):
                self.wrong("body", f"should be empty: {self.body[:100]!r}")
            return
        document = self.document()
        if document is not None:
            self.walk(document, shape, "$")

    def walk(self, value, shape, path, elsewhere=frozenset()):
        """A JSON value against a shape."""
        kind = shape.type_name
        expected = {
            "structure": dict, "map": dict, "list": list, "string": str, "blob": str, "boolean": bool,
        }.get(kind)
        if value is None:
            return self.wrong(path, "null")
        if expected and not isinstance(value, expected):
            return self.wrong(path, f"{kind} expected: {value!r}")
        if kind in ("integer", "long") and not is_integer(value):
            return self.wrong(path, f"{kind} expected: {value!r}")
        if kind in ("float", "double") and not (is_integer(value) or isinstance(value, float)):
            return self.wrong(path, f"{kind} expected: {value!r}")
        if kind == "timestamp":
            return self.moment(value, shape, path)
        if kind == "blob":
            try:
                base64.b64decode(value, validate=True)
            except ValueError:
                self.wrong(path, f"no base64: {value!r}")
        elif kind == "structure":
            self.structure(value, shape, path, elsewhere)
        elif kind == "list":
            for number, item in enumerate(value):
                self.walk(item, shape.member, f"{path}[{number}]")
        elif kind == "map":
            for key, item in value.items():
                self.walk(key, shape.key, f"{path}.{key}")
                self.walk(item, shape.value, f"{path}.{key}")
        self.limits(value, shape, path)

    def moment(self, value, shape, path):
        form = shape.serialization.get("timestampFormat", "unixTimestamp")
        good = is_integer(value) or isinstance(value, float) if form == "unixTimestamp" else isinstance(value, str)
        if not good:
            self.wrong(path, f"a timestamp as {form} expected: {value!r}")

    def structure(self, value, shape, path, elsewhere=frozenset()):
        names = {m.serialization.get("name", n): (n, m) for n, m in shape.members.items() if n not in elsewhere}
        for name, item in value.items():
            if name not in names:
                self.wrong(f"{path}.{name}", f"{shape.name} has no such member")
            else:
                self.walk(item, names[name][1], f"{path}.{name}")
        present = {names[name][0] for name in value if name in names}
        for name in set(shape.required_members) - present - set(elsewhere):
            self.wrong(f"{path}.{name}", "a required member is absent")

    def limits(self, value, shape, path):
        """Enumerations, lengths, ranges and patterns."""
        raw = shape._shape_model
        if shape.name in NOT_MEASURED:
            return
        if raw.get("enum") and value not in raw["enum"] and value not in BEYOND_ENUMERATION.get(shape.name, ()):
            self.wrong(path, f"{value!r} is not in the enumeration {shape.name}")
        if shape.type_name in ("string", "list", "map"):
            # Least lengths are meant for requests: an answer's list may be empty.
            size = len(value) if shape.type_name == "string" else max(len(value), raw.get("min", 0))
        elif shape.type_name in ("integer", "long", "float", "double"):
            size = value
        else:
            return
        if not raw.get("min", -math.inf) <= size <= raw.get("max", math.inf):
            self.wrong(path, f"{value!r} is beyond the limits of {shape.name}: {raw.get('min')} to {raw.get('max')}")
        if shape.type_name == "string" and raw.get("pattern"):
            try:
                pattern = re.compile(raw["pattern"])
            except re.error:
                return
            if not pattern.fullmatch(value):
                self.wrong(path, f"{value!r} does not match {shape.name}'s {raw['pattern']}")

    # --- Query: XML

    def judge_query(self):
        root = self.xml(f"{self.operation.name}Response")
        if root is None:
            return
        children = {self.tag(child): child for child in root}
        if len(children) != len(root):
            self.wrong("body", f"an element twice: {[self.tag(child) for child in root]}")
        metadata = children.pop("ResponseMetadata", None)
        if metadata is None or [self.tag(child) for child in metadata] != ["RequestId"]:
            self.wrong("body", "no ResponseMetadata with a RequestId")
        shape = self.operation.output_shape
        wrapper = shape.serialization.get("resultWrapper") if shape is not None else None
        if wrapper:
            result = children.pop(wrapper, None)
            if result is None:
                self.wrong("body", f"no {wrapper}")
            else:
                self.element(result, shape, wrapper)
        if children:
            self.wrong("body", f"unknown elements: {list(children)}")

    def xml(self, name):
        if not self.headers.get("content-type", "").startswith("text/xml"):
            self.wrong("content-type", self.headers.get("content-type"))
        try:
            root = ElementTree.fromstring(self.body)
        except ElementTree.ParseError as error:
            self.wrong("body", f"no XML: {error}")
            return None
        expected = f"{{{self.service.metadata['xmlNamespace']}}}{name}"
        if root.tag != expected:
            self.wrong("body", f"the root is {root.tag}, not {expected}")
        return root

    def tag(self, element):
        namespace, _, name = element.tag.rpartition("}")
        if namespace[1:] != self.service.metadata.get("xmlNamespace", S3):
            self.wrong(name, f"in the namespace {namespace[1:]!r}")
        return name

    def element(self, element, shape, path):
        """An XML element against a shape."""
        kind, text = shape.type_name, element.text or ""
        if kind == "structure":
            names = {m.serialization.get("name", n): (n, m) for n, m in shape.members.items()}
            present = set()
            for child in element:
                name = self.tag(child)
                if name not in names:
                    self.wrong(f"{path}.{name}", f"{shape.name} has no such member")
                    continue
                member = names[name][1]
                # The items of a flattened list have no element around them.
                is_flat = bool(member.serialization.get("flattened"))
                if name in present and not is_flat:
                    self.wrong(f"{path}.{name}", "twice")
                present.add(name)
                self.element(child, member.member if is_flat else member, f"{path}.{name}")
            for name in shape.required_members:
                if shape.members[name].serialization.get("name", name) not in present:
                    self.wrong(f"{path}.{name}", "a required member is absent")
        elif kind == "list":
            if text.strip():
                self.wrong(path, f"text in a list: {text!r}")
            for number, child in enumerate(element):
                if self.tag(child) != shape.member.serialization.get("name", "member"):
                    self.wrong(path, f"a list's item is called {self.tag(child)}")
                self.element(child, shape.member, f"{path}[{number}]")
            self.limits(list(element), shape, path)
        elif len(element):
            self.wrong(path, f"{kind} expected, elements found")
        elif kind in ("integer", "long"):
            if not re.fullmatch(r"-?\d+", text):
                self.wrong(path, f"{kind} expected: {text!r}")
            else:
                self.limits(int(text), shape, path)
        elif kind == "boolean":
            if text not in ("true", "false"):
                self.wrong(path, f"boolean expected: {text!r}")
        elif kind == "timestamp":
            if not ISO.match(text):
                self.wrong(path, f"timestamp expected: {text!r}")
        elif kind == "string":
            self.limits(text, shape, path)
        else:
            self.wrong(path, f"no judgement on {kind}")

    # --- errors

    def judge_error(self):
        if self.protocol == "query":
            root = self.xml("ErrorResponse")
            if root is None:
                return
            error = {self.tag(child): child for child in root}.get("Error")
            if error is None:
                return self.wrong("error", "no Error element")
            members = {self.tag(child): child.text for child in error}
            self.code = members.get("Code")
            if set(members) != {"Type", "Code", "Message"} or members["Type"] not in ("Sender", "Receiver"):
                self.wrong("error", f"members {members}")
            document = None
        elif self.protocol == "rest-xml":
            return self.judge_s3_error()
        else:
            document = self.document()
            if not isinstance(document, dict):
                return self.wrong("error", "no object")
            header = self.headers.get("x-amzn-errortype", "")
            self.code = header.split(":")[0] or document.pop("__type", "").split("#")[-1]
        shapes = {}
        for shape in self.service.error_shapes:
            raw = shape._shape_model.get("error", {})
            shapes[raw.get("code", shape.name)] = shape, raw.get("httpStatusCode", 400)
        declared = {shape.metadata.get("error", {}).get("code", shape.name) for shape in self.operation.error_shapes}
        if self.code not in declared and self.code not in COMMON:
            self.wrong("error", f"{self.code} is none of the operation's errors {sorted(declared)}")
        if self.code in shapes:
            shape, status = shapes[self.code]
            if self.status != status:
                self.wrong("error", f"{self.code} with status {self.status}, not {status}")
            if self.protocol == "json" and isinstance(document.get("message"), str):
                # The protocol has it, most of the error's shapes do not.
                del document["message"]
            if document is not None:
                self.walk(document, shape, "error")
        elif COMMON.get(self.code) not in (None, self.status):
            self.wrong("error", f"{self.code} with status {self.status}, not {COMMON[self.code]}")


    def judge_s3_error(self):
        """S3's model names hardly any of its errors; what it has is the form."""
        if self.operation.http["method"] == "HEAD":
            self.code = str(self.status)
            return
        error = {child.tag: child.text for child in ElementTree.fromstring(self.body)}
        self.code = error.get("Code")
        if not {"Code", "Message", "RequestId"} <= set(error):
            self.wrong("error", f"members {error}")


def spoiled(answer):
    """An answer's body with one thing wrong in it, once for each thing that can be: a value inside a list that should
    not be there, an element with another name."""
    if not isinstance(answer.body, bytes) or not answer.body:
        return
    if answer.protocol == "rest-xml" and answer.operation.output_shape.serialization.get("payload"):
        return
    if answer.protocol in ("query", "rest-xml"):
        root = ElementTree.fromstring(answer.body)
        for element in root.iter():
            name, element.tag = element.tag, "Spoiled"
            yield ElementTree.tostring(root)
            element.tag = name
        return
    document = json.loads(answer.body)

    def within(value):
        for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
            value[key] = [item]
            yield json.dumps(document).encode()
            value[key] = item
            if isinstance(item, (dict, list)):
                yield from within(item)

    yield from within(document)
