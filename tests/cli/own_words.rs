//! Values are hidden in the words of others, and lamstream's own words stay readable.

use crate::support::bench::{Bench, function_zip, said};
use std::io::Write;

#[test]
fn a_value_that_is_one_of_our_words_hides_none_of_them() {
    let check = "check = { path = \"/nowhere\" }";
    let manifest = |environment: &str| {
        format!(
            "app = \"shop\"\n[functions.chat]\ncrate = \"unused\"\nurl = {{ auth = \"none\" }}\n{check}\n\
             environment = {{ {environment} }}\n"
        )
    };
    let bench = Bench::new(&manifest(
        "A1 = \"verify\", A2 = \"cannot verify\", A3 = \"the response has status 404\", A4 = \"nothing is live yet\", \
         A5 = \"version 1\", A6 = \"answer\"",
    ));
    let package = format!("--package={}", function_zip().display());
    for output in ["text", "json"] {
        let output = bench.run(&["deploy", "--local", "--yes", &package, "--output", output]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let told = said(&output);
        for words in
            ["cannot verify version", " of `chat`: the response has status 404, expected ", "; nothing is live yet"]
        {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}

/// A function that writes to its log what its values hold, and ends.
const WRITER: &str = r#"#!/usr/bin/env python3
import base64, json, os, urllib.parse
url = urllib.parse.urlsplit(os.environ["DBURL"])
print("database", urllib.parse.unquote(url.password), "at", url.hostname)
print("secret", json.loads(os.environ["RDS"])["nested"][0]["password"])
print("header", os.environ["AUTH"].split(" ")[1], base64.b64decode(os.environ["BASIC"].split(" ")[1]).decode())
print("list", *os.environ["KEYS"].split(","))
print("pairs", os.environ["ADO"].split("Password=")[1].split(";")[0], flush=True)
os._exit(3)
"#;

#[test]
fn what_is_secret_within_a_value_is_hidden_by_itself() {
    let bench = Bench::new(
        r#"
app = "shop"
[functions.chat]
crate = "unused"
url = { auth = "none" }
check = {}
[functions.chat.environment]
DBURL = "postgres://app:zq7%2Fp4ssw0rdXY@db.internal/x"
RDS = '{"username": "app", "nested": [{"password": "zq7-rds-4711"}], "port": 5432}'
AUTH = "Bearer zq7-bearer-4711"
BASIC = "Basic bWU6enE3LWJhc2ljLTQ3MTE="
KEYS = "zq7-key-one,zq7-key-two, shop-chat"
ADO = "Server=db.internal;Password=zq7-ado-4711;"
"#,
    );
    let path = bench.path("writer.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default().unix_permissions(0o755);
    zip.start_file("bootstrap", options).unwrap();
    zip.write_all(WRITER.as_bytes()).unwrap();
    zip.finish().unwrap();
    let package = format!("--package={}", path.display());
    for output in ["text", "json"] {
        let output = bench.run(&["deploy", "--local", "--yes", &package, "--output", output]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        let told = said(&output);
        assert!(!told.contains("zq7"), "{told}");
        for words in ["database [hidden] at ", "secret [hidden]", "list [hidden]", "shop-chat", "pairs [hidden]"] {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}
