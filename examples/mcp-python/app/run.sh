#!/bin/bash
exec python -m uvicorn --host 127.0.0.1 --port "$PORT" --no-access-log main:app
