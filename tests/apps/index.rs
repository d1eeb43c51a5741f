//! An index of Python packages and a registry of Node's, on loopback: real ones, as far as pip, uv and npm can tell.

use crate::wheels::wheel_with;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use tempfile::TempDir;

/// What a wanderer into the logs would look for.
pub(crate) const PASSWORD: &str = "planted-password";

/// Serves the files of a directory; ends with the test.
pub(crate) struct Index {
    directory: TempDir,
    pub address: String,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Index {
    /// `locked` asks for the user `corp` and the password.
    pub(crate) fn start(locked: bool) -> Index {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let ended = Arc::new(AtomicBool::new(false));
        let (root, is_over) = (directory.path().to_owned(), ended.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if is_over.load(Ordering::SeqCst) {
                    return;
                }
                let root = root.clone();
                // Pip and uv open several connections at once.
                std::thread::spawn(move || stream.map(|stream| answer(stream, &root, locked)));
            }
        });
        Index { directory, address, ended, thread: Some(thread) }
    }

    pub(crate) fn root(&self) -> &Path {
        self.directory.path()
    }

    /// `http://…/simple`.
    pub(crate) fn simple(&self) -> String {
        format!("http://{}/simple", self.address)
    }

    /// The same with its user and password.
    pub(crate) fn simple_with_password(&self) -> String {
        format!("http://corp:{PASSWORD}@{}/simple", self.address)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        format!("http://{}/files/{name}", self.address)
    }

    /// A wheel whose package says `whose`, and the index's page of it; gives its file.
    pub(crate) fn add_wheel(&self, name: &str, version: &str, whose: &str) -> PathBuf {
        self.add_wheel_with(name, version, whose, "")
    }

    /// The same with more lines of metadata.
    pub(crate) fn add_wheel_with(&self, name: &str, version: &str, whose: &str, more: &str) -> PathBuf {
        let files = self.root().join("files");
        std::fs::create_dir_all(&files).unwrap();
        let text = format!("WHOSE = '{whose}'\n");
        let module = format!("{name}/__init__.py");
        let path = wheel_with(&files, name, version, "py3-none-any", &[(&module, text.as_bytes())], more);
        self.link(name, &path);
        path
    }

    /// A file on the index's page of a package.
    pub(crate) fn link(&self, name: &str, path: &Path) {
        let page = self.root().join("simple").join(name).join("index.html");
        std::fs::create_dir_all(page.parent().unwrap()).unwrap();
        let file = path.file_name().unwrap().to_str().unwrap();
        let link = format!("<a href=\"../../files/{file}#sha256={}\">{file}</a>\n", sha256(path));
        std::fs::OpenOptions::new().create(true).append(true).open(page).unwrap().write_all(link.as_bytes()).unwrap();
    }

    /// A package of Node that says `whose`.
    pub(crate) fn add_tarball(&self, name: &str, version: &str, whose: &str) {
        self.add_module(name, version, &format!("module.exports = '{whose}'\n"), &json!({}));
    }

    /// A package of Node with this `index.js`, which is executable, and these further keys of its `package.json`. Versions
    /// that the registry has stay.
    pub(crate) fn add_module(&self, name: &str, version: &str, text: &str, keys: &Value) {
        let package = tempfile::tempdir().unwrap();
        std::fs::create_dir(package.path().join("package")).unwrap();
        let mut list = json!({"name": name, "version": version});
        list.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
        std::fs::write(package.path().join("package/package.json"), list.to_string()).unwrap();
        std::fs::write(package.path().join("package/index.js"), text).unwrap();
        let file = format!("{}-{version}.tgz", name.replace('/', "-"));
        let (path, page) = (self.root().join("files").join(&file), self.root().join(name));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::create_dir_all(page.parent().unwrap()).unwrap();
        let made = Command::new("tar").arg("-czf").arg(&path).arg("-C").arg(package.path()).arg("package").status();
        assert!(made.unwrap().success());
        let digest = STANDARD.encode(Sha512::digest(std::fs::read(&path).unwrap()));
        list["dist"] = json!({"tarball": self.file(&file), "integrity": format!("sha512-{digest}")});
        let known = std::fs::read(&page).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
        let mut known = known.unwrap_or_else(|| json!({"name": name, "versions": {}}));
        known["versions"][version] = list;
        known["dist-tags"] = json!({"latest": version});
        std::fs::write(page, known.to_string()).unwrap();
    }
}

impl Drop for Index {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

pub(crate) fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split(' ').next().unwrap().to_owned()
}

fn answer(stream: TcpStream, root: &Path, locked: bool) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut is_known) = (String::new(), !locked);
    let _ = reader.read_line(&mut first);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line.trim().is_empty() {
            break;
        }
        // `corp:planted-password`.
        is_known |= line.trim().ends_with("Basic Y29ycDpwbGFudGVkLXBhc3N3b3Jk");
    }
    let path = first.split(' ').nth(1).unwrap_or("/").split('?').next().unwrap_or("/").replace("%2f", "/");
    let mut path = root.join(path.trim_start_matches('/'));
    if path.is_dir() {
        path = path.join("index.html");
    }
    let body = std::fs::File::open(&path).ok().map(|mut file| {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map(|_| bytes).unwrap_or_default()
    });
    let kind = if path.extension().is_some_and(|end| end == "html") { "text/html" } else { "application/octet-stream" };
    let (status, body) = match (is_known, body) {
        (false, _) => ("401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"corp\"", Vec::new()),
        (true, Some(body)) => ("200 OK", body),
        (true, None) => ("404 Not Found", Vec::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let mut stream = stream;
    let _ = stream.write_all(head.as_bytes());
    // A request for the head alone gets no body.
    if !first.starts_with("HEAD") {
        let _ = stream.write_all(&body);
    }
}
