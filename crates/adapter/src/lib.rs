//! [Lambda Web Adapter](lambda_web_adapter) as a part of this program.
//!
//! The adapter is an extension: a program in a layer that finds its settings in its environment. A program that calls
//! [`run`] when [`is_called`] can be copied or linked into a layer under the adapter's name, and is the adapter there.

use std::env;
use std::path::Path;
use std::process::{ExitCode, Termination};

use lambda_web_adapter::{Adapter, AdapterOptions, Error, tracing};

/// The name of the program in AWS's layers, under which it also registers as an extension.
pub const NAME: &str = "lambda-adapter";

/// Whether this program was started under the adapter's name, by a path or without.
pub fn is_called() -> bool {
    let program = env::args_os().next().unwrap_or_default();
    Path::new(&program).file_name().is_some_and(|name| name == NAME)
}

/// Runs the adapter until the instance ends, with the steps of the crate's own program. It writes its log to stdout and
/// an error to stderr. Call it before anything else: it may set an environment variable, which is safe only while there
/// is one thread, and it starts an async runtime and sets the global subscriber of `tracing`.
///
/// # Errors
/// The exit code is 1 if the settings are invalid, the readiness check's URL for example, or if the Runtime API cannot
/// be reached.
pub fn run() -> ExitCode {
    Adapter::apply_runtime_proxy_config();
    serve().report()
}

fn serve() -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        tracing::init_default_subscriber();
        let mut adapter = Adapter::new(&AdapterOptions::default())?;
        adapter.register_default_extension();
        adapter.check_init_health().await;
        adapter.run().await
    })
}
