//! Measures how small packages are beside what other programs make of the same files, and how fast directories become
//! packages: a large tree, and a one-line edit of apps with many packages that is deployed to the local cloud. Run it with
//! `cargo bench --bench packs`. It prints each time, and its ratio to the first.
//!
//! The packages of the apps come from the usual registries, once; later runs find them in `target/`.
#![expect(clippy::print_stdout, reason = "its figures are this program's answer")]
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on says so and ends")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// The size of the large tree in MB, and of its files in KB.
const TREE: usize = 200;
const FILE: usize = 64;
/// The size of the program that is compressed, in bytes.
const PROGRAM: usize = 10_000_000;
/// How often each thing is measured; the median counts.
const ROUNDS: usize = 5;

/// Together with what they need, more than 40 packages each.
const NODE: &str = r#"{"name": "app", "version": "1.0.0", "dependencies": {"express": "4.21.2", "pino": "9.6.0"}}"#;
const PYTHON: &str = "fastapi[standard]==0.115.12\nhttpx==0.28.1\njinja2==3.1.6\n";

struct Place {
    directory: tempfile::TempDir,
    cache: PathBuf,
}

impl Place {
    fn new(manifest: &str) -> Place {
        let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tmp/cache");
        let place = Place { directory: tempfile::tempdir().unwrap(), cache };
        place.write("deploy.toml", manifest);
        place
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn lamstream(&self, arguments: &[&str]) -> Duration {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamstream"));
        command.args(arguments).current_dir(self.directory.path());
        command.env("LAMSTREAM_LOCAL_DIR", self.directory.path().join("cloud")).env("LAMSTREAM_CACHE_DIR", &self.cache);
        let began = Instant::now();
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        began.elapsed()
    }
}

impl Drop for Place {
    /// Stops the local cloud.
    fn drop(&mut self) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lamstream"));
        let _ =
            command.args(["local", "stop"]).env("LAMSTREAM_LOCAL_DIR", self.directory.path().join("cloud")).output();
    }
}

fn main() {
    sizes();
    tree();
    redeploys(
        "an app with express and pino",
        "nodejs22.x",
        "node index.js",
        "index.js",
        &[("package.json", NODE)],
        |at| format!("// {at}\nrequire('express')().get('/', (q, r) => r.send('{at}')).listen(process.env.PORT)\n"),
    );
    redeploys(
        "an app with fastapi[standard]",
        "python3.13",
        "python -m uvicorn main:app --port $PORT",
        "main.py",
        &[("requirements.txt", PYTHON)],
        |at| {
            format!("from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/')\ndef root():\n    return {at}\n")
        },
    );
}

/// 10 MB of a program, as lamstream and others compress them.
fn sizes() {
    let place = Place::new(
        "app = 'bench'\n[functions.program]\npackage = 'program'\nruntime = 'python3.13'\nhandler = 'main.handler'\n",
    );
    let program = std::fs::read(env!("CARGO_BIN_EXE_lamstream")).unwrap();
    let program = &program[..PROGRAM.min(program.len())];
    place.write("program/main.py", "def handler(event, context): pass\n");
    place.write("program/data", program);
    let size = |name: &str| place.directory.path().join(name).metadata().unwrap().len() as usize;
    let mut rows = vec![(
        "lamstream",
        rounds(|_| place.lamstream(&["build", "--out", "out"])).into_iter().min().unwrap(),
        size("out/program.zip"),
    )];
    let mut zip = Command::new("zip");
    zip.args(["-9", "-q", "-X", "../info.zip", "main.py", "data"]).current_dir(place.directory.path().join("program"));
    let began = Instant::now();
    match zip.status() {
        Ok(status) if status.success() => rows.push(("Info-ZIP -9", began.elapsed(), size("info.zip"))),
        _ => println!("Info-ZIP was not measured: `zip` is not installed"),
    }
    let began = Instant::now();
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::best());
    let mut compressed = vec![0; compressor.deflate_compress_bound(program.len())];
    let length = compressor.deflate_compress(program, &mut compressed).unwrap();
    rows.push(("libdeflate 12", began.elapsed(), length));
    let (began, mut compressed) = (Instant::now(), Vec::new());
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Deflate, program, &mut compressed).unwrap();
    rows.push(("zopfli", began.elapsed(), compressed.len()));
    let quick = rows.iter().filter(|(_, time, _)| *time < Duration::from_secs(1)).map(|(_, _, size)| *size);
    let smallest = quick.min().unwrap_or(rows[0].2);
    for (name, time, size) in rows {
        let (time, ratio) = (time.as_secs_f64(), size as f64 / smallest as f64);
        println!("{PROGRAM} bytes by {name}: {size} in {time:.2} s, {ratio:.3} of the smallest in under a second");
    }
}

/// Text that compresses like code, and bytes that do not compress, half of each.
fn tree() {
    let place = Place::new(
        "app = 'bench'\n[functions.tree]\npackage = 'tree'\nruntime = 'python3.13'\nhandler = 'main.handler'\n",
    );
    place.write("tree/main.py", "def handler(event, context): pass\n");
    let mut state = 1u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    for number in 0..TREE * 1000 / FILE {
        let mut bytes = Vec::with_capacity(FILE * 1000);
        while bytes.len() < FILE * 1000 {
            let word = next();
            match number % 2 {
                0 => bytes.extend(format!("    value_{} = call({});\n", word % 97, word % 31).bytes()),
                _ => bytes.extend(word.to_le_bytes()),
            }
        }
        place.write(&format!("tree/part-{}/{number}", number % 50), bytes);
    }
    report(&format!("a tree of {TREE} MB: packed"), &rounds(|_| place.lamstream(&["build", "--out", "out"])), None);
}

fn redeploys(what: &str, runtime: &str, run: &str, file: &str, lists: &[(&str, &str)], text: impl Fn(usize) -> String) {
    let manifest = format!(
        "app = 'bench'\n[functions.site]\nweb = 'app'\nruntime = '{runtime}'\nrun = '{run}'\nmemory = 512\nurl = {{ auth = 'none' }}\n"
    );
    let place = Place::new(&manifest);
    lists.iter().for_each(|(name, list)| place.write(&format!("app/{name}"), list));
    place.write(&format!("app/{file}"), text(0));
    let first = place.lamstream(&["deploy", "--local"]);
    report(&format!("{what}: first deploy"), &[first], None);
    let edited = rounds(|round| {
        place.write(&format!("app/{file}"), text(round + 1));
        place.lamstream(&["deploy", "--local"])
    });
    report(&format!("{what}: a line edited, deployed"), &edited, Some(first));
    let same = rounds(|_| place.lamstream(&["deploy", "--local"]));
    report(&format!("{what}: nothing edited, deployed"), &same, Some(first));
}

fn rounds(mut work: impl FnMut(usize) -> Duration) -> Vec<Duration> {
    (0..ROUNDS).map(&mut work).collect()
}

fn report(what: &str, times: &[Duration], first: Option<Duration>) {
    let mut sorted = times.to_vec();
    sorted.sort();
    let (median, best) = (sorted[sorted.len() / 2], sorted[0]);
    let ratio = first.map(|first| format!(", {:.2} of the first", median.as_secs_f64() / first.as_secs_f64()));
    println!("{what}: {:.2} s (best {:.2} s){}", median.as_secs_f64(), best.as_secs_f64(), ratio.unwrap_or_default());
}
