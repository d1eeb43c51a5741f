//! Whether a program can be a Lambda function by itself: it asks Lambda for requests at an address that it finds in a
//! variable, and the parts of that protocol are in its binary.

use memchr::memmem;

const SIGNS: [&str; 4] = ["AWS_LAMBDA_RUNTIME_API", "/runtime/invocation/", "Lambda-Runtime-", "lambda-runtime-"];

/// Whether a binary has any sign of Lambda's Runtime API.
pub fn can_ask_lambda(binary: &[u8]) -> bool {
    SIGNS.iter().any(|sign| memmem::find(binary, sign.as_bytes()).is_some())
}
