//! Runtimes that AWS no longer supports. They still work, and AWS refuses new functions and updates only much later.

/// When AWS ended its support of a runtime; dates as `YYYY-MM-DD`.
#[derive(Debug, PartialEq, Eq)]
pub struct Retirement {
    pub runtime: &'static str,
    /// Since when it gets no security updates.
    pub ended: &'static str,
    /// From when on AWS refuses to create functions with it.
    pub creation_ends: &'static str,
    /// From when on AWS refuses to update functions with it.
    pub updates_end: &'static str,
}

/// Those that had ended in November 2026, and that a manifest may name. AWS has moved such dates before, so future ones
/// are not here. A test holds them against another tool's list.
pub const RETIRED: &[Retirement] = &[
    retired("dotnet6", "2024-12-20", "2027-02-01", "2027-03-03"),
    retired("dotnet8", "2026-11-10", "2027-02-01", "2027-03-03"),
    retired("java8", "2024-01-08", "2024-02-08", "2027-03-03"),
    retired("nodejs10.x", "2021-07-30", "2021-07-30", "2022-02-14"),
    retired("nodejs12.x", "2023-03-31", "2023-03-31", "2023-04-30"),
    retired("nodejs14.x", "2023-12-04", "2024-01-09", "2027-03-03"),
    retired("nodejs16.x", "2024-06-12", "2027-02-01", "2027-03-03"),
    retired("nodejs18.x", "2025-09-01", "2027-02-01", "2027-03-03"),
    retired("nodejs20.x", "2026-04-30", "2027-02-01", "2027-03-03"),
    retired("provided.al2", "2026-07-31", "2027-02-01", "2027-03-03"),
    retired("python2.7", "2021-07-15", "2021-07-15", "2022-05-30"),
    retired("python3.6", "2022-07-18", "2022-07-18", "2022-08-29"),
    retired("python3.7", "2023-12-04", "2024-01-09", "2027-03-03"),
    retired("python3.8", "2024-10-14", "2027-02-01", "2027-03-03"),
    retired("python3.9", "2025-12-15", "2027-02-01", "2027-03-03"),
    retired("python3.10", "2026-10-31", "2027-02-01", "2027-03-03"),
    retired("ruby2.5", "2021-07-30", "2021-07-30", "2022-03-31"),
    retired("ruby2.7", "2023-12-07", "2024-01-09", "2027-03-03"),
    retired("ruby3.2", "2026-03-31", "2027-02-01", "2027-03-03"),
];

const fn retired(
    runtime: &'static str,
    ended: &'static str,
    creation_ends: &'static str,
    updates_end: &'static str,
) -> Retirement {
    Retirement { runtime, ended, creation_ends, updates_end }
}

/// What to know about a runtime that AWS no longer supports.
pub fn retirement(runtime: &str) -> Option<&'static Retirement> {
    RETIRED.iter().find(|retired| retired.runtime == runtime)
}
