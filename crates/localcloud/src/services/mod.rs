//! AWS's services, side by side: what their operations take, refuse and answer. No service uses another one.

pub(crate) mod call;
pub(crate) mod download;
pub(crate) mod form;
pub(crate) mod iam;
pub(crate) mod lambda;
pub(crate) mod logs;
pub(crate) mod paging;
pub(crate) mod response;
pub(crate) mod s3;
pub(crate) mod secretsmanager;
pub(crate) mod ssm;
pub(crate) mod sts;
