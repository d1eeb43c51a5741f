//! What can befall a call between a client and AWS.

use serde_json::json;
use std::time::Duration;

/// Which call meets which fault, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Trap {
    pub call: String,
    /// The first call of this name is 1.
    pub occurrence: usize,
    pub fault: Fault,
    pub lasting: Lasting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasting {
    Once,
    /// Every later call of the same name meets it too, and so does every retry.
    Ever,
    /// The same, until this time is over.
    For(Duration),
    /// The call itself goes well, and from then on every call of any name meets it.
    AllAfter,
    /// The call meets it once, and from then on every call whose name begins like this gets this answer.
    OnceThen(&'static str, Answer),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// AWS, or a proxy in front of it, answers this and does nothing.
    Answer(Answer),
    /// The connection breaks before the call got through.
    DropBefore,
    /// It is carried out, and its reply is lost.
    DropReply,
    /// No answer comes; it is carried out at the moment when the client has given up.
    Hold,
    /// The client dies before the call got through.
    KillBefore,
    /// The client dies when the call has been carried out.
    KillAfter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// 429 with `Retry-After`.
    Throttled,
    /// 500 in the service's words.
    Broken,
    /// 503 from a load balancer that knows no service's words.
    Unavailable,
    /// 409: something else is being done to the function.
    Conflict,
    /// 412: the revision is another one.
    Precondition,
    /// 400: Lambda does not believe in the role yet.
    NotAssumable,
    /// 404: the resource does not exist.
    NotFound,
    /// 400: another operation on the log group is in progress.
    Aborted,
    /// 409: another change of the role is in progress.
    Concurrent,
    /// 502: the version is inactive, and being restored.
    Inactive,
    /// 403: the credentials hold no longer.
    Expired,
    /// 400, in words that would be orders for a terminal or a CI system.
    Hostile,
}

impl Trap {
    /// Whether it closes on one more call, when it first closed so long ago.
    pub(crate) fn lasts(&self, since: Option<Duration>) -> bool {
        match (self.lasting, since) {
            (_, None) | (Lasting::Ever | Lasting::AllAfter, _) => true,
            (Lasting::Once | Lasting::OnceThen(..), Some(_)) => false,
            (Lasting::For(time), Some(since)) => since < time,
        }
    }
}

impl Answer {
    /// What an error of ours says, where its words are ours to choose.
    pub(crate) const WORDS: &str = "as the test wants it";
    /// Of every kind of order one.
    pub(crate) const ORDERS: &str = "zq-begin\n::add-mask::zq\r\n  ##[group]zq\u{1b}]52;c;enE=\u{7}\u{1b}[2J\u{9b}31m\u{202e}zq\u{2066}\u{200b}\
        ##vso[task.complete]\u{85}\u{2028}::error::zq-end";

    /// The whole answer on the wire, in the protocol of the request.
    pub(crate) fn to(self, request: &[u8]) -> Vec<u8> {
        let head = String::from_utf8_lossy(&request[..request.len().min(4096)]).to_lowercase();
        let (status, code) = self.code(&head);
        let message = self.message();
        let mut headers = String::from("x-amzn-requestid: 00000000-0000-0000-0000-000000000000\r\n");
        let body = if self == Answer::Unavailable {
            headers += "content-type: text/html\r\n";
            format!("<html><body>{}</body></html>", Answer::WORDS)
        } else if head.contains("\r\nx-amz-target:") {
            headers += "content-type: application/x-amz-json-1.1\r\n";
            json!({ "__type": code, "message": message }).to_string()
        } else if head.contains("x-www-form-urlencoded") {
            headers += "content-type: text/xml\r\n";
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
            )
        } else {
            headers += &format!("content-type: application/json\r\nx-amzn-errortype: {code}\r\n");
            json!({ "Type": "User", "message": message, "Message": message }).to_string()
        };
        if self == Answer::Throttled {
            headers += "retry-after: 1\r\n";
        }
        format!("HTTP/1.1 {status} Fault\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    fn code(self, head: &str) -> (u16, &'static str) {
        let (logs, query) = (head.contains("\r\nx-amz-target:"), head.contains("x-www-form-urlencoded"));
        match self {
            Answer::Throttled if logs => (429, "ThrottlingException"),
            Answer::Throttled if query => (429, "Throttling"),
            Answer::Throttled => (429, "TooManyRequestsException"),
            Answer::Broken if logs => (500, "InternalFailure"),
            Answer::Broken if query => (500, "ServiceFailure"),
            Answer::Broken => (500, "ServiceException"),
            Answer::Unavailable => (503, ""),
            Answer::Conflict => (409, "ResourceConflictException"),
            Answer::Precondition => (412, "PreconditionFailedException"),
            Answer::Hostile => (400, "InvalidRequestContentException"),
            Answer::NotAssumable => (400, "InvalidParameterValueException"),
            Answer::NotFound if query => (404, "NoSuchEntity"),
            Answer::NotFound => (404, "ResourceNotFoundException"),
            Answer::Aborted => (400, "OperationAbortedException"),
            Answer::Concurrent => (409, "ConcurrentModification"),
            Answer::Inactive => (502, "ResourceNotReadyException"),
            Answer::Expired if query => (403, "ExpiredToken"),
            Answer::Expired => (403, "ExpiredTokenException"),
        }
    }

    fn message(self) -> &'static str {
        match self {
            Answer::Conflict => "The operation cannot be performed at this time. An update is in progress for resource",
            Answer::Precondition => "The Revision Id provided does not match the latest Revision Id.",
            Answer::Expired => "The security token included in the request is expired",
            Answer::NotAssumable => "The role defined for the function cannot be assumed by Lambda.",
            Answer::Hostile => Answer::ORDERS,
            _ => Answer::WORDS,
        }
    }
}
