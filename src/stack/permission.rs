//! The two statements without which a public URL answers 403 to everyone.

use super::field::Fields;
use super::name::Names;
use super::noun::Noun;

/// One of our statements in the policy of the alias `live`. Source: docs/aws.md, "Function URLs".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// `lambda:InvokeFunctionUrl` for everyone, while the URL's auth is `NONE`.
    InvokeUrl,
    /// `lambda:InvokeFunction` for everyone who uses the URL.
    InvokeThroughUrl,
}

impl Permission {
    pub const ALL: [Permission; 2] = [Permission::InvokeUrl, Permission::InvokeThroughUrl];

    /// The statement's id. Our ids start with `lamstream-`.
    pub fn sid(self) -> &'static str {
        match self {
            Permission::InvokeUrl => "lamstream-invoke-url",
            Permission::InvokeThroughUrl => "lamstream-invoke-through-url",
        }
    }

    pub fn action(self) -> &'static str {
        match self {
            Permission::InvokeUrl => "lambda:InvokeFunctionUrl",
            Permission::InvokeThroughUrl => "lambda:InvokeFunction",
        }
    }
}

impl Noun for Permission {
    const KIND: &'static str = "permission";

    fn name(&self, _: &Names) -> String {
        self.sid().to_owned()
    }

    /// AWS has no call that changes a statement.
    fn compare(&self, _: &Permission, _: &mut Fields) {}
}
