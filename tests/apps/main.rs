//! Web apps as they are: packaged by the real binary, with packages of Python and Node that the real tools install.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod examples;
mod frameworks;
mod index;
mod init;
mod links;
mod machine;
mod macos;
mod mcp;
mod node_locks;
mod packages;
mod packaging;
mod private;
mod private_node;
mod python_locks;
mod sources;
mod tour;
mod wheels;

#[path = "../support/mod.rs"]
mod support;
