//! Packages of Python: installed by uv or pip, and only from where the project declares them.
//!
//! It is [decided](select) which list counts. A [list](list) has the packages to install, perhaps from a [lock]; the
//! machine's [settings] and the project declare their [sources]. [uv] or [pip] installs them, and [what differs between
//! machines](strip) is removed, and the packages' tests [if that is wanted](slim).

mod install;
mod select;
mod slim;
mod strip;

mod pip_wheels;

mod pip;
mod uv;

mod closure;
mod installed;
mod uv_project;

mod list;

mod surroundings;

mod lock;
mod pylock;

mod dependency;
mod foreign_sources;
mod requirements_txt;
mod settings;

mod indexes;
mod sources;

mod messages;
mod pip_log;
mod project;
mod target;

mod marker;
mod range;
mod requirement;
mod wheel;

pub(crate) use install::{Request, check, install};
pub(crate) use select::{beside, in_directory};
