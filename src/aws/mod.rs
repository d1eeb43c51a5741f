//! AWS, as a cloud that can be observed and changed. The only room that knows AWS's words.

mod access;
mod alias;
mod artifact;
mod call;
mod cloud;
mod endpoint;
mod error;
mod function;
mod invoke;
mod layer;
mod log_group;
mod logs;
mod memory;
mod numbers;
mod patience;
mod permission;
mod place;
mod provisioned;
mod release;
mod role;
mod s3;
mod settings;
mod sign;
mod strays;
mod url;
mod values;
mod version;
mod versions;
mod wait;
mod window;

pub use access::{Access, Account};
pub use endpoint::is_loopback;
pub use invoke::{Invoked, Part};
pub use logs::{LogEvent, LogReader};
pub use place::{Place, Traffic};
pub use sign::Signer;
