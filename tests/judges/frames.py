"""Invokes a function with boto3, and says when its frames came.

usage: frames.py FUNCTION EVENT
"""
import json
import sys
import time

import boto3

answer = boto3.client("lambda").invoke_with_response_stream(FunctionName=sys.argv[1], Payload=sys.argv[2])
seen, payload, complete = [], b"", []
for event in answer["EventStream"]:
    if "PayloadChunk" in event:
        seen.append(time.monotonic())
        payload += event["PayloadChunk"]["Payload"]
    else:
        complete.append(event["InvokeComplete"])
body = payload.partition(bytes(8))[2].decode()
print(json.dumps({"frames": len(seen), "took": seen[-1] - seen[0], "body": body, "complete": complete}))
