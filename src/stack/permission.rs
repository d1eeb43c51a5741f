//! The two statements without which a public URL answers 403 to everyone.

/// A statement of ours on the policy of the alias `live`. Source: docs/aws.md, "Function URLs".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// `lambda:InvokeFunctionUrl` for everyone, while the URL's auth is `NONE`.
    InvokeUrl,
    /// `lambda:InvokeFunction` for everyone who comes through the URL.
    InvokeThroughUrl,
}

impl Permission {
    pub const ALL: [Permission; 2] = [Permission::InvokeUrl, Permission::InvokeThroughUrl];

    /// The statement's id; ours begin with `lamstream-`.
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
