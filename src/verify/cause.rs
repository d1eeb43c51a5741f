//! What ended a function before it answered, and what to do about it, which depends on what the function is made of.

use crate::manifest::{CodeSource, Function};

/// What ended a function before it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its binary is for another processor.
    Architecture,
    /// Its binary needs a newer glibc than the runtime has.
    Glibc,
    /// The package has nothing that Lambda can start.
    Entrypoint,
    /// What Lambda starts is not executable.
    NotExecutable,
    /// The local cloud cannot start it on this machine.
    Machine,
    /// Another program has the port that the app needs. Only the local cloud reports this.
    PortTaken,
    /// The server behind Lambda Web Adapter did not answer in time.
    NotReady,
    /// It ran, but had not asked for its first request when its time was up.
    NeverAsked,
    /// It ended, without an error, before it asked for its first request.
    Ended,
    /// It failed before it asked for its first request.
    Start,
    /// It could not read the request, because it expects another kind of event.
    Event,
    /// It failed while handling the request.
    Request,
    /// It handled the request for longer than its timeout allows.
    Time,
}

/// What a function is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A handler in a Rust crate.
    Crate,
    /// A web server behind Lambda Web Adapter.
    Web,
    /// A handler that was built elsewhere.
    Package,
}

const WITHOUT_URL: &str =
    "if a service such as SQS or S3 invokes it, remove `url` and `check`: a URL only sends HTTP requests";
const BUFFERED: &str = "or set `mode = \"buffered\"` in `url`";

impl Kind {
    pub fn of(function: &Function) -> Kind {
        match (&function.web, &function.source) {
            (Some(_), _) => Kind::Web,
            (None, CodeSource::Crate { .. }) => Kind::Crate,
            (None, CodeSource::App { .. } | CodeSource::Package { .. }) => Kind::Package,
        }
    }

    pub(super) fn hints_for_a_buffered_handler(self) -> &'static [&'static str] {
        match self {
            Kind::Crate => {
                &["make it stream: with `lambda_http`, replace `run` by `run_with_streaming_response`", BUFFERED]
            }
            Kind::Web => &["let the app answer with the body itself, without Lambda's JSON around it", BUFFERED],
            Kind::Package => &[
                "make it stream, such as with `awslambda.streamifyResponse` in Node.js, or with a web app and `run`",
                BUFFERED,
            ],
        }
    }
}

impl Cause {
    pub(super) fn hints(self, kind: Kind) -> &'static [&'static str] {
        const PORT: &str = "make sure it listens on the port in `PORT`, and answers `readiness_path` within 10 s";
        const OTHER_PORT: &str = "if it listens on another port, set `port` in the manifest";
        const NEEDS: &str = "check that it has every variable and permission that it needs to start";
        match (self, kind) {
            (Cause::Architecture, Kind::Package) => {
                &["build it for the function's `architecture`, or change that in the manifest"]
            }
            (Cause::Architecture, _) => &["change `architecture` in the manifest to that of the program"],
            (Cause::Glibc, Kind::Crate) => {
                &["set `build.linker = \"zig\"`, which builds for glibc 2.34, or a `build.target` that ends in `-musl`"]
            }
            (Cause::Glibc, _) => {
                &["build against glibc 2.34 or older: zig can (`linker = \"zig\"`), or a `*-musl` target needs none"]
            }
            (Cause::Entrypoint, _) => {
                &["put an executable `bootstrap` for this architecture at the root of the package"]
            }
            (Cause::NotExecutable, _) => &["make it executable: `chmod +x FILE`, then pack and deploy it again"],
            (Cause::Machine, _) => {
                &["install what is missing, and restart the local cloud with it on PATH: `lamstream local stop`, then \
                 `lamstream local start`"]
            }
            (Cause::PortTaken, _) => &[
                "stop the program that has the port, or let the app listen on the port in `PORT`",
                "or set another `port` in the manifest",
            ],
            (Cause::NotReady, _) | (Cause::NeverAsked, Kind::Web) => &[PORT, OTHER_PORT],
            (Cause::NeverAsked, Kind::Crate) => &[
                "if it is an HTTP server, set the port that it listens on: `port = 8080`",
                "if it is a handler, start `lambda_http` or `lambda_runtime` before anything that waits",
            ],
            (Cause::NeverAsked, Kind::Package) => &[
                "if it is an HTTP server, set the port that it listens on: `port = 8080`",
                "if it is a handler, let it ask Lambda's Runtime API for requests before anything that waits",
            ],
            (Cause::Ended, Kind::Web) => &["set `run` to a command that keeps the server running", PORT],
            (Cause::Ended, Kind::Crate) => &[
                "run the handler with `lambda_http` or `lambda_runtime`; if `main` is empty without a feature, set \
                 `build.features`",
                "if it is an HTTP server, set the port that it listens on: `port = 8080`",
            ],
            (Cause::Ended, Kind::Package) => &["let it ask Lambda's Runtime API for requests until it is stopped"],
            (Cause::Start, Kind::Web) => &[NEEDS, PORT],
            (Cause::Start, _) => &[NEEDS],
            (Cause::Event, Kind::Crate) => {
                &[WITHOUT_URL, "to answer HTTP requests, write the handler with `lambda_http`"]
            }
            (Cause::Event, _) => &[WITHOUT_URL, "to answer HTTP requests, read events of payload format 2.0"],
            // Only the function's logs say why.
            (Cause::Request, _) => &[],
            (Cause::Time, _) => &["check what it waits for, or raise `timeout` in the manifest"],
        }
    }
}
