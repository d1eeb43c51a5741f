//! The house rules that a machine can check.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so and ends")]

mod tidy {
    pub(crate) mod cycles;
    pub(crate) mod phrases;
}

use std::fs;
use std::path::{Path, PathBuf};

/// Which modules each module may use. Who is missing here may not be used.
const MAY_USE: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("closed", &[]),
    ("stack", &["text"]),
    ("plan", &["stack"]),
    ("apply", &["plan", "stack"]),
    ("manifest", &["stack", "text"]),
    ("policy", &["manifest", "stack"]),
    ("logs", &[]),
    ("aws", &["apply", "logs", "plan", "stack", "text"]),
    ("verify", &["manifest"]),
    ("init", &["manifest", "text"]),
    ("local", &["cli"]),
    ("failure", &["apply", "manifest", "stack", "text", "verify"]),
    ("cli", &["logs", "policy", "report", "stack", "text"]),
    ("report", &["apply", "failure", "logs", "plan", "stack", "text"]),
    (
        "commands",
        &[
            "apply", "aws", "cli", "failure", "init", "local", "logs", "manifest", "plan", "policy", "report", "stack",
            "text", "verify",
        ],
    ),
];

/// The same of `crates/packaging`.
const PACKAGING_MAY_USE: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("digest", &[]),
    ("address", &[]),
    ("architecture", &[]),
    ("machine", &["architecture"]),
    ("runtime", &["architecture", "machine"]),
    ("origin", &[]),
    ("patterns", &["error"]),
    ("interpreter", &["architecture", "machine", "runtime"]),
    ("said", &[]),
    ("tool", &["address", "digest", "error", "said"]),
    ("exclude", &["address"]),
    ("handler", &["error", "runtime"]),
    ("elf", &["architecture", "error", "runtime"]),
    ("executable", &["architecture", "elf", "error", "machine", "runtime"]),
    ("archive", &["digest", "error"]),
    ("asks", &[]),
    ("lock", &[]),
    ("mend", &["archive", "error"]),
    ("modules", &["error"]),
    ("command", &["address", "error", "exclude", "lock", "said", "tool"]),
    (
        "package",
        &["architecture", "archive", "error", "exclude", "executable", "handler", "machine", "mend", "runtime"],
    ),
    ("python", &["address", "architecture", "digest", "elf", "error", "interpreter", "machine", "runtime", "tool"]),
    ("node", &["address", "architecture", "error", "machine", "patterns", "runtime", "tool"]),
    (
        "app",
        &[
            "archive",
            "cargo",
            "error",
            "exclude",
            "executable",
            "handler",
            "machine",
            "modules",
            "node",
            "package",
            "patterns",
            "python",
            "runtime",
            "tool",
        ],
    ),
    ("cargo", &["architecture", "digest", "error", "lock", "machine", "origin", "said", "tool"]),
];

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;
/// Names that say nothing.
const EMPTY_WORDS: &[&str] = &["Manager", "Helper", "Util", "Service", "Context", "Impl", "Data"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(directory: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{directory} has no Rust file");
    files
}

fn product_files() -> Vec<PathBuf> {
    ["src", "function/src", "crates/adapter/src", "crates/import/src", "crates/localcloud/src", "crates/packaging/src"]
        .into_iter()
        .flat_map(rust_files)
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

fn module_of(path: &Path) -> String {
    module_in("src", path)
}

/// The directory or file right below `directory` that a file belongs to.
fn module_in(directory: &str, path: &Path) -> String {
    let inside = path.strip_prefix(root().join(directory)).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn imports_point_down() {
    let wrong = [("src", MAY_USE), ("crates/packaging/src", PACKAGING_MAY_USE)];
    let wrong: Vec<String> = wrong.into_iter().flat_map(|(directory, map)| forbidden_imports(directory, map)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn forbidden_imports(directory: &str, map: &[(&str, &[&str])]) -> Vec<String> {
    let mut wrong = Vec::new();
    for path in rust_files(directory) {
        let module = module_in(directory, &path);
        if ["main", "lib"].contains(&module.as_str()) {
            continue;
        }
        let (_, allowed) =
            map.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("{module} is not on the map"));
        for (number, line) in read(&path).lines().enumerate() {
            for used in line.split("crate::").skip(1).flat_map(first_names) {
                if used != module && !allowed.contains(&used) {
                    wrong.push(format!("{}:{}: {module} may not use {used}", shown(&path), number + 1));
                }
            }
        }
    }
    wrong
}

/// The first name of a path, or those of the paths in braces.
fn first_names(path: &str) -> Vec<&str> {
    let list = path.strip_prefix('{').and_then(|list| list.split('}').next()).unwrap_or(path);
    let paths = if path.starts_with('{') { list.split(',').collect() } else { vec![list] };
    let is_end = |letter: char| !letter.is_alphanumeric() && letter != '_';
    paths.into_iter().filter_map(|path| path.trim().split(is_end).next()).collect()
}

#[test]
fn no_file_needs_itself() {
    for directory in ["src", "crates/adapter/src", "crates/import/src", "crates/localcloud/src", "crates/packaging/src"]
    {
        let cycles = tidy::cycles::cycles(directory);
        assert!(cycles.is_empty(), "in {directory} these files need themselves: {cycles:?}");
    }
}

/// The product code of a module.
fn code_of(module: &str) -> Vec<(String, String)> {
    code_in(rust_files("src").into_iter().filter(|path| module_of(path) == module))
}

/// Product code without its comments and tests, each line with its place.
fn code_in(files: impl IntoIterator<Item = PathBuf>) -> Vec<(String, String)> {
    let lines = files.into_iter().flat_map(|path| {
        let text = read(&path);
        let product = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
        let lines = product
            .lines()
            .enumerate()
            .map(|(number, line)| (format!("{}:{}", shown(&path), number + 1), line.to_owned()));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//")).collect::<Vec<_>>()
    });
    lines.collect()
}

#[test]
fn what_decides_touches_nothing() {
    // `Duration` is a value, as `OsStr` is; a clock, a file, a variable, a socket or a task is none.
    const IMPURE: &[&str] = &[
        "std::fs",
        "std::env",
        "std::net",
        "std::process",
        "std::thread",
        "Instant",
        "SystemTime",
        "tokio",
        "async fn",
        ".await",
    ];
    let mut wrong = Vec::new();
    let modules = ["text", "stack", "plan", "manifest", "policy", "init", "logs"].into_iter().flat_map(code_of);
    let drawing = ["story", "table", "drawing", "style", "chart", "moment"]
        .map(|file| root().join(format!("src/report/{file}.rs")));
    let rendering = rust_files("src/report/format").into_iter().chain(drawing);
    for (place, line) in modules.chain(code_in(rendering)).chain(code_in(rust_files("crates/import/src"))) {
        // The processor that the program was compiled for is a constant.
        let line = line.replace("std::env::consts", "");
        wrong.extend(IMPURE.iter().filter(|word| line.contains(**word)).map(|word| format!("{place}: {word}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_file_alone_waits_for_aws() {
    const WAITS: &[&str] = &["time::sleep", "thread::sleep", "time::interval", "sleep("];
    let mut wrong = Vec::new();
    for (place, line) in code_of("aws").into_iter().filter(|(place, _)| !place.starts_with("src/aws/wait.rs:")) {
        wrong.extend(WAITS.iter().filter(|word| line.contains(**word)).map(|word| format!("{place}: {word}")));
    }
    assert!(wrong.is_empty(), "only aws/wait.rs waits:\n{}", wrong.join("\n"));
}

/// What an error is follows from its type. Where AWS gives no other sign its words are searched, by the table in
/// aws/error.rs, and for what a URL answers or a function logs, by those in verify/signs.rs, verify/last_words/ and
/// logs/errors.rs. logs/selection.rs looks for the text that you pass to `logs --filter`.
#[test]
fn nothing_looks_for_words_in_an_error() {
    let mut wrong = Vec::new();
    for module in ["apply", "aws", "failure", "logs", "verify", "commands", "report"] {
        for (place, line) in code_of(module) {
            let searches = ["contains(\"", "message.contains(", ".contains(word", ".contains(phrase"];
            let tables = [
                "src/aws/error.rs:",
                "src/logs/errors.rs:",
                "src/logs/selection.rs:",
                "src/verify/signs.rs:",
                "src/verify/last_words/",
            ];
            let is_table = tables.iter().any(|table| place.starts_with(table));
            if searches.iter().any(|search| line.contains(search)) && !is_table {
                wrong.push(format!("{place}: {}", line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table in aws/error.rs gives each of AWS's codes its `Reason`; all other files compare reasons. The answers of a URL
/// come from no API, so their words are in a file of their own.
#[test]
fn one_file_alone_knows_the_codes_of_aws() {
    const TABLE: &str = "src/aws/error.rs";
    // Their words are those of URLs and of logs.
    const OTHERS: [&str; 2] = ["src/verify/signs.rs", "src/logs/errors.rs"];
    let literals = |line: &str| line.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let is_name = |text: &str| {
        text.starts_with(|letter: char| letter.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let table = code_in([root().join(TABLE)]);
    let known: Vec<String> = table.iter().flat_map(|(_, line)| literals(line)).filter(|text| is_name(text)).collect();
    assert!(known.len() > 20, "{TABLE} has the codes {known:?}");
    let others =
        rust_files("src").into_iter().filter(|path| shown(path) != TABLE && !OTHERS.contains(&shown(path).as_str()));
    let mut wrong = Vec::new();
    for (place, line) in code_in(others) {
        let codes = literals(&line).into_iter().filter(|text| known.contains(text) || text.ends_with("Exception"));
        wrong.extend(codes.map(|code| format!("{place}: {code}")));
    }
    assert!(wrong.is_empty(), "only {TABLE} has codes of AWS's:\n{}", wrong.join("\n"));
}

#[test]
fn every_room_is_on_the_map_and_in_the_architecture() {
    let architecture = read(&root().join("ARCHITECTURE.md"));
    for (module, _) in MAY_USE {
        let exists = root().join("src").join(module).is_dir() || root().join(format!("src/{module}.rs")).is_file();
        assert!(exists, "the module {module} has no files");
        assert!(architecture.contains(&format!("`src/{module}")), "ARCHITECTURE.md does not show `src/{module}`");
    }
}

#[test]
fn other_crates_know_nothing_of_lamstream() {
    for name in ["adapter", "import", "localcloud", "packaging"] {
        let manifest = read(&root().join(format!("crates/{name}/Cargo.toml")));
        // `lamstream-adapter` and the like are other crates.
        assert!(!manifest.lines().any(|line| line.split([' ', '.', '=']).next() == Some("lamstream")), "crates/{name}");
        for path in rust_files(&format!("crates/{name}/src")) {
            assert!(!read(&path).contains("lamstream::"), "{}", shown(&path));
        }
    }
}

/// A change of packages does not wait for the SDK to be linked.
#[test]
fn packaging_does_without_the_sdk() {
    let manifest = read(&root().join("crates/packaging/Cargo.toml"));
    assert!(!manifest.lines().any(|line| line.starts_with("aws-") || line.starts_with("lamstream-localcloud")));
}

#[test]
fn every_file_says_what_it_is_and_stays_short() {
    for path in product_files() {
        let text = read(&path);
        assert!(text.starts_with("//! "), "{} does not open with a `//!` sentence", shown(&path));
        let length = text.lines().count();
        assert!(length <= LONGEST_FILE, "{} has {length} lines", shown(&path));
    }
}

#[test]
fn every_function_stays_short() {
    let mut long = Vec::new();
    for path in product_files() {
        let text = read(&path);
        let lines: Vec<&str> = text.lines().collect();
        for (start, line) in lines.iter().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line.trim_start().trim_start_matches("pub").trim_start();
            let head =
                head.strip_prefix("(super)").or_else(|| head.strip_prefix("(crate)")).unwrap_or(head).trim_start();
            let head = head.trim_start_matches("async ").trim_start_matches("const ");
            if !head.starts_with("fn ") {
                continue;
            }
            let close = format!("{}}}", " ".repeat(indent));
            let end_of_head = format!("{})", " ".repeat(indent));
            // A trait may have only the head.
            let is_end = |line: &str| line == close || (line.starts_with(&end_of_head) && line.ends_with(';'));
            let length = lines[start..].iter().position(|line| is_end(line)).map_or(1, |end| end + 1);
            if length > LONGEST_FUNCTION && !line.trim_end().ends_with(';') {
                long.push(format!("{}:{}: {length} lines", shown(&path), start + 1));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn names_say_something() {
    let mut wrong = Vec::new();
    for path in product_files() {
        for (number, line) in read(&path).lines().enumerate() {
            let words: Vec<&str> = line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
            for pair in words.windows(2).filter(|pair| ["struct", "enum", "trait"].contains(&pair[0])) {
                if EMPTY_WORDS.iter().any(|word| pair[1].ends_with(word)) {
                    wrong.push(format!("{}:{}: {}", shown(&path), number + 1, pair[1]));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// `function/` is complete without this repository, so it has its own copy.
#[test]
fn the_function_expects_the_same_bytes_as_the_tests() {
    let bytes = |path: &str| fs::read(root().join(path)).unwrap();
    assert!(bytes("function/src/stream_chat_body.bin") == bytes("tests/fixtures/stream_chat_body.bin"));
}

/// Everything that is written in Markdown for people.
fn documents() -> Vec<PathBuf> {
    let others = ["crates/localcloud/README.md", "llms.txt", "skills/lamstream/SKILL.md"];
    let mut documents: Vec<PathBuf> = others.iter().map(|file| root().join(file)).collect();
    let examples = fs::read_dir(root().join("examples")).unwrap();
    documents.extend(examples.map(|example| example.unwrap().path().join("README.md")));
    for directory in [root().to_owned(), root().join("docs")] {
        let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        documents.extend(entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    documents
}

#[test]
fn links_in_the_documents_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        for link in read(&document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if !link.contains("://") && !leads_somewhere(&document, link) {
                broken.push(format!("{}: {link}", shown(&document)));
            }
        }
    }
    let help: String = rust_files("src/cli").iter().map(|path| read(path)).collect();
    let pages = help.lines().filter(|line| line.contains("page: \"") || line.contains("PAGE: &str"));
    let pages: Vec<&str> = pages.filter_map(|line| line.split('"').nth(1)).collect();
    assert!(pages.len() > 15, "{pages:?}");
    let broken_pages = pages.iter().filter(|page| !leads_somewhere(&root().join("README.md"), page));
    broken.extend(broken_pages.map(|page| format!("the help's page {page}")));
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Whether the file that a document links to exists, and has the heading.
fn leads_somewhere(document: &Path, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let file = if file.is_empty() { document.to_owned() } else { document.parent().unwrap().join(file) };
    file.exists() && (heading.is_empty() || headings(&file).iter().any(|known| known == heading))
}

/// A document's headings as links spell them.
fn headings(document: &Path) -> Vec<String> {
    let letters = |letter: char| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter.is_alphanumeric().then_some(letter),
    };
    let heading = |line: &str| line.trim_start_matches('#').trim().to_lowercase().chars().filter_map(letters).collect();
    read(document).lines().filter(|line| line.starts_with('#')).map(heading).collect()
}

#[test]
fn files_that_the_documents_name_exist() {
    let known =
        ["src", "crates", "function/src", "tests", "benches"].into_iter().flat_map(rust_files).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    for document in documents() {
        for name in read(&document).split('`').skip(1).step_by(2).filter(|name| name.ends_with(".rs")) {
            if !known.iter().any(|path| path.ends_with(name)) {
                wrong.push(format!("{}: there is no {name}", shown(&document)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// stdout and stderr are written in one file, whose types take nothing but what is harmless. Another one looks whether
/// stdout is open.
#[test]
fn one_file_alone_prints() {
    const PRINTS: &[&str] =
        &["io::stdout", "io::stderr", "anstream::std", "print!(", "println!(", "/dev/std", "/dev/tty"];
    let mut wrong = Vec::new();
    let files = ["src", "crates/packaging/src"].into_iter().flat_map(rust_files);
    let others = files.filter(|path| !["report/outlet.rs", "src/closed.rs"].iter().any(|file| path.ends_with(file)));
    for path in others {
        for (number, line) in read(&path).lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if PRINTS.iter().any(|print| line.contains(print)) {
                wrong.push(format!("{}:{}: only report/outlet.rs may print", shown(&path), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn texts_are_plain_english() {
    let found = tidy::phrases::found(root());
    assert!(found.is_empty(), "{}", found.join("\n"));
}
