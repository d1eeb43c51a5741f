//! What `deploy.toml` says: text in, value out, and everything that is wrong with it at once.
//!
//! The text becomes a tree whose every value knows its place. A [stage](stages) is laid over the tree, so that a
//! stage may override any key without one line of code about it, and one reader walks what results: a `Section`
//! for each table, which takes from the [table of keys](keys) what it may have. Problems are noted and reading goes on. The manifest must be right with every stage and with none, whichever is chosen.
//!
//! Values of an `environment` are secrets: no message holds one, and the lines shown beside messages hide them. Those
//! that come from [outside] are fetched by others and put in their places afterwards.

pub mod keys;

mod document;
mod stages;

mod attachments;
mod build;
mod check;
mod code;
mod command;
mod environment;
mod fill;
mod function;
mod http;
mod layers;
mod log;
mod name;
mod outside;
mod role;
mod tags;
mod url;
mod web;

mod target;

mod mistake;
mod problem;
mod secrets;
mod section;
mod spelling;

pub use build::Build;
pub use check::{Check, Expect};
pub use code::{Dependencies, Files, Source};
pub use document::{Manifest, parse, value_files};
pub use environment::accepts_variable;
pub use fill::{Found, fill};
pub use function::Function;
pub use mistake::{Mistake, located};
pub use outside::{Origin, Outside};
pub use problem::{Problem, Problems};
pub use role::RoleSource;
pub use web::{Adapter, Script, Web};
