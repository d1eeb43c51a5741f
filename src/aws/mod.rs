//! AWS, as a cloud that can be observed and changed. The only room that knows AWS's words.

mod access;
mod cloud;
mod endpoint;
mod error;
mod function;
mod log_group;
mod patience;
mod permission;
mod place;
mod release;
mod role;
mod settings;
mod sign;
mod strays;
mod url;
mod version;
mod wait;

pub use access::{Access, Account};
pub use endpoint::is_loopback;
pub use place::Place;
pub use sign::Signer;
