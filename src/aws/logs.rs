//! Reads a function's logs with `FilterLogEvents`.

use super::access::Account;
use super::endpoint::is_loopback;
use super::error::Doing;
use super::patience;
use super::wait::{Pace, Polled, REPORT, Wait};
use super::window::Window;
use crate::apply::{CloudError, Observer, Reason};
use crate::logs::{Figures, Since, figures};
use std::ops::Range;
use std::time::{Duration, UNIX_EPOCH};

/// One event of a function's log group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEvent {
    pub id: String,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// One stream is one instance of the function.
    pub stream: String,
    /// As written, including the line end.
    pub message: String,
}

/// The new events of a page.
pub struct LogPage {
    /// Sorted by timestamp, except events that became readable late.
    pub events: Vec<LogEvent>,
    /// Whether there is another page now.
    pub more: bool,
}

/// Reads a function's log group from a given time on, page by page and round by round.
pub struct LogReader<'a> {
    account: &'a Account,
    log_group: String,
    /// The function whose lines are read; `None` for all.
    function: Option<String>,
    /// What the events must match, in CloudWatch's pattern language; `None` for all events.
    pattern: Option<&'static str>,
    /// Where the first round starts.
    since: Since,
    /// `None` before the first page.
    window: Option<Window>,
    /// When this round started.
    began: i64,
    token: Option<String>,
    pace: Pace,
}

impl<'a> LogReader<'a> {
    /// Of a log group that functions may share, `function` selects the lines of one of them.
    pub fn new(account: &'a Account, log_group: String, function: Option<String>, since: Since) -> LogReader<'a> {
        let near = account.endpoint.as_deref().is_some_and(is_loopback);
        LogReader {
            account,
            log_group,
            function,
            pattern: None,
            since,
            window: None,
            began: 0,
            token: None,
            pace: if near { Pace::near() } else { Pace::far() },
        }
    }

    /// Selects the events that match `pattern`. All of them are read in one round, so their ids need not be kept.
    pub fn matching(self, pattern: &'static str) -> LogReader<'a> {
        LogReader { pattern: Some(pattern), ..self }
    }

    /// Where the first round started and until when it reads, in milliseconds since 1970. Reliable after the first page.
    pub fn time(&self) -> Range<i64> {
        self.window.as_ref().map_or(self.began, Window::start)..self.began
    }

    /// Reads the next page; `None` if the log group does not exist. After an error, the same page can be read again.
    pub async fn page(&mut self) -> Result<Option<LogPage>, CloudError> {
        let name = &self.log_group;
        let read = async |start: i64, token: Option<String>| {
            let call = self.account.logs.filter_log_events().log_group_name(name);
            let call = call.start_time(start).set_next_token(token);
            let call = call.set_filter_pattern(self.pattern.map(str::to_owned));
            call.send().await.if_found(|| format!("read log group `{name}`"))
        };
        if self.token.is_none() {
            self.began = self.now();
        }
        let mut start = self.window.as_ref().map_or_else(|| self.first_start(), Window::start);
        let Some(mut page) = read(start, self.token.clone()).await? else { return Ok(None) };
        // The first response tells AWS's time. If this machine's clock is off, it was asked for another time.
        if self.window.is_none() && self.account.clock.wrong().is_some() {
            (self.began, start) = (self.now(), self.first_start());
            let Some(again) = read(start, None).await? else { return Ok(None) };
            page = again;
        }
        let window = self.window.get_or_insert_with(|| Window::from(start));
        let mut events = Vec::new();
        for event in page.events() {
            let [id, stream, message] =
                [event.event_id(), event.log_stream_name(), event.message()].map(|text| text.unwrap_or_default());
            let timestamp = event.timestamp().unwrap_or_default();
            if self.function.as_ref().is_some_and(|function| !is_of(stream, function)) {
                continue;
            }
            // The pages of one round never overlap.
            if self.pattern.is_some() || window.is_new(timestamp, id.to_owned()) {
                let [id, stream, message] = [id, stream, message].map(str::to_owned);
                events.push(LogEvent { id, timestamp, stream, message });
            }
        }
        // A page can be empty although another one follows.
        self.token = page.next_token().map(str::to_owned);
        if self.token.is_none() && self.pattern.is_none() {
            window.end_round(self.began);
        }
        Ok(Some(LogPage { events, more: self.token.is_some() }))
    }

    /// AWS's time in milliseconds since 1970, as far as it is known.
    fn now(&self) -> i64 {
        let elapsed = self.account.clock.time().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
    }

    fn first_start(&self) -> i64 {
        match self.since {
            Since::Ago(time) => self.now().saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)).max(0),
            Since::At(time) => time.max(0),
        }
    }

    /// Waits before the next round: briefly if there was `news`, otherwise longer each time.
    pub async fn rest(&mut self, news: bool) {
        self.pace.rest(news).await;
    }
}

impl Account {
    /// What Lambda reports of a request in this log group; `None` if the report is not there after a while. The request
    /// was sent at most `since` ago.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn report(
        &self,
        log_group: &str,
        request: &str,
        since: Duration,
        observer: &Observer<'_>,
    ) -> Result<Option<Figures>, CloudError> {
        let doing = || format!("read log group `{log_group}`");
        let now = self.clock.time().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = i64::try_from(now.saturating_sub(since).as_millis()).unwrap_or_default();
        let late = CloudError::new(doing(), Reason::Missing, "the report of the request is not there");
        let wait =
            Wait { function: "", for_what: "Lambda's report of the request", limit: REPORT.min(patience::attempt()) };
        let found = wait.until(observer, async || {
            let call = self.logs.filter_log_events().log_group_name(log_group).start_time(start);
            let mut pages = call.filter_pattern(format!("\"{request}\"")).into_paginator().send();
            while let Some(page) = pages.next().await {
                let Some(page) = page.if_found(doing)? else { break };
                let messages = page.events().iter().filter_map(|event| event.message());
                if let Some(figures) = messages.filter_map(|message| figures(message, request)).next() {
                    return Ok(Polled::Done(figures));
                }
            }
            Ok(Polled::NotYet(late.clone()))
        });
        match found.await {
            Ok(figures) => Ok(Some(figures)),
            Err(error) if error.reason == Reason::TimedOut => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Whether a stream of a shared log group is a function's: its name is `YYYY/MM/DD/FUNCTION[VERSION]ID`.
fn is_of(stream: &str, function: &str) -> bool {
    let name = stream.rsplit_once('/').map_or(stream, |(_, name)| name);
    name.strip_prefix(function).is_some_and(|rest| rest.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::is_of;

    #[test]
    fn streams_of_a_shared_group_name_their_function() {
        assert!(
            is_of("2026/11/29/shop-chat[3]0a1b", "shop-chat") && is_of("2026/11/29/shop-chat[$LATEST]0a", "shop-chat")
        );
        for stream in ["2026/11/29/shop-chat-two[3]0a1b", "2026/11/29/[3]0a1b", "shop-chat", "2026/11/29/shop[3]x/y"] {
            assert!(!is_of(stream, "shop-chat"), "{stream}");
        }
    }
}
