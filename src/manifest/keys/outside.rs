//! The keys of a value from outside.

use super::Absent::Means;
use super::Value::Text;
use super::{Group, Keys, key};

pub(super) const OUTSIDE: Keys = &[Group {
    heading: "### Values from outside",
    prefix: "",
    keys: &[
        key("env", Text, Means(""), "the environment variable of this name, where lamstream runs"),
        key(
            "file",
            Text,
            Means(""),
            "a UTF-8 text file, relative to the manifest. One line end (`\\n` or `\\r\\n`) at its end is removed, and \
         nothing else",
        ),
        key(
            "ssm",
            Text,
            Means(""),
            "a parameter of AWS Systems Manager Parameter Store, decrypted: its name or ARN, optionally with `:VERSION` \
         or `:LABEL`. AWS reserves names that begin with `aws` or `ssm`; only its own, below `/aws/`, can be read",
        ),
        key(
            "secret",
            Text,
            Means(""),
            "a secret of AWS Secrets Manager: its name or ARN. The value is the whole current string (`SecretString`)",
        ),
    ],
}];
