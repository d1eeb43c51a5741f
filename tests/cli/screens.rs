//! What stands on a terminal of 40, 80 or 120 columns once a command has ended.

use crate::CHAT;
use crate::consent::on_terminal;
use crate::support::bench::{Bench, function_zip};
use serde_json::{Value, json};
use std::num::NonZero;

/// How lines begin that are drawn only as long as a step is going on.
const GOING: [&str; 7] = ["Reading", "Building", "Creating", "Updating", "Deleting", "Waiting", "Verifying"];

/// The rows of a terminal's screen, each with whether the terminal broke it.
fn screen(bench: &Bench, columns: u16, arguments: &[&str], steps: &Value) -> Vec<(String, bool)> {
    let mut command = on_terminal(bench, &bench.command(arguments), steps);
    let output = command.env("TERMINAL_COLUMNS", columns.to_string()).output().expect("python3 runs");
    let size = |size| NonZero::new(size).expect("a size");
    let mut parser = vt100::Parser::new(size(200), size(columns), 0);
    parser.process(&output.stdout);
    let screen = parser.screen();
    let rows = screen.rows(0, columns).enumerate();
    let broken = |nth: usize| u16::try_from(nth).is_ok_and(|nth| screen.row_wrapped(nth));
    let mut rows: Vec<_> = rows.map(|(nth, row)| (row, broken(nth))).collect();
    let used = rows.iter().rposition(|(row, _)| !row.is_empty()).map_or(0, |last| last + 1);
    rows.truncate(used);
    rows
}

/// No line of a step that has ended, no word that is cut.
fn assert_tidy(rows: &[(String, bool)], columns: u16) {
    let all = rows.iter().map(|(row, _)| row.as_str()).collect::<Vec<_>>().join("\n");
    for (row, broken) in rows {
        assert!(!GOING.iter().any(|verb| row.trim_start().starts_with(verb)), "{columns}: `{row}` is stale:\n{all}");
        let is_one_word = !row.trim().contains(' ');
        assert!(!broken || is_one_word, "{columns}: `{row}` is cut:\n{all}");
    }
}

fn package() -> String {
    format!("--package={}", function_zip().display())
}

#[test]
fn a_deploy_fits_and_leaves_nothing_behind() {
    for columns in [40, 80, 120] {
        let bench = Bench::new(CHAT);
        let rows = screen(&bench, columns, &["deploy", "--local", &package()], &json!([]));
        assert_tidy(&rows, columns);
        let said = rows.iter().flat_map(|(row, _)| row.split_whitespace()).collect::<Vec<_>>().join(" ");
        let count = |words: &str| said.matches(words).count();
        assert_eq!((count("Deployed chat in"), count("it streams"), count("try it:")), (1, 2, 1), "{rows:?}");
        bench.write("deploy.toml", &CHAT.replace("url =", "memory = 256\ntimeout = 30\nurl ="));
        for command in ["plan", "status", "releases"] {
            let more = if command == "plan" { vec![package()] } else { Vec::new() };
            let arguments = [command, "--local"].into_iter().chain(more.iter().map(String::as_str));
            assert_tidy(&screen(&bench, columns, &arguments.collect::<Vec<_>>(), &json!([])), columns);
        }
    }
}

/// A terminal echoes `^C` where the cursor is, which is behind what is drawn.
#[test]
fn an_interrupted_deploy_leaves_nothing_behind() {
    for columns in [40, 80] {
        let bench = Bench::new(CHAT);
        bench.good(&["local", "start", "--pending", "60s"]);
        let steps = json!([["Lambda to", { "pause": 1, "type": "\u{3}" }]]);
        let rows = screen(&bench, columns, &["deploy", "--local", &package()], &steps);
        assert_tidy(&rows, columns);
        assert!(rows.iter().any(|(row, _)| row.contains("interrupted")), "{rows:?}");
    }
}

#[test]
fn errors_and_hints_fit() {
    let long = "a value that is rather long, longer than the narrowest terminals are wide";
    let manifest = CHAT.replace("auth = \"none\"", &format!("mode = \"buffered\", auth = \"{long}\""));
    for columns in [40, 80, 120] {
        let bench = Bench::new(&manifest);
        for arguments in
            [&["plan", "--local"][..], &["plan", "--manifest", "no/manifest.toml"], &["rollback", "--stage", "x"]]
        {
            let rows = screen(&bench, columns, arguments, &json!([]));
            assert_tidy(&rows, columns);
            assert!(rows[0].0.starts_with("error: "), "{rows:?}");
        }
        let rows = screen(&bench, columns, &["plan", "--local"], &json!([]));
        assert!(rows.iter().any(|(row, _)| row.ends_with("^^^")), "the value is underlined: {rows:?}");
    }
}

#[test]
fn no_colour_is_drawn_where_none_is_wanted() {
    for (arguments, no_color) in [(&["status", "--local", "--color", "never"][..], ""), (&["status", "--local"], "1")] {
        let bench = Bench::new(CHAT);
        let mut command = bench.command(arguments);
        command.env("NO_COLOR", no_color);
        let output = on_terminal(&bench, &command, &json!([])).output().expect("python3 runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("Reading") && !said.contains("\u{1b}[1m") && !said.contains("\u{1b}[9"), "{said:?}");
        let output = on_terminal(&bench, &bench.command(&["status", "--local"]), &json!([])).output().expect("it runs");
        assert!(String::from_utf8_lossy(&output.stdout).contains("\u{1b}[93mnot deployed"), "{output:?}");
    }
}
