//! The manifest, `deploy.toml`: text in, value out, with all problems reported at once.
//!
//! The text becomes a tree in which every value knows its place. A [stage](stages) is applied to the tree, so it can
//! override any key without code for that key. One reader walks the result, with a `Section` for each table, which
//! takes the permitted keys from the [table of keys](keys). Problems are collected while reading continues. The
//! manifest must be valid without a stage and with each one, whichever is chosen.
//!
//! Values of an `environment` are secrets: no message contains one, and lines of the manifest are shown without them.
//! Values from [outside] are fetched elsewhere and filled in afterwards.

pub mod keys;

mod document;
mod stages;

mod attachments;
mod build;
mod check;
mod code;
mod command;
mod env_file;
mod environment;
mod expectation;
mod fill;
mod function;
mod http;
mod layers;
mod log;
mod mcp;
mod name;
mod names;
mod outside;
mod role;
mod rollout;
pub mod runtimes;
mod settings;
mod snap_start;
mod tags;
mod url;
mod web;

mod target;

mod mistake;
mod problem;
mod schema;
mod secrets;
mod section;
mod spelling;

pub use build::{Build, Command};
pub use check::{Check, Expect, PageOrigin};
pub use code::{CodeSource, Dependencies, FilePatterns};
pub use document::{Manifest, parse, parse_for_any_stage, value_files};
pub use environment::{ENV_FILE, accepts_variable};
pub use fill::{Found, Unfilled, fill};
pub use function::Function;
pub use layers::{LAYER_VERSION, layer_of};
pub use mistake::{Mistake, located};
pub use names::{function_names, stage_names};
pub use outside::{Origin, Outside};
pub use problem::{Diagnostic, Excerpt, Problem, Problems};
pub use role::RoleSource;
pub use rollout::{Limits, MostErrors, ShiftRule};
pub use schema::schema;
pub use web::{Adapter, Script, Web};
