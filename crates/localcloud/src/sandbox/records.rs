//! What an instance reports of its start and of each request, in the log.

use bytes::Bytes;

use super::instance::Instance;
use super::report::{self, Report, ResponseTimes, Status};
use super::request::Outcome;
use crate::sync::lock;

impl Instance {
    /// Reports that an instance begins to start.
    pub(super) fn report_init_start(&mut self) {
        let phase = report::phase(self.start.patient);
        let line = report::init_start(self.spec.log_form(), phase, &self.spec.function, &self.spec.number);
        line.iter().for_each(|line| self.log_line(line));
    }

    /// Reports how the start ended.
    pub(super) fn report_init_end(&mut self, status: Status<'_>) {
        self.print_all();
        let phase = report::phase(self.start.patient);
        let took = self.init.unwrap_or_else(|| self.started.elapsed());
        for line in report::init_end(self.spec.log_form(), phase, took, status) {
            self.log_line(&line);
        }
    }

    /// Refuses the first request of a process that did not start.
    pub(super) fn refuse_first(&mut self, status: Status<'_>, payload: impl FnOnce(&str) -> Bytes) {
        let Ok(queued) = self.requests.try_recv() else { return };
        self.report_init_end(status);
        let last = self.last_lines();
        let report = Report {
            id: &queued.request.id,
            arn: &queued.arn,
            duration: self.started.elapsed(),
            used: self.memory_used(),
            ..self.empty_report(status)
        };
        let lines: Vec<String> = report.start().into_iter().chain(report.end()).collect();
        lines.iter().for_each(|line| self.log_line(line));
        let _ = queued.reply.send(Ok(Outcome::Error { payload: payload(&queued.request.id), last }));
        let _ = queued.finished.send(std::mem::take(&mut self.tail));
    }

    /// Reports that a request begins, if there is one.
    pub(super) fn report_start(&mut self) {
        let line = self.report(Status::Success).and_then(|report| report.start());
        line.iter().for_each(|line| self.log_line(line));
    }

    /// Writes the report and gives the permit back.
    pub(super) fn finish(&mut self, status: Status<'_>) {
        self.print();
        let used = self.memory_used();
        let Some(lines) = self.report(status).map(|report| Report { used, ..report }.end()) else { return };
        for line in lines {
            self.log_line(&line);
        }
        *lock(&self.channel.open) = None;
        if let Some(current) = self.current.take() {
            let _ = current.finished.send(std::mem::take(&mut self.tail));
        }
    }

    fn memory_used(&self) -> u64 {
        report::memory_used(self.child.id())
    }

    /// The report of the current request, without its memory, which only its end has.
    fn report<'a>(&'a self, status: Status<'a>) -> Option<Report<'a>> {
        let current = self.current.as_ref()?;
        let duration = current.since.elapsed();
        let response = current.answering.map(|begun| {
            let latency = begun.duration_since(current.since);
            let end = current.answered.map_or(duration, |end| end.duration_since(current.since));
            ResponseTimes { latency, duration: end.saturating_sub(latency) }
        });
        Some(Report {
            id: &current.id,
            arn: &current.arn,
            at: current.at,
            duration,
            init: self.init.filter(|_| current.cold),
            response,
            bytes: current.bytes,
            ..self.empty_report(status)
        })
    }

    fn empty_report<'a>(&'a self, status: Status<'a>) -> Report<'a> {
        Report {
            form: self.spec.log_form(),
            id: "",
            arn: "",
            version: &self.spec.number,
            memory: self.spec.configuration.memory,
            used: 0,
            at: 0,
            duration: std::time::Duration::ZERO,
            init: None,
            response: None,
            bytes: 0,
            status,
        }
    }
}
