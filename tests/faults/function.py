#!/usr/bin/env -S python3 -SsE
"""Answers every request with its code's name and one variable, so that a client can tell which release it met."""
import os
import socket

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
NEXT = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: local\r\nConnection: close\r\n\r\n"


def exchange(request):
    with socket.create_connection((HOST, int(PORT))) as connection:
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


BODY = f"code CODE, greeting {os.environ.get('GREETING')}".encode()
while True:
    head = exchange(NEXT).split(b"\r\n\r\n", 1)[0].decode()
    request_id = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("lambda-runtime-aws-request-id"))
    chunk = b'{"statusCode":200,"headers":{"content-type":"text/plain"}}' + bytes(8) + BODY
    exchange(
        f"POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1\r\nHost: local\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
        "Content-Type: application/vnd.awslambda.http-integration-response\r\n\r\n".encode()
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(chunk), chunk)
    )
