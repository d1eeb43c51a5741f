//! Packages of Node: installed by npm, and only from where the project declares them.

mod install;

mod workspace;

mod locks;
mod registries;

mod yaml;

pub use install::{check, install};
