//! What Lambda writes into a function's log, beside what the function writes itself.

use super::word::words;

words! {
    /// How lines of Lambda's own are written, and those of runtimes that ask for it.
    #[derive(Default)]
    Logging {
        #[default]
        Text = "text",
        Json = "json",
    }
}
