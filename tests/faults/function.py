#!/usr/bin/env -S python3 -SsE
"""Answers every request with its code's name and one variable, so that a client can tell which release it met: once, or
with PAUSES a line at a time, each a tenth of a second after the last. The code `bad` answers well while it is tried, and
fails behind its URL. The code `worse` answers its first check well, and fails all others."""
import os
import socket
import time

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
NEXT = f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {HOST}:{PORT}\r\nConnection: close\r\n\r\n".encode()


def exchange(*parts):
    with socket.create_connection((HOST, int(PORT))) as connection:
        for number, part in enumerate(parts):
            time.sleep(0.1 * (number > 0))
            connection.sendall(part)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


PAUSES = int(os.environ.get("PAUSES", 0))
BODY = f"code CODE, greeting {os.environ.get('GREETING')}".encode() + b"\n" * (PAUSES > 0)
CHECKS = 0
while True:
    head, event = exchange(NEXT).split(b"\r\n\r\n", 1)
    head = head.decode()
    request_id = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("lambda-runtime-aws-request-id"))
    is_check = b"lamstream-check-" in event
    CHECKS += is_check
    fails = not is_check if "CODE" == "bad" else "CODE" == "worse" and is_check and CHECKS > 1
    status = b"500" if fails else b"200"
    prelude = b'{"statusCode":' + status + b',"headers":{"content-type":"text/plain"}}' + bytes(8)
    head = (
        f"POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1\r\n"
        f"Host: {HOST}:{PORT}\r\nConnection: close\r\n"
        "Transfer-Encoding: chunked\r\nLambda-Runtime-Function-Response-Mode: streaming\r\n"
        "Content-Type: application/vnd.awslambda.http-integration-response\r\n\r\n"
    )
    parts = [head.encode() + chunk(prelude + BODY), *[chunk(BODY)] * PAUSES]
    parts[-1] += b"0\r\n\r\n"
    exchange(*parts)
