"""From `pip install` to the first chunk of a streaming answer, for a user without Rust: how many steps and seconds that takes.

    python3 benches/newcomer.py target/dist/lamstream-*.whl

It prints a table in Markdown: lamstream, cargo-lambda and the SAM CLI, one after the other, each in a new virtual environment
with an empty home directory. In PATH is what this machine has, except Rust, uv, and these tools. Because cargo-lambda runs
nothing but Rust, it has a second turn with the Rust of this machine, and with a function of this repository instead of the
FastAPI app. With `--only lamstream`, it is a test: it fails unless the answer streams.
"""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import venv

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
# What a new user does not have.
HIDDEN = re.compile(r"(cargo|rust|clippy|uvx?$|lamstream|sam$|zig|pip|python)")
RUST_HOMES = {"CARGO_HOME": ".cargo", "RUSTUP_HOME": ".rustup"}
# An answer streams if it comes in at least this many chunks over this many seconds.
CHUNKS, SECONDS = 3, 0.2
SAM_TEMPLATE = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Chat:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: app
      Handler: run.sh
      Runtime: python{version}
      MemorySize: 256
      Layers:
        - !Sub arn:aws:lambda:${{AWS::Region}}:753240598075:layer:LambdaAdapterLayerX86:25
      Environment:
        Variables: {{ AWS_LAMBDA_EXEC_WRAPPER: /opt/bootstrap, AWS_LWA_INVOKE_MODE: response_stream, PORT: "8000" }}
      Events:
        Chat: {{ Type: HttpApi, Properties: {{ Path: /chat, Method: POST }} }}
"""


@dataclasses.dataclass
class Step:
    """A command that a user types, and what came of it."""

    command: str
    seconds: float = 0.0
    output: str = ""
    is_done: bool = False


class Newcomer:
    """A home directory, a virtual environment that is active, and a PATH without Rust."""

    def __init__(self, root: pathlib.Path, has_rust: bool) -> None:
        self.directory, self.steps, self.server = root / "work", [], None
        self.directory.mkdir(parents=True)
        programs, environment = root / "bin", root / "venv"
        programs.mkdir()
        for directory in ("/usr/local/bin", "/usr/bin", "/bin", "/opt/homebrew/bin"):
            for file in sorted(pathlib.Path(directory).glob("*")):
                if not HIDDEN.match(file.name) and not (programs / file.name).exists():
                    (programs / file.name).symlink_to(file)
        venv.create(environment, with_pip=True)
        self.python = environment / "bin"
        kept = {name: value for name, value in os.environ.items() if not is_tied_to_this_user(name)}
        path = f"{self.python}:{programs}"
        self.environment = {**kept, "HOME": str(root), "PATH": path, "VIRTUAL_ENV": str(environment)}
        for program in ("cargo", "rustc", "uv"):
            if shutil.which(program, path=path):
                sys.exit(f"{program} is still in PATH")
        if has_rust:
            homes = {name: os.environ.get(name, str(pathlib.Path.home() / kind)) for name, kind in RUST_HOMES.items()}
            self.environment |= homes | {"PATH": f"{path}:{homes['CARGO_HOME']}/bin"}

    def does(self, command: str) -> bool:
        """Runs a step, if all steps before it succeeded."""
        if self.steps and not self.steps[-1].is_done:
            return False
        step = Step(command)
        begin = time.monotonic()
        ended = subprocess.run(
            ["bash", "-c", command], cwd=self.directory, env=self.environment, capture_output=True, text=True, timeout=900
        )
        step.seconds, step.output = time.monotonic() - begin, ended.stdout + ended.stderr
        step.is_done = ended.returncode == 0
        self.steps.append(step)
        return step.is_done

    def writes(self, file: str, text: str) -> None:
        """A file that the user has to write; it counts as a step, without its time."""
        if self.steps[-1].is_done:
            path = self.directory / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self.steps.append(Step(f"write {file}", is_done=True))

    def copies(self, directory: str) -> None:
        """A program that the user has to write; it counts as one step, without its time."""
        shutil.copytree(REPOSITORY / directory, self.directory / directory, ignore=shutil.ignore_patterns("target"))
        self.steps.append(Step(f"write {directory}", is_done=True))

    def serves(self, command: str, port: int) -> None:
        """Starts a server, if all steps before succeeded. The step ends when the port accepts connections."""
        if not self.steps[-1].is_done:
            return
        begin = time.monotonic()
        self.server = subprocess.Popen(
            ["bash", "-c", command], cwd=self.directory, env=self.environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        step = Step(command)
        while self.server.poll() is None and time.monotonic() - begin < 60 and not step.is_done:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                step.is_done = True
        step.seconds = time.monotonic() - begin
        self.steps.append(step)

    def stops(self) -> None:
        """Ends the server and all that it started."""
        if self.server:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.server.pid, signal.SIGTERM)
            self.server.wait()

    def reads_a_stream(self, request: str, expected: str) -> None:
        """Requests the answer, and notes when each chunk arrives. The step ends with the first one."""
        if not self.steps[-1].is_done:
            return
        command = f"curl --no-buffer --silent {request}"
        begin = time.monotonic()
        chunks = []
        with subprocess.Popen(shlex.split(command) + ["--max-time", "900"], env=self.environment, stdout=subprocess.PIPE) as curl:
            while chunk := os.read(curl.stdout.fileno(), 65536):
                chunks.append((time.monotonic() - begin, chunk))
        text = b"".join(chunk for _, chunk in chunks).decode()
        over = chunks[-1][0] - chunks[0][0] if chunks else 0.0
        is_done = len(chunks) >= CHUNKS and over >= SECONDS and expected in text
        first = chunks[0][0] if chunks else time.monotonic() - begin
        self.steps.append(Step(command, first, f"{len(chunks)} chunks over {over:.1f} s: {text}", is_done))

    def result(self) -> str:
        """The end of the stream, in words."""
        return self.steps[-1].output.partition(":")[0] if self.steps[-1].is_done else ""


def is_tied_to_this_user(name: str) -> bool:
    """Whether a variable leads to programs or files of the user who measures."""
    return name.startswith(("CARGO", "RUST", "LAMSTREAM", "PYENV", "VIRTUAL_ENV", "UV_", "XDG_", "SAM_"))


def lamstream(newcomer: Newcomer, wheel: pathlib.Path) -> str:
    newcomer.does(f"pip install --quiet {shlex.quote(str(wheel))}")
    newcomer.does("lamstream init chat --template fastapi")
    newcomer.directory /= "chat"
    try:
        if newcomer.does("lamstream deploy --local"):
            url = next(line for line in newcomer.steps[-1].output.splitlines() if line.startswith("http"))
            newcomer.reads_a_stream(f"--json '{{\"message\": \"how are you today\"}}' {url}chat", "how are you today")
    finally:
        subprocess.run(["bash", "-c", "lamstream local stop"], env=newcomer.environment, capture_output=True)
    return newcomer.result()


def cargo_lambda(newcomer: Newcomer, _: pathlib.Path) -> str:
    newcomer.does("pip install --quiet cargo-lambda==1.9.2")
    newcomer.copies("function")
    newcomer.directory /= "function"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    newcomer.serves(f"exec cargo lambda watch --invoke-address 127.0.0.1 --invoke-port {port}", port)
    address = f"http://127.0.0.1:{port}/lambda-url/bootstrap/stream/chat?query=hello"
    newcomer.reads_a_stream(f"--request POST '{address}'", "[END]")
    newcomer.stops()
    return newcomer.result() or "needs Rust, and runs nothing else"


def sam(newcomer: Newcomer, _: pathlib.Path) -> str:
    newcomer.does("pip install --quiet aws-sam-cli==1.170.0")
    for file in ("main.py", "requirements.txt"):
        newcomer.writes(f"app/{file}", (REPOSITORY / "templates/fastapi" / file).read_text())
    newcomer.writes("app/run.sh", "#!/bin/sh\nexec python -m uvicorn --port $PORT main:app\n")
    newcomer.writes("template.yaml", SAM_TEMPLATE.format(version="{}.{}".format(*sys.version_info)))
    newcomer.does("sam build")
    newcomer.does("sam local start-api --port 0")
    return "`sam local` needs Docker, and has no Function URLs: it would answer in one piece"


# The tools, and whether the user has Rust.
TOOLS = {
    "lamstream": (lamstream, False),
    "cargo-lambda 1.9.2": (cargo_lambda, False),
    "cargo-lambda 1.9.2 and Rust": (cargo_lambda, True),
    "SAM CLI 1.170.0": (sam, False),
}


@contextlib.contextmanager
def directory():
    """A directory that is removed, except where SAM's build made files of another user."""
    path = tempfile.mkdtemp(prefix="newcomer-")
    try:
        yield pathlib.Path(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def measured(tool: str, wheel: pathlib.Path) -> tuple[Newcomer, str]:
    """A newcomer who has gone as far as the tool leads, and the result in words."""
    with directory() as root:
        story, has_rust = TOOLS[tool]
        newcomer = Newcomer(root, has_rust)
        result = story(newcomer, wheel)
        for number, step in enumerate(newcomer.steps, 1):
            outcome = "done" if step.is_done else "failed"
            print(f"{tool}, step {number}: {step.seconds:.1f} s, {outcome}: {step.command}", file=sys.stderr)
            if not step.is_done or number == len(newcomer.steps):
                print(step.output.strip()[-1500:], file=sys.stderr)
        return newcomer, result


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=pathlib.Path)
    parser.add_argument("--only", choices=TOOLS)
    options = parser.parse_args()
    wheel = options.wheel.resolve(strict=True)
    print("| | steps | seconds | the answer streams | |\n|---|---|---|---|---|")
    for tool in [options.only] if options.only else TOOLS:
        newcomer, result = measured(tool, wheel)
        streams = newcomer.steps[-1].is_done
        seconds = sum(step.seconds for step in newcomer.steps)
        print(f"| {tool} | {len(newcomer.steps)} | {seconds:.0f} | {'yes' if streams else 'no'} | {result} |", flush=True)
        if options.only and not streams:
            sys.exit(f"{tool} did not stream")


if __name__ == "__main__":
    main()
