"""ministack on a free loopback port; the first line it prints is its address."""
import asyncio
import os
import signal
import socket

listener = socket.create_server(("127.0.0.1", 0))
host, port = listener.getsockname()
# It reads its settings when it is imported.
os.environ.update(GATEWAY_PORT=str(port), SERVICES="iam,sts,lambda,logs,s3,ssm,secretsmanager", LOG_LEVEL="ERROR")

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app


async def main():
    config = Config()
    config.bind, config.errorlog = [f"fd://{listener.fileno()}"], None
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    print(f"http://{host}:{port}", flush=True)
    await serve(app, config, shutdown_trigger=ended.wait)


asyncio.run(main())
