//! The keys of a check.

use super::Absent::{Default, Means};
use super::Value::{Number, Pairs, Switch, Text, Values, Word};
use super::outside::OUTSIDE;
use super::{Group, Keys, key};

/// All keys of a check.
pub const CHECK: Keys = &[Group {
    heading: "### `check`",
    prefix: "",
    keys: &[
        key("method", Word(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]), Default("GET"), "{}"),
        key("path", Text, Default("/"), "starts with `/`, has no query; percent-encoded characters are kept"),
        key("query", Pairs, Means("none"), "names to strings, unencoded, sent in this order"),
        key("headers", Values(OUTSIDE), Means("none"), "names to [values](#values-from-outside)"),
        key("body", Text, Means("none"), "a string"),
        key(
            "streams",
            Switch,
            Default("false"),
            "require at least two chunks, at least 50 ms apart; cannot be used with `mode = \"buffered\"`, or if the \
         response has no body",
        ),
        key("whole", Switch, Default("false"), "read the response to its end, for at most the function's timeout"),
        key(
            "first_byte_within",
            Text,
            Means("any"),
            "a time such as `\"500ms\"` or `\"2s\"`; a slow first answer is retried once, since it may be a cold start",
        ),
        key(
            "ends_within",
            Text,
            Means(
                "`\"10s\"`, at most the function's timeout; with `streams`, no limit; with `whole` or `ends_with`, the \
                   function's timeout",
            ),
            "a time in which the response must end, at most the function's timeout; a slow first answer is retried once",
        ),
        key(
            "max_gap",
            Text,
            Means("any"),
            "a time: the longest silence before the first chunk, between two chunks and before the end",
        ),
        key("expect_status", Number(200..=599, ""), Means("any of 200 to 399"), "{}"),
        key(
            "expect_headers",
            Pairs,
            Means("any"),
            "names to values, exact (`\"no-store\"`) or with a `*` at the end (`\"text/*\"`)",
        ),
        key("contains", Text, Means("any"), "text that the response contains, decoded, at most 1000 bytes"),
        key(
            "ends_with",
            Text,
            Means("any"),
            "text with which the response ends, decoded, apart from white space, at most 1000 bytes",
        ),
        key(
            "sse",
            Switch,
            Default("false"),
            "require an event stream: its content type, at least one event, only fields that browsers read, and a complete \
             last event. `data: [DONE]` counts as the end",
        ),
        key(
            "origin",
            Text,
            Means("none"),
            "an origin such as `\"https://example.com\"`, sent with the request; exactly one \
             `access-control-allow-origin` must allow it",
        ),
        key(
            "mcp",
            Text,
            Means("none"),
            "the path of an MCP server, such as `\"/mcp\"`: it must answer `initialize`, `tools/list` and `ping`, also on \
             a second instance; only `headers`, `query` and `ends_within` may stand beside it",
        ),
    ],
}];
