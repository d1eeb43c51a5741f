"""boto3 against one endpoint, with every raw answer held against the model."""
import boto3
from botocore import xform_name
from botocore.config import Config

from model import Answer, spoiled

TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::a/*"}]}'


class Session:
    """Clients whose answers are judged; what was wrong is collected."""

    def __init__(self, endpoint=None, judged=True, region=None, **keys):
        self.endpoint, self.judged, self.region, self.keys = endpoint, judged, region, keys
        self.clients, self.problems, self.seen, self.last, self.spoiled = {}, [], {}, None, 0

    def client(self, service):
        if service not in self.clients:
            config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
            client = boto3.client(
                service, endpoint_url=self.endpoint, config=config, region_name=self.region, **self.keys
            )
            client.meta.events.register("before-parse.*.*", self.before_parse)
            self.clients[service] = client
        return self.clients[service]

    def before_parse(self, operation_model, response_dict, **_):
        answer = Answer(
            operation_model, response_dict["status_code"], response_dict["headers"], response_dict["body"]
        )
        name = f"{operation_model.service_model.signing_name}.{operation_model.name}"
        if self.judged:
            self.problems += answer.judge()
            # A judge that never finds anything is none: whatever is spoiled in an answer has to be seen.
            if answer.status < 300 and name not in self.seen:
                for body in spoiled(answer):
                    self.spoiled += 1
                    if not Answer(operation_model, answer.status, answer.headers, body).judge():
                        self.problems.append(f"{name}: no client noticed what is wrong with {body!r}")
        self.seen.setdefault(name, []).append((answer.status, answer.code))
        self.last = answer

    def pages(self, service, operation, key, **arguments):
        """All items of a list, two a page."""
        paginator = self.client(service).get_paginator(xform_name(operation))
        pages = paginator.paginate(**arguments, PaginationConfig={"PageSize": 2})
        return [item for page in pages for item in page[key]]

    def call(self, service, operation, **arguments):
        """The answer, or the error's code and status."""
        client = self.client(service)
        method = next(m for m, name in client.meta.method_to_api_mapping.items() if name == operation)
        try:
            answer = getattr(client, method)(**arguments)
        except client.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            return None, (status, error.response["Error"]["Code"], error.response["Error"].get("Message", ""))
        return answer, (answer["ResponseMetadata"]["HTTPStatusCode"], None, "")
