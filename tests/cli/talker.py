#!/usr/bin/env python3
"""A function that answers and logs as its path and query tell it, over a bare socket, so that every write is its own."""
import base64
import http.client
import itertools
import json
import os
import signal
import socket
import time

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")


def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.002)


def answer(request_id, status, kind, pieces):
    upstream = socket.create_connection((HOST, int(PORT)))
    upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    head = [
        f"POST /2018-06-01/runtime/invocation/{request_id}/response HTTP/1.1",
        f"Host: {HOST}:{PORT}",
        "Transfer-Encoding: chunked",
        "Lambda-Runtime-Function-Response-Mode: streaming",
        "Content-Type: application/vnd.awslambda.http-integration-response",
    ]
    upstream.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
    prelude = {"statusCode": status, "headers": {"content-type": kind}, "cookies": ["a=b", "c=d"]}
    for piece in itertools.chain([json.dumps(prelude).encode() + b"\0" * 8], pieces):
        if piece:
            upstream.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
    upstream.sendall(b"0\r\n\r\n")
    upstream.recv(65536)
    upstream.close()


def pieces(path, query, event):
    body = event.get("body", "").encode()
    body = base64.b64decode(body) if event.get("isBase64Encoded") else body
    if path == "/echo":
        yield body
    elif path == "/what":
        yield json.dumps({"method": event["requestContext"]["http"]["method"], "path": event["rawPath"],
                          "query": event["rawQueryString"], "headers": event["headers"], "body": body.decode()}).encode()
    elif path == "/gated":
        yield b"first\n"
        wait_for(query["gate"])
        yield b"second\n"
    elif path == "/die":
        yield b"some words\n"
        wait_for(query["gate"])
        os.kill(os.getpid(), signal.SIGKILL)
    elif path == "/text":
        yield b"some words\nLambda-Runtime-Function-Error-Type: Runtime.StreamError\r\n"
    elif path == "/log":
        if "gate" in query:
            # Waits for the others, so that they all write at once.
            open(query["here"], "w").close()
            wait_for(query["gate"])
        for number in range(int(query["count"])):
            print(f"{query['tag']} {number}", flush=number % 7 == 0)
        print(end="", flush=True)
        yield b"logged\n"
    else:
        yield b"nothing here\n"


def main():
    while True:
        runtime = http.client.HTTPConnection(HOST, int(PORT))
        runtime.request("GET", "/2018-06-01/runtime/invocation/next")
        asked = runtime.getresponse()
        event = json.loads(asked.read())
        path, query = event["rawPath"], event.get("queryStringParameters", {})
        known = path in ["/echo", "/what", "/gated", "/die", "/text", "/log"]
        kind = "application/octet-stream" if path == "/echo" else "text/plain"
        answer(asked.headers["lambda-runtime-aws-request-id"], 200 if known else 404, kind, pieces(path, query, event))


main()
